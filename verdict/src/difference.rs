//! Compares two runs, or two servers of one run.
//!
//! **Two runs share no cycle.** Within a run the drift of the machine cancels, because both sides of a ratio are from
//! the same cycle. Two runs are measured at different times. So the drift is estimated from the change that all
//! participants of a level have in common, and removed: within a run, block by block (`without_drift`); between the
//! runs, by the median over participants, which is reported once. The rest is the participant's own change.
//!
//! **A difference is reported** if Yuen's test on the blocks of both runs is significant after Holm's correction over
//! all cells, because the reader of a comparison looks at every cell at once.

mod servers;
mod warnings;

use std::collections::BTreeMap;
use std::f64::consts::FRAC_PI_2;

use hola_lab::experiments;
use hola_lab::metric::Metric;
use hola_lab::plan::Design;
use hola_lab::record::{Block, Run, StoredText};

use crate::analysis::{Analysis, LevelKey, Word};
use crate::claims::{CLAIMS, Verdict};
use crate::estimate::{Estimate, computed, shown};
use crate::statistics::{count, holm, mean, median, yuen};

/// Minimum number of participants of a level for the estimate of a common change.
const COMMON_CHANGE_MIN: usize = 4;

/// The comparison of two runs, or of two servers.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// Reasons not to trust the comparison, one sentence each.
    pub warnings: Vec<StoredText>,
    /// The common change of all participants of an experiment, for each metric.
    pub shared: Vec<ExperimentShift>,
    /// Every comparison, in the order of the base run.
    pub cells: Vec<MetricChange>,
    /// Claims whose verdicts changed.
    pub claims: Vec<ClaimChange>,
}

/// The common change of all participants of an experiment.
#[derive(Clone, Debug)]
pub struct ExperimentShift {
    /// Experiment.
    pub experiment: String,
    /// Metric.
    pub metric: Metric,
    /// Candidate over base, the median over participants and levels; a difference on the plain scale.
    pub ratio: f64,
}

/// One metric of one participant at one level, on both sides.
#[derive(Clone, Debug)]
pub struct MetricChange {
    /// Experiment.
    pub experiment: String,
    /// Level.
    pub level: String,
    /// Participant.
    pub participant: String,
    /// Metric.
    pub metric: Metric,
    /// Of the base.
    pub base: Estimate,
    /// Of the candidate.
    pub candidate: Estimate,
    /// The common change of all participants of the level, removed from `change`: a ratio, or a difference on the plain
    /// scale; `None` with too few participants.
    pub shared: Option<f64>,
    /// Candidate over base without the common change: a ratio, or a difference on the plain scale.
    pub change: Estimate,
    /// p-value of no change, after Holm's correction over all cells.
    pub p_holm: f64,
    /// The result, by that p-value.
    pub word: Word,
}

/// A claim with different verdicts in the two runs.
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
    /// Whether the claim holds in one run and fails in the other.
    pub fn is_reversed(&self) -> bool {
        matches!(
            (self.base, self.candidate),
            (Verdict::Holds, Verdict::Fails) | (Verdict::Fails, Verdict::Holds)
        )
    }
}

/// A run and its blocks.
#[derive(Clone, Copy, Debug)]
pub struct RecordedRun<'r> {
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

impl Selection {
    /// The experiments of a run that are selected.
    fn designs<'r>(&self, run: &'r Run) -> impl Iterator<Item = &'r Design> {
        let is_selected = |design: &&Design| {
            self.experiments.is_empty() || self.experiments.contains(&design.experiment)
        };
        run.designs.iter().filter(is_selected)
    }
}

impl Difference {
    /// Compares two runs.
    pub fn new(base: RecordedRun<'_>, candidate: RecordedRun<'_>, selection: &Selection) -> Self {
        let analyses = AnalysisPair {
            base: Analysis::new(base.run, base.blocks),
            candidate: Analysis::new(candidate.run, candidate.blocks),
        };
        let mut shared = Vec::new();
        let mut cells = Vec::new();
        for design in selection.designs(base.run) {
            let experiment = design.experiment.as_str();
            for metric in metrics(experiment, selection) {
                let levels = design.levels();
                let levels = levels.map(|(_, level)| LevelKey::new(experiment, &level.name));
                let found: Vec<MetricChange> =
                    levels.flat_map(|at| analyses.cells(at, metric)).collect();
                shared.extend(ExperimentShift::new(experiment, metric, &found));
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

    /// Number of cells with such a result.
    pub fn count(&self, is_such: impl Fn(Word) -> bool) -> usize {
        let those = self.cells.iter().filter(|cell| is_such(cell.word));
        those.count()
    }

    /// Number of cells in which the candidate is worse.
    pub fn count_worse(&self) -> usize {
        self.count(|word| word == Word::Worse)
    }

    /// Share of the cells that are better or worse, 0…1; `None` without cells.
    pub fn called_share(&self) -> Option<f64> {
        let called = self.count(|word| matches!(word, Word::Worse | Word::Better));
        (!self.cells.is_empty()).then(|| count(called) / count(self.cells.len()))
    }
}

/// Metrics to compare for an experiment: the selected ones; without a selection those that the experiment names, or all
/// if the experiment is no longer known.
fn metrics(experiment: &str, selection: &Selection) -> Vec<Metric> {
    let mut metrics = Metric::ALL.to_vec();
    if !selection.metrics.is_empty() {
        metrics.retain(|metric| selection.metrics.contains(metric));
    } else if let Some(known) = experiments::find(experiment) {
        metrics = known.metrics.to_vec();
    }
    metrics
}

impl ExperimentShift {
    /// The median over the cells from which a common change was removed.
    fn new(experiment: &str, metric: Metric, cells: &[MetricChange]) -> Option<Self> {
        let scale = metric.definition().scale;
        let moved = cells.iter().filter_map(|cell| cell.shared);
        let moved: Vec<f64> = moved.map(|shared| computed(shared, scale)).collect();
        Some(ExperimentShift {
            experiment: experiment.into(),
            metric,
            ratio: shown(median(&moved)?, scale),
        })
    }
}

/// One participant's values by block index, on the computation scale.
type ByBlock = BTreeMap<u32, f64>;

/// The analyses of the two runs.
struct AnalysisPair<'r> {
    base: Analysis<'r>,
    candidate: Analysis<'r>,
}

impl AnalysisPair<'_> {
    /// One cell for each participant of a level that has a value in both runs.
    fn cells(&self, at: LevelKey<'_>, metric: Metric) -> Vec<MetricChange> {
        let scale = metric.definition().scale;
        let values = |analysis: &Analysis<'_>, name: &str| -> Option<ByBlock> {
            let values = analysis.block_values(at, name, metric).ok()?;
            let on_scale = |(index, value)| (index, computed(value, scale));
            Some(values.into_iter().map(on_scale).collect())
        };
        let both = |name| {
            let values = [values(&self.base, name)?, values(&self.candidate, name)?];
            Some((name, values))
        };
        let names = self.base.participants(at).into_iter();
        let (names, pairs): (Vec<&str>, Vec<[ByBlock; 2]>) = names.filter_map(both).unzip();
        let shared = common_change(&pairs);
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
        let both = base.iter().zip(&candidate);
        let tests = both.clone().map(|(base, candidate)| yuen(candidate, base));
        let tests: Vec<_> = tests.collect();
        let shared_error = shared.map_or(0.0, |_| common_change_error(tests.iter().flatten()));
        let sizes = both.map(|(base, candidate)| base.len().min(candidate.len()));
        let change = |((name, test), blocks): ((&str, Option<_>), usize)| {
            let (difference, error, freedom): (f64, f64, f64) = test?;
            let own = difference - shared.unwrap_or(0.0);
            let error = error.hypot(shared_error);
            Some(MetricChange {
                experiment: at.experiment.into(),
                level: at.level.into(),
                participant: name.into(),
                metric,
                base: self.base.value(at, name, metric).ok()?,
                candidate: self.candidate.value(at, name, metric).ok()?,
                shared: shared.map(|shared| shown(shared, scale)),
                change: Estimate {
                    blocks: u32::try_from(blocks).unwrap_or(u32::MAX),
                    ..Estimate::from_mean(own, error, freedom, scale)
                },
                p_holm: 1.0,
                word: Word::Undecided { resolution: 0.0 },
            })
        };
        let found = names.into_iter().zip(tests).zip(sizes);
        found.filter_map(change).collect()
    }

    fn changed_claims(&self) -> Vec<ClaimChange> {
        let changes = CLAIMS.iter().map(|claim| ClaimChange {
            id: claim.id,
            base: (claim.decide)(&self.base).verdict,
            candidate: (claim.decide)(&self.candidate).verdict,
        });
        let changes = changes.filter(|change| change.base != change.candidate);
        changes.collect()
    }
}

/// The common change of all participants of a level from the first run to the second, on the computation scale: the
/// median over the participants. `None` with too few participants.
fn common_change(pairs: &[[ByBlock; 2]]) -> Option<f64> {
    let change = |[base, candidate]: &[ByBlock; 2]| Some(mean_of(candidate)? - mean_of(base)?);
    let moved: Vec<f64> = pairs.iter().filter_map(change).collect();
    (moved.len() >= COMMON_CHANGE_MIN).then(|| median(&moved))?
}

fn mean_of(values: &ByBlock) -> Option<f64> {
    mean(&values.values().copied().collect::<Vec<_>>())
}

/// Standard error of [`common_change`], from those of the participants: a median of normal values has π/2 times the
/// variance of their mean.
fn common_change_error<'t>(tests: impl Iterator<Item = &'t (f64, f64, f64)>) -> f64 {
    let squares: Vec<f64> = tests.map(|(_, error, _)| error.powi(2)).collect();
    let mean = mean(&squares).unwrap_or(0.0);
    (FRAC_PI_2 * mean / count(squares.len().max(1))).sqrt()
}

/// The values of each participant without the drift of the machine from block to block. The drift of a block is the
/// median deviation of the *other* participants from their own means. So a participant's own noise does not enter its
/// correction, and its mean does not change.
fn without_drift(participants: &[&ByBlock]) -> Vec<Vec<f64>> {
    let means = participants
        .iter()
        .map(|values| mean_of(values).unwrap_or(0.0));
    let means: Vec<f64> = means.collect();
    let drift_without = |own: usize, index: &u32| {
        let others = participants.iter().zip(&means).enumerate();
        let deviations: Vec<f64> = others
            .filter(|(other, _)| *other != own)
            .filter_map(|(_, (values, mean))| Some(values.get(index)? - mean))
            .collect();
        median(&deviations).unwrap_or(0.0)
    };
    let steady = |(own, values): (usize, &&ByBlock)| {
        let drift = values.keys().map(|index| drift_without(own, index));
        let drift: Vec<f64> = drift.collect();
        let middle = mean(&drift).unwrap_or(0.0);
        let steady = values.values().zip(drift);
        let steady = steady.map(|(value, drift)| value - (drift - middle));
        steady.collect()
    };
    participants.iter().enumerate().map(steady).collect()
}

/// Sets the result of every cell, with Holm's correction over all cells.
fn judge(cells: &mut [MetricChange]) {
    let p_value = |cell: &MetricChange| cell.change.p_value(cell.change.no_difference());
    let corrected = holm(&cells.iter().map(p_value).collect::<Vec<_>>());
    for (cell, p_holm) in cells.iter_mut().zip(corrected) {
        cell.p_holm = p_holm;
        cell.word = Word::with_p(&cell.change, cell.metric, p_holm);
    }
}
