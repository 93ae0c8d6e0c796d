//! Each model against the control, and the noise floor that a difference has to rise above.

use crate::lab::record::Arm;

use super::bootstrap::{Estimate, ratio_interval};
use super::cells::Cell;
use super::metric::Metric;
use super::rank;
use super::sample::{median, values};

/// One model against the control, at one level, in one metric.
#[derive(Clone, Debug)]
pub struct Comparison<'a> {
    /// Model compared with the control.
    pub model: &'a str,
    /// Level, by its name.
    pub level: &'a str,
    /// What is compared.
    pub metric: Metric,
    /// Valid trials of the model.
    pub trials: usize,
    /// Valid trials of the control.
    pub control_trials: usize,
    /// Median of the model over median of the control.
    pub ratio: Estimate,
    /// Hodges–Lehmann shift from the control, in the metric's unit.
    pub shift: f64,
    /// Cliff's delta, −1…1.
    pub delta: f64,
    /// Exact two-sided Mann–Whitney p-value, as if it were the only test.
    pub p: f64,
    /// The same after Holm's correction over all models and levels of the experiment in this metric.
    pub p_holm: f64,
    /// What it comes to.
    pub verdict: Verdict,
}

/// What a comparison with the control comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The interval holds 1, or the difference is below the noise floor.
    Tie,
    /// The model's figure is smaller than the control's.
    Less,
    /// The model's figure is larger than the control's.
    More,
    /// Too few valid trials for an interval, so nothing is concluded.
    TooFew,
}

/// How much a model differs from itself at one level, in one metric.
#[derive(Clone, Debug)]
pub struct NoiseFloor<'a> {
    /// Model measured twice as if it were two.
    pub model: &'a str,
    /// Level, by its name.
    pub level: &'a str,
    /// What is compared.
    pub metric: Metric,
    /// Median of the second copy over median of the first.
    pub ratio: Estimate,
    /// The floor itself, as a factor above 1, the same at every level of the experiment: the median over them of the bound
    /// of [`NoiseFloor::ratio`] that is farthest from 1. A model whose ratio, or its inverse, is smaller ties with the
    /// control.
    pub factor: f64,
}

/// Noise floors of every level that has an A/A control, in each of `metrics`.
///
/// The bound and not the point is taken: two copies that happen to agree prove little about the next two. The median over
/// the levels is, because one pair of few trials is a noisy witness of noise, and all levels of an experiment were measured
/// in the same rounds.
pub fn noise_floors<'a>(cells: &[Cell<'a>], metrics: &[Metric], seed: u64) -> Vec<NoiseFloor<'a>> {
    let mut floors = Vec::new();
    for again in cells.iter().filter(|cell| cell.arm == Arm::Again) {
        let Some(once) = find(cells, again.model, again.level) else {
            continue;
        };
        for &metric in metrics {
            if let Some(ratio) = ratio(again, once, metric, seed) {
                floors.push(NoiseFloor {
                    model: again.model,
                    level: again.level,
                    metric,
                    factor: farthest(ratio),
                    ratio,
                });
            }
        }
    }
    for &metric in metrics {
        let of_it = |floor: &&mut NoiseFloor<'_>| floor.metric == metric;
        let bounds: Vec<f64> = floors
            .iter_mut()
            .filter(of_it)
            .map(|floor| floor.factor)
            .collect();
        if let Some(factor) = median(&bounds) {
            floors
                .iter_mut()
                .filter(of_it)
                .for_each(|floor| floor.factor = factor);
        }
    }
    floors
}

/// The bound of a ratio's interval farthest from 1, as a factor; the ratio itself where there is no interval.
fn farthest(ratio: Estimate) -> f64 {
    let bounds = ratio
        .interval
        .map_or([ratio.value; 2], |bounds| [bounds.low, bounds.high]);
    bounds.map(factor).into_iter().fold(1.0, f64::max)
}

/// Compares every model with the control at every level, in each of `metrics`.
///
/// A model without a valid trial at a level, or a level whose control has none, has no comparison there.
pub fn compare<'a>(
    cells: &[Cell<'a>],
    control: &str,
    metrics: &[Metric],
    floors: &[NoiseFloor<'a>],
    seed: u64,
) -> Vec<Comparison<'a>> {
    let mut all = Vec::new();
    for &metric in metrics {
        let mut family: Vec<Comparison<'a>> = cells
            .iter()
            .filter(|cell| cell.arm == Arm::Model && cell.model != control)
            .filter_map(|cell| {
                let base = find(cells, control, cell.level)?;
                compare_cells(cell, base, metric, floor(floors, cell.level, metric), seed)
            })
            .collect();
        let corrected = rank::holm(&family.iter().map(|one| one.p).collect::<Vec<f64>>());
        for (one, p_holm) in family.iter_mut().zip(corrected) {
            one.p_holm = p_holm;
        }
        all.append(&mut family);
    }
    all
}

/// The floor of a level, as a factor: the highest where several models have an A/A control; `None` without any.
pub fn floor(floors: &[NoiseFloor<'_>], level: &str, metric: Metric) -> Option<f64> {
    floors
        .iter()
        .filter(|floor| floor.level == level && floor.metric == metric)
        .map(|floor| floor.factor)
        .reduce(f64::max)
}

fn compare_cells<'a>(
    cell: &Cell<'a>,
    base: &Cell<'_>,
    metric: Metric,
    floor: Option<f64>,
    seed: u64,
) -> Option<Comparison<'a>> {
    let ratio = ratio(cell, base, metric, seed)?;
    let ours = values(&cell.observations(metric));
    let theirs = values(&base.observations(metric));
    let p = rank::mann_whitney_p(&ours, &theirs)?;
    Some(Comparison {
        model: cell.model,
        level: cell.level,
        metric,
        trials: ours.len(),
        control_trials: theirs.len(),
        ratio,
        shift: rank::shift(&ours, &theirs)?,
        delta: rank::cliffs_delta(&ours, &theirs)?,
        p,
        p_holm: p,
        verdict: verdict(ratio, floor),
    })
}

fn verdict(ratio: Estimate, floor: Option<f64>) -> Verdict {
    let Some(interval) = ratio.interval else {
        return Verdict::TooFew;
    };
    if interval.contains(1.0) || floor.is_some_and(|floor| factor(ratio.value) <= floor) {
        Verdict::Tie
    } else if ratio.value < 1.0 {
        Verdict::Less
    } else {
        Verdict::More
    }
}

/// A ratio as a factor above 1: twice as much and half as much are equally far from equal.
pub(super) fn factor(ratio: f64) -> f64 {
    ratio.max(1.0 / ratio)
}

fn ratio(over: &Cell<'_>, under: &Cell<'_>, metric: Metric, seed: u64) -> Option<Estimate> {
    let over = over.observations(metric);
    let under = under.observations(metric);
    let value = median(&values(&over))? / median(&values(&under))?;
    // Nothing at all, beside something, is a ratio too.
    (value.is_finite() && value >= 0.0).then(|| Estimate {
        value,
        interval: ratio_interval(&over, &under, seed),
    })
}

fn find<'b, 'a>(cells: &'b [Cell<'a>], model: &str, level: &str) -> Option<&'b Cell<'a>> {
    cells
        .iter()
        .find(|cell| cell.arm == Arm::Model && cell.model == model && cell.level == level)
}

/// How many comparisons of a family could not have come below 0.05 after Holm's correction, whatever their trials had
/// shown: intervals and effect sizes have to speak for those.
pub fn out_of_reach<'c, 'a: 'c>(family: impl Iterator<Item = &'c Comparison<'a>>) -> usize {
    let least = rank::least_holm(family.map(|one| (one.trials, one.control_trials)));
    least.iter().filter(|p| **p >= 0.05).count()
}

#[cfg(test)]
mod tests {
    use super::super::bootstrap::Interval;
    use super::*;

    fn estimate(value: f64, low: f64, high: f64) -> Estimate {
        Estimate {
            value,
            interval: Some(Interval { low, high }),
        }
    }

    #[test]
    fn an_interval_that_holds_one_is_a_tie() {
        assert_eq!(verdict(estimate(1.04, 0.99, 1.09), None), Verdict::Tie);
    }

    #[test]
    fn a_difference_below_the_floor_is_a_tie_in_either_direction() {
        assert_eq!(
            verdict(estimate(1.04, 1.02, 1.06), Some(1.05)),
            Verdict::Tie
        );
        assert_eq!(
            verdict(estimate(0.96, 0.94, 0.98), Some(1.05)),
            Verdict::Tie
        );
    }

    #[test]
    fn a_difference_above_the_floor_has_a_direction() {
        assert_eq!(verdict(estimate(1.9, 1.8, 2.0), Some(1.05)), Verdict::More);
        assert_eq!(verdict(estimate(0.5, 0.4, 0.6), Some(1.05)), Verdict::Less);
    }

    #[test]
    fn without_an_interval_nothing_is_concluded() {
        let ratio = Estimate {
            value: 5.0,
            interval: None,
        };
        assert_eq!(verdict(ratio, Some(1.05)), Verdict::TooFew);
    }

    #[test]
    fn p_values_need_trials() {
        let family = |trials, tests| {
            let one = Comparison {
                model: "other",
                level: "1 client",
                metric: Metric::CpuUsPerRequest,
                trials,
                control_trials: trials,
                ratio: estimate(2.0, 1.9, 2.1),
                shift: 40.0,
                delta: 1.0,
                p: 0.1,
                p_holm: 0.1,
                verdict: Verdict::More,
            };
            out_of_reach(vec![one; tests].iter())
        };
        assert_eq!((family(3, 1), family(4, 1)), (1, 0));
        assert_eq!((family(6, 45), family(7, 45)), (45, 0));
    }
}
