//! Two runs compared.

use hola_lab::metric::Metric;
use hola_lab::record::{Block, Run, StoredText};

use crate::claims::Verdict;
use crate::estimate::Estimate;

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
    /// Candidate over base, the median over participants and levels.
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
    /// What all participants of the level did together, taken out of `change`: a ratio, or a difference on the plain scale.
    pub shared: f64,
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
    pub fn new(_base: Recorded<'_>, _candidate: Recorded<'_>, _selection: &Selection) -> Self {
        Difference::default()
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
