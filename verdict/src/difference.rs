//! Two runs compared.
//!
//! **Two runs share no second.** Within a run the drift of the machine cancels, because both sides of a ratio are from the
//! same cycle. Two runs met different moments of it, so the drift is taken out by what all participants of a level do
//! together: within a run, block by block (`without_drift`); between the runs, by the median over participants, which is
//! told once. What is left of a participant is its own.
//!
//! **A difference is called one** if Yuen's test on the blocks of both runs says so after Holm's correction over all cells:
//! whoever compares two runs looks at every cell at once.

mod warnings;

use std::collections::BTreeMap;
use std::f64::consts::FRAC_PI_2;

use hola_lab::experiments;
use hola_lab::metric::Metric;
use hola_lab::record::{Block, Run, StoredText};

use crate::analysis::{Analysis, At, Word};
use crate::claims::{CLAIMS, Verdict};
use crate::estimate::{Estimate, computed, shown};
use crate::statistics::{count, holm, mean, median, yuen};

/// Fewest participants of a level that can be said to have done something together.
const TOGETHER_MIN: usize = 4;

/// Two runs compared.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// What speaks against comparing them, a sentence each.
    pub warnings: Vec<StoredText>,
    /// What all participants of an experiment did together, for each metric.
    pub shared: Vec<Shared>,
    /// Every comparison, in the order of the base run.
    pub cells: Vec<Cell>,
    /// Claims whose verdicts changed.
    pub claims: Vec<ClaimChange>,
}

/// What all participants of an experiment did together.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Experiment.
    pub experiment: String,
    /// Metric.
    pub metric: Metric,
    /// Candidate over base, the median over participants and levels; a difference on the plain scale.
    pub ratio: f64,
}

/// One metric of one participant at one place, in both runs.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Experiment.
    pub experiment: String,
    /// Level.
    pub level: String,
    /// Participant.
    pub participant: String,
    /// Metric.
    pub metric: Metric,
    /// In the base run.
    pub base: Estimate,
    /// In the candidate run.
    pub candidate: Estimate,
    /// What all participants of the level did together, taken out of `change`: a ratio, or a difference on the plain scale;
    /// `None` where they are too few to tell.
    pub shared: Option<f64>,
    /// Candidate over base beyond that: a ratio, or a difference on the plain scale.
    pub change: Estimate,
    /// p-value of no change, by Holm's correction over all cells.
    pub p_holm: f64,
    /// What it comes to.
    pub verdict: ChangeVerdict,
}

/// What became of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeVerdict {
    /// The candidate is worse.
    Worse,
    /// The candidate is better.
    Better,
    /// The whole interval lies inside the metric's margin.
    Same,
    /// Neither can be said.
    Undecided,
}

/// A claim whose verdict is another in the candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimChange {
    /// The claim.
    pub id: &'static str,
    /// Verdict of the base run.
    pub base: Verdict,
    /// Verdict of the candidate.
    pub candidate: Verdict,
}

impl ClaimChange {
    /// Whether one run says that it holds and the other that it fails.
    pub fn is_reversed(&self) -> bool {
        matches!(
            (self.base, self.candidate),
            (Verdict::Holds, Verdict::Fails) | (Verdict::Fails, Verdict::Holds)
        )
    }
}

/// A run and its blocks.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'r> {
    /// The run.
    pub run: &'r Run,
    /// Its blocks.
    pub blocks: &'r [Block],
}

/// What is compared; an empty list means everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Experiments, by name.
    pub experiments: Vec<String>,
    /// Metrics.
    pub metrics: Vec<Metric>,
}

impl Difference {
    /// Compares two runs.
    pub fn new(base: Recorded<'_>, candidate: Recorded<'_>, selection: &Selection) -> Self {
        let analyses = Both {
            base: Analysis::new(base.run, base.blocks),
            candidate: Analysis::new(candidate.run, candidate.blocks),
        };
        let mut shared = Vec::new();
        let mut cells = Vec::new();
        for design in &base.run.designs {
            let experiment = design.experiment.as_str();
            let has_experiment = |name: &String| name == experiment;
            if !selection.experiments.is_empty()
                && !selection.experiments.iter().any(has_experiment)
            {
                continue;
            }
            for metric in metrics(experiment, selection) {
                let levels = design.levels().map(|(_, level)| At {
                    experiment,
                    level: &level.name,
                });
                let found: Vec<Cell> = levels.flat_map(|at| analyses.cells(at, metric)).collect();
                shared.extend(Shared::new(experiment, metric, &found));
                cells.extend(found);
            }
        }
        judge(&mut cells);
        Difference {
            warnings: warnings::warnings(base.run, candidate.run),
            shared,
            cells,
            claims: analyses.changed_claims(),
        }
    }

    /// Cells of that verdict.
    pub fn count(&self, verdict: ChangeVerdict) -> usize {
        self.cells
            .iter()
            .filter(|cell| cell.verdict == verdict)
            .count()
    }

    /// Share of the cells that are called better or worse, 0…1; `None` without any.
    #[allow(
        clippy::cast_precision_loss,
        reason = "counts of cells stay far below 2^53"
    )]
    pub fn called_share(&self) -> Option<f64> {
        let called = self.count(ChangeVerdict::Worse) + self.count(ChangeVerdict::Better);
        (!self.cells.is_empty()).then(|| called as f64 / self.cells.len() as f64)
    }
}

/// Metrics that are compared of an experiment: those it names itself, or all of an experiment that is not known any more.
fn metrics(experiment: &str, selection: &Selection) -> Vec<Metric> {
    let own = experiments::find(experiment).map_or(Metric::ALL, |found| found.metrics);
    let is_wanted =
        |metric: &Metric| selection.metrics.is_empty() || selection.metrics.contains(metric);
    let asked = match selection.metrics.is_empty() {
        true => own,
        false => Metric::ALL,
    };
    asked.iter().copied().filter(is_wanted).collect()
}

impl Shared {
    /// The median over the cells of an experiment in which something was taken out.
    fn new(experiment: &str, metric: Metric, cells: &[Cell]) -> Option<Self> {
        let scale = metric.definition().scale;
        let moved: Vec<f64> = cells
            .iter()
            .filter_map(|cell| cell.shared)
            .map(|shared| computed(shared, scale))
            .collect();
        Some(Shared {
            experiment: experiment.into(),
            metric,
            ratio: shown(median(&moved)?, scale),
        })
    }
}

/// Values of one participant's blocks, on the scale as it is computed, by the index of the block.
type ByBlock = BTreeMap<u32, f64>;

/// The two runs, analysed.
struct Both<'r> {
    base: Analysis<'r>,
    candidate: Analysis<'r>,
}

impl Both<'_> {
    /// Every participant of a level that both runs have a value of.
    fn cells(&self, at: At<'_>, metric: Metric) -> Vec<Cell> {
        let scale = metric.definition().scale;
        let values = |analysis: &Analysis<'_>, name: &str| -> Option<ByBlock> {
            let values = analysis.block_values(at, name, metric).ok()?;
            let on_scale = |(index, value)| (index, computed(value, scale));
            Some(values.into_iter().map(on_scale).collect())
        };
        let names = self.base.participants(at).into_iter();
        let (names, pairs): (Vec<&str>, Vec<[ByBlock; 2]>) = names
            .filter_map(|name| {
                Some((
                    name,
                    [values(&self.base, name)?, values(&self.candidate, name)?],
                ))
            })
            .unzip();
        let shared = together(&pairs);
        let [base, candidate] = [0, 1].map(|side| {
            let values: Vec<&ByBlock> = pairs.iter().map(|pair| &pair[side]).collect();
            match shared {
                Some(_) => without_drift(&values),
                None => values
                    .into_iter()
                    .map(|values| values.values().copied().collect())
                    .collect(),
            }
        });
        let tests: Vec<_> = base
            .iter()
            .zip(&candidate)
            .map(|(base, candidate)| yuen(candidate, base))
            .collect();
        let shared_error = shared.map_or(0.0, |_| error_of_together(tests.iter().flatten()));
        let sizes = base.iter().zip(&candidate);
        let sizes = sizes.map(|(base, candidate)| base.len().min(candidate.len()));
        let found = names.into_iter().zip(tests).zip(sizes);
        found
            .filter_map(|((name, test), blocks)| {
                let (difference, error, freedom) = test?;
                let own = difference - shared.unwrap_or(0.0);
                let error = error.hypot(shared_error);
                Some(Cell {
                    experiment: at.experiment.into(),
                    level: at.level.into(),
                    participant: name.into(),
                    metric,
                    base: self.base.value(at, name, metric)?,
                    candidate: self.candidate.value(at, name, metric)?,
                    shared: shared.map(|shared| shown(shared, scale)),
                    change: Estimate {
                        blocks: u32::try_from(blocks).unwrap_or(u32::MAX),
                        ..Estimate::from_mean(own, error, freedom, scale)
                    },
                    p_holm: 1.0,
                    verdict: ChangeVerdict::Undecided,
                })
            })
            .collect()
    }

    fn changed_claims(&self) -> Vec<ClaimChange> {
        let changes = CLAIMS.iter().map(|claim| ClaimChange {
            id: claim.id,
            base: (claim.decide)(&self.base).verdict,
            candidate: (claim.decide)(&self.candidate).verdict,
        });
        changes
            .filter(|change| change.base != change.candidate)
            .collect()
    }
}

/// What all participants of a level did together from the first run to the second, on the scale as it is computed: the median
/// over them. `None` where they are too few to tell.
fn together(pairs: &[[ByBlock; 2]]) -> Option<f64> {
    let mean_of = |values: &ByBlock| mean(&values.values().copied().collect::<Vec<_>>());
    let moved: Vec<f64> = pairs
        .iter()
        .filter_map(|[base, candidate]| Some(mean_of(candidate)? - mean_of(base)?))
        .collect();
    (moved.len() >= TOGETHER_MIN).then(|| median(&moved))?
}

/// Standard error of [`together`], from the participants' own: a median of normal values has a variance of π/2 of their mean's.
fn error_of_together<'t>(tests: impl Iterator<Item = &'t (f64, f64, f64)>) -> f64 {
    let squares: Vec<f64> = tests.map(|(_, error, _)| error.powi(2)).collect();
    let mean = mean(&squares).unwrap_or(0.0);
    (FRAC_PI_2 * mean / count(squares.len().max(1))).sqrt()
}

/// The values of each participant without the drift of the machine from block to block: in each block, what the *other*
/// participants are above their own means, the median over them, is taken off. A participant's own noise has no part in what
/// is taken off it, and its mean stays as it is.
fn without_drift(participants: &[&ByBlock]) -> Vec<Vec<f64>> {
    let centred: Vec<ByBlock> = participants
        .iter()
        .map(|values| {
            let own: Vec<f64> = values.values().copied().collect();
            let middle = mean(&own).unwrap_or(0.0);
            values
                .iter()
                .map(|(index, value)| (*index, value - middle))
                .collect()
        })
        .collect();
    let others = |own: usize, index: u32| {
        let others = centred
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != own);
        let there: Vec<f64> = others
            .filter_map(|(_, values)| values.get(&index).copied())
            .collect();
        median(&there).unwrap_or(0.0)
    };
    participants
        .iter()
        .enumerate()
        .map(|(own, values)| {
            let drift: Vec<f64> = values.keys().map(|index| others(own, *index)).collect();
            let middle = mean(&drift).unwrap_or(0.0);
            let steady = values.values().zip(drift);
            steady
                .map(|(value, drift)| value - (drift - middle))
                .collect()
        })
        .collect()
}

/// Gives every cell its verdict, by Holm's correction over all of them.
fn judge(cells: &mut [Cell]) {
    let p_value = |cell: &Cell| cell.change.p_value(cell.change.no_difference());
    let corrected = holm(&cells.iter().map(p_value).collect::<Vec<_>>());
    for (cell, p_holm) in cells.iter_mut().zip(corrected) {
        cell.p_holm = p_holm;
        cell.verdict = match Word::with_p(&cell.change, cell.metric, p_holm) {
            Word::Better => ChangeVerdict::Better,
            Word::Worse => ChangeVerdict::Worse,
            Word::Same { .. } => ChangeVerdict::Same,
            Word::Undecided { .. } => ChangeVerdict::Undecided,
        };
    }
}
