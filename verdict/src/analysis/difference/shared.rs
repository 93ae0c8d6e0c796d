//! What all models of an experiment have in common from one run to the other: the machine on that day, and the code that all
//! models are made of.
//!
//! No model's own page is to blame when three quarters of an experiment's cells and more move the same way. As far as they
//! do, the move is told once, for all of them, and each cell is judged by what it moved beyond it. Taken is the quartile
//! nearest to equal: a change of half the models is not mistaken for one of all.

use std::collections::BTreeSet;

use crate::analysis::comparison;
use crate::analysis::metric::Metric;
use crate::analysis::sample::{median, quantile};

use super::Verdict;
use super::pair::Both;

/// Fewest models that can have something in common.
const MODELS_MIN: usize = 4;

/// What the models of an experiment have in common in one figure.
#[derive(Clone, Copy, Debug)]
pub struct Shared<'a> {
    /// Experiment.
    pub experiment: &'a str,
    /// What is compared.
    pub metric: Metric,
    /// By at least this factor three quarters of the cells moved; 1 if they went either way.
    pub factor: f64,
    /// Noise floor of a cell in the middle, as a factor above 1; `None` without any A/A control.
    pub floor: Option<f64>,
    /// What it comes to.
    pub verdict: Verdict,
}

impl<'a> Shared<'a> {
    /// What the cells of one figure have in common; `None` where too few models have been compared to tell.
    pub(super) fn of(experiment: &'a str, metric: Metric, family: &[Both<'a>]) -> Option<Self> {
        let moved = |both: &Both<'a>| both.ratio().filter(|ratio| *ratio > 0.0);
        let compared = || family.iter().filter_map(|both| Some((both, moved(both)?)));
        let models: BTreeSet<&str> = compared().map(|(both, _)| both.model).collect();
        if models.len() < MODELS_MIN {
            return None;
        }
        let ratios: Vec<f64> = compared().map(|(_, ratio)| ratio).collect();
        let (lower, upper) = (quantile(&ratios, 0.25)?, quantile(&ratios, 0.75)?);
        let floors: Vec<f64> = compared().filter_map(|(both, _)| both.floor).collect();
        let mut shared = Self {
            experiment,
            metric,
            factor: lower.max(1.0) * upper.min(1.0),
            floor: median(&floors),
            verdict: Verdict::Same,
        };
        shared.verdict = shared.judge();
        Some(shared)
    }

    fn judge(&self) -> Verdict {
        if comparison::factor(self.factor) <= self.floor.unwrap_or(1.0) {
            return Verdict::Same;
        }
        match (self.factor < 1.0) == self.metric.smaller_is_better() {
            true => Verdict::Better,
            false => Verdict::Worse,
        }
    }
}
