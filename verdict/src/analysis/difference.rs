//! Two runs side by side: what became worse, what better, what is the same.
//!
//! **Two runs share no round.** Within a run, the drift of the machine cancels from a ratio, because both models are
//! measured in every round. Two runs met different moments of it: each is resampled by itself, and the drift of both is
//! in the interval.
//!
//! **What all models share is told once.** If an experiment's cells move together, the machine or the code that all models
//! are made of has changed, and a cell is judged by what it moved beyond that: see [`shared`].
//!
//! **A difference is called one only if all agree**: its interval leaves out 1, it is beyond the noise floor of either run,
//! and the order of the values is too lopsided for chance, after Holm's correction, since whoever compares two runs looks
//! at every cell at once. Where trials are too few for any order to survive the correction, the first two decide; where
//! they are too few for any test, all of the interval has to be beyond the floor. `tests/diff.rs` holds the share of
//! false alarms below a twentieth.

mod pair;
pub mod shared;
mod verdict;

use crate::lab::record::{Design, Run, Trial};

use super::bootstrap::Estimate;
use super::metric::Metric;
use super::mismatch::{self, Mismatch};
use pair::{Measured, Pair};
use shared::Shared;

/// A run and its trials, as they were read.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// The run.
    pub run: &'a Run,
    /// Its trials.
    pub trials: &'a [Trial],
}

/// What is compared; an empty list means everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Experiments, by name.
    pub experiments: Vec<String>,
    /// Figures, by name.
    pub figures: Vec<String>,
}

/// One of the two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The run that is compared with.
    Base,
    /// The run that is judged.
    Candidate,
}

/// Two runs, compared. The same records give the same difference, bit for bit.
#[derive(Clone, Debug)]
pub struct Difference<'a> {
    /// The run that is compared with.
    pub base: &'a Run,
    /// The run that is judged.
    pub candidate: &'a Run,
    /// What speaks against comparing them.
    pub mismatches: Vec<Mismatch<'a>>,
    /// What the models of an experiment have in common, in every figure in which enough of them are compared.
    pub shared: Vec<Shared<'a>>,
    /// Every figure of every model at every level that both runs have ranked trials of.
    pub changes: Vec<Change<'a>>,
    /// What only one of them has ranked trials of.
    pub unmatched: Vec<Unmatched<'a>>,
}

/// One figure of one model at one level, in both runs.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// Experiment.
    pub experiment: &'a str,
    /// Level, by its name.
    pub level: &'a str,
    /// Model, by its name on the command line.
    pub model: &'a str,
    /// What is compared.
    pub metric: Metric,
    /// What the base shows.
    pub base: Shown,
    /// What the candidate shows.
    pub candidate: Shown,
    /// Candidate's median over the base's; `None` where the base's is zero and the candidate's is not.
    pub ratio: Option<Estimate>,
    /// What all models of the experiment have in common in this figure, as a factor: by that much the candidate's values
    /// are divided before they are judged. 1 where nothing is known to be shared.
    pub shared: f64,
    /// Cliff's delta from the base, −1…1, of what is not shared.
    pub delta: f64,
    /// Exact two-sided Mann–Whitney p-value of what is not shared, as if it were the only test.
    pub p: f64,
    /// The same after Holm's correction over all models and levels of the experiment in this metric.
    pub p_holm: f64,
    /// The larger noise floor of the two runs, as a factor above 1; `None` without an A/A control in either.
    pub floor: Option<f64>,
    /// What it comes to.
    pub verdict: Verdict,
}

/// A figure in one of the runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    /// Median over ranked trials.
    pub median: f64,
    /// Ranked trials that have the figure.
    pub trials: usize,
}

/// What a change comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing that could be told from noise.
    Same,
    /// The candidate is better.
    Better,
    /// The candidate is worse.
    Worse,
    /// Too few ranked trials in either run, so nothing is concluded.
    TooFew,
}

/// What only one run has ranked trials of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmatched<'a> {
    /// The run that has them.
    pub only: Side,
    /// Experiment.
    pub experiment: &'a str,
    /// Model and level; `None` for the whole experiment.
    pub cell: Option<(&'a str, &'a str)>,
    /// Figure; `None` for all of them.
    pub metric: Option<Metric>,
    /// Why the other run has none.
    pub why: Why,
}

/// Why a run has no ranked trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No trial was made: not planned, left out, or the run ended before.
    NotMade,
    /// Trials were made, and none of them may be ranked.
    NotRanked,
}

impl Unmatched<'_> {
    /// Whether the candidate tried what the base could do, and had not one trial to show for it.
    pub fn is_lost(&self) -> bool {
        self.only == Side::Base && self.metric.is_none() && self.why == Why::NotRanked
    }
}

impl Difference<'_> {
    /// Changes of one kind, farthest from equal first.
    pub fn of(&self, verdict: Verdict) -> Vec<&Change<'_>> {
        let is_of_it = |one: &&Change<'_>| one.verdict == verdict;
        let mut found: Vec<&Change<'_>> = self.changes.iter().filter(is_of_it).collect();
        found.sort_by(|a, b| b.factor().total_cmp(&a.factor()));
        found
    }

    /// How many changes come to a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let verdicts = self.changes.iter().map(|one| one.verdict);
        verdicts.filter(|one| *one == verdict).count()
    }

    /// Changes on which there is a verdict: all but those with too few trials.
    pub fn judged(&self) -> usize {
        self.changes.len() - self.count(Verdict::TooFew)
    }

    /// Share of the judged that are called different, 0…1; `None` when nothing is judged. Of two runs of one build on one
    /// machine it is the share of false alarms.
    pub fn different_share(&self) -> Option<f64> {
        let different = self.count(Verdict::Better) + self.count(Verdict::Worse);
        (self.judged() > 0).then(|| different as f64 / self.judged() as f64)
    }

    /// Whether anything became worse, all models together and a model that no longer has a ranked trial included.
    pub fn is_regression(&self) -> bool {
        let all_worse = |shared: &Shared<'_>| shared.verdict == Verdict::Worse;
        self.count(Verdict::Worse) > 0
            || self.shared.iter().any(all_worse)
            || self.unmatched.iter().any(Unmatched::is_lost)
    }
}

/// Compares a candidate with a base.
pub fn between<'a>(
    base: Recorded<'a>,
    candidate: Recorded<'a>,
    selection: &Selection,
) -> Difference<'a> {
    let is_asked = |one: &&Design| is_in(&selection.experiments, &one.experiment);
    let mut difference = Difference {
        base: base.run,
        candidate: candidate.run,
        mismatches: mismatch::of_runs(base.run, candidate.run),
        shared: Vec::new(),
        changes: Vec::new(),
        unmatched: Vec::new(),
    };
    for design in base.run.experiments.iter().filter(is_asked) {
        let Some(other) = design_of(candidate.run, &design.experiment) else {
            difference.miss_experiment(Side::Base, design);
            continue;
        };
        let metrics = metrics(design, other, selection);
        let pair = Pair {
            base: Measured::new(base, design, &metrics),
            candidate: Measured::new(candidate, other, &metrics),
            seed: base.run.seed,
        };
        difference
            .mismatches
            .extend(mismatch::of_designs(design, other));
        for &metric in &metrics {
            let (shared, changes) = pair.changes(metric);
            difference.shared.extend(shared);
            difference.changes.extend(changes);
        }
        difference.unmatched.extend(pair.unmatched(&metrics));
    }
    for design in candidate.run.experiments.iter().filter(is_asked) {
        if design_of(base.run, &design.experiment).is_none() {
            difference.miss_experiment(Side::Candidate, design);
        }
    }
    difference
}

impl<'a> Difference<'a> {
    fn miss_experiment(&mut self, only: Side, design: &'a Design) {
        self.unmatched.push(Unmatched {
            only,
            experiment: &design.experiment,
            cell: None,
            metric: None,
            why: Why::NotMade,
        });
    }
}

fn is_in(asked: &[String], name: &str) -> bool {
    asked.is_empty() || asked.iter().any(|one| one == name)
}

fn design_of<'a>(run: &'a Run, experiment: &str) -> Option<&'a Design> {
    let mut designs = run.experiments.iter();
    designs.find(|design| design.experiment == experiment)
}

/// The figures that either plan compares, in the base's order.
fn metrics(base: &Design, candidate: &Design, selection: &Selection) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for name in base.figures.iter().chain(&candidate.figures) {
        let asked = Metric::named(name).filter(|_| is_in(&selection.figures, name));
        metrics.extend(asked.filter(|metric| !metrics.contains(metric)));
    }
    metrics
}
