//! What the decider is told: figures by experiment, level, model and name, how much a model differs from itself, and
//! what is missing and why. It knows nothing of records, so that rules can be tried on figures whose truth is known.
//!
//! From an analysed run [`of_run`](super::of_run) makes it, cell by cell. Where failing is what an experiment measures (a server that serves nobody
//! behind a slow client, crashes, overload), those trials belong to it: nobody served is a rate of zero, not a hole.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::sample::Observation;

/// Everything that is known of a run's figures.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    seed: u64,
    plans: BTreeMap<String, Plan>,
    samples: BTreeMap<(Cell, String), Sample>,
    gaps: BTreeMap<(Cell, String), Gap>,
    skipped: BTreeMap<String, String>,
    floors: BTreeMap<(String, String, String), f64>,
}

/// What an experiment of the run set out to measure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Levels, in the order of what is varied.
    pub levels: Vec<String>,
    /// Models, by name.
    pub models: Vec<String>,
}

/// Where a figure was taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cell {
    /// Experiment.
    pub experiment: String,
    /// Level.
    pub level: String,
    /// Model.
    pub model: String,
}

impl Cell {
    /// The cell of that model at that level.
    pub fn new(experiment: &str, level: &str, model: &str) -> Self {
        Cell {
            experiment: experiment.into(),
            level: level.into(),
            model: model.into(),
        }
    }
}

/// A cell's figure in every ranked trial.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// One value for each trial, with its round.
    pub observations: Vec<Observation>,
    /// Whether the values are lower bounds: failures reach into a percentile, or the host ran out before the server.
    pub is_lower_bound: bool,
}

/// Why a figure is missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// The run does not include the experiment, the level or the model: its name.
    NotInRun(String),
    /// The model is not available on this system: its name and why.
    Skipped(String, String),
    /// The generator, and not the server, set the pace.
    GeneratorBound,
    /// No trial of the cell can be ranked: why.
    NoRankedTrial(String),
    /// Fewer ranked trials than a verdict needs.
    TooFewTrials {
        /// Ranked trials.
        trials: usize,
        /// Trials needed.
        needed: usize,
    },
    /// No other model has the figure there.
    NoOtherModel,
    /// What a figure is divided by is not above zero.
    NothingToDivideBy,
}

impl Evidence {
    /// No evidence yet; the seed is that of every bootstrap.
    pub fn new(seed: u64) -> Self {
        Evidence {
            seed,
            ..Evidence::default()
        }
    }

    /// Seed of every bootstrap.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Enters what an experiment set out to measure.
    pub fn plan(&mut self, experiment: &str, levels: &[&str], models: &[&str]) {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let plan = Plan {
            levels: owned(levels),
            models: owned(models),
        };
        self.plans.insert(experiment.into(), plan);
    }

    /// Enters a cell's figure in its ranked trials.
    pub fn observe(&mut self, cell: Cell, figure: &str, observations: Vec<Observation>) {
        let sample = self.samples.entry((cell, figure.into())).or_default();
        sample.observations = observations;
    }

    /// Enters that a cell's values of a figure are lower bounds.
    pub fn lower_bound(&mut self, cell: Cell, figure: &str) {
        let sample = self.samples.entry((cell, figure.into())).or_default();
        sample.is_lower_bound = true;
    }

    /// Enters why a cell has no figure.
    pub fn missing(&mut self, cell: Cell, figure: &str, gap: Gap) {
        self.gaps.insert((cell, figure.into()), gap);
    }

    /// Enters that a model is not available on this system, and why.
    pub fn skipped(&mut self, model: &str, why: &str) {
        self.skipped.insert(model.into(), why.into());
    }

    /// Enters how much a model differs from itself: a factor above 1. The highest of several counts.
    pub fn floor(&mut self, experiment: &str, level: &str, figure: &str, factor: f64) {
        let key = (experiment.into(), level.into(), figure.into());
        let floor = self.floors.entry(key).or_insert(1.0);
        *floor = floor.max(factor);
    }

    /// What an experiment set out to measure.
    ///
    /// # Errors
    /// [`Gap::NotInRun`] where it is not part of the run.
    pub fn plan_of(&self, experiment: &str) -> Result<&Plan, Gap> {
        let plan = self.plans.get(experiment);
        plan.ok_or_else(|| Gap::NotInRun(experiment.into()))
    }

    /// Why a model is not available on this system, where it is not.
    pub fn skipped_because(&self, model: &str) -> Option<&str> {
        self.skipped.get(model).map(String::as_str)
    }

    /// A cell's figure, in at least `needed` ranked trials.
    ///
    /// # Errors
    /// Why there is none.
    pub fn sample(&self, cell: &Cell, figure: &str, needed: usize) -> Result<&Sample, Gap> {
        if let Some(why) = self.skipped_because(&cell.model) {
            return Err(Gap::Skipped(cell.model.clone(), why.into()));
        }
        let plan = self.plan_of(&cell.experiment)?;
        for (name, planned) in [(&cell.level, &plan.levels), (&cell.model, &plan.models)] {
            if !planned.contains(name) {
                return Err(Gap::NotInRun(name.clone()));
            }
        }
        let key = (cell.clone(), figure.to_owned());
        if let Some(gap) = self.gaps.get(&key) {
            return Err(gap.clone());
        }
        let sample = self.samples.get(&key);
        let trials = sample.map_or(0, |sample| sample.observations.len());
        sample
            .filter(|_| trials >= needed)
            .ok_or(Gap::TooFewTrials { trials, needed })
    }

    /// How much a model differs from itself there, as a factor above 1; `None` without an A/A control.
    pub fn floor_of(&self, experiment: &str, level: &str, figure: &str) -> Option<f64> {
        let key = (experiment.into(), level.into(), figure.into());
        self.floors.get(&key).copied()
    }
}
