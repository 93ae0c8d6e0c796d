//! What the trials of a run say, and how sure one can be of it.
//!
//! The unit of replication is one server process, that is one trial: every interval, test and effect size is over trials,
//! never over requests.
pub mod bootstrap;
pub mod cells;
pub mod comparison;
pub mod difference;
pub mod distribution;
pub mod metric;
pub mod mismatch;
pub mod rank;
pub mod sample;
pub mod standing;
pub mod winners;

use crate::lab::record::{Arm, Design, ModelCard, Run, Trial};

use cells::{Cell, SetAside};
use comparison::{Comparison, NoiseFloor};
use metric::Metric;

/// An experiment, analysed. The same records give the same analysis, bit for bit.
#[derive(Clone, Debug)]
pub struct Analysis<'a> {
    /// The plan.
    pub design: &'a Design,
    /// Figures compared, the one that headlines first; of the plan's, those that this version knows.
    pub metrics: Vec<Metric>,
    /// Seed of every bootstrap: the run's own.
    pub seed: u64,
    /// Cells, by level and then in the run's order of models.
    pub cells: Vec<Cell<'a>>,
    /// Trials that are not ranked, in the order they were made.
    pub aside: Vec<SetAside<'a>>,
    /// The A/A controls.
    pub floors: Vec<NoiseFloor<'a>>,
    /// Every model against the control.
    pub comparisons: Vec<Comparison<'a>>,
}

/// Analyses every experiment of a run; trials of an experiment that was not planned are in none of them.
pub fn of_run<'a>(run: &'a Run, trials: &'a [Trial]) -> Vec<Analysis<'a>> {
    let of = |design: &'a Design| {
        let of_it = trials
            .iter()
            .filter(|trial| trial.experiment == design.experiment);
        Analysis::new(design, &run.models, of_it, run.seed)
    };
    run.experiments.iter().map(of).collect()
}

impl<'a> Analysis<'a> {
    /// Analyses the trials of one experiment; those of others count as not planned.
    pub fn new(
        design: &'a Design,
        models: &'a [ModelCard],
        trials: impl IntoIterator<Item = &'a Trial>,
        seed: u64,
    ) -> Self {
        let metrics: Vec<Metric> = design
            .figures
            .iter()
            .filter_map(|name| Metric::named(name))
            .collect();
        let (cells, aside) = cells::sort(design, models, trials);
        let floors = comparison::noise_floors(&cells, &metrics, seed);
        let comparisons = comparison::compare(&cells, &design.control, &metrics, &floors, seed);
        Self {
            design,
            metrics,
            seed,
            cells,
            aside,
            floors,
            comparisons,
        }
    }

    /// The figure that headlines.
    pub fn lead(&self) -> Metric {
        self.metrics
            .first()
            .copied()
            .unwrap_or(Metric::CpuUsPerRequest)
    }

    /// The models' cells at a level, second copies not included.
    pub fn level(&self, name: &str) -> impl Iterator<Item = &Cell<'a>> {
        self.cells
            .iter()
            .filter(move |cell| cell.level == name && cell.arm == Arm::Model)
    }

    /// A model against the control; `None` for the control itself and where either has no valid trial.
    pub fn comparison(&self, model: &str, level: &str, metric: Metric) -> Option<&Comparison<'a>> {
        self.comparisons
            .iter()
            .find(|one| one.model == model && one.level == level && one.metric == metric)
    }

    /// Every comparison in one metric.
    pub fn comparisons_in(&self, metric: Metric) -> impl Iterator<Item = &Comparison<'a>> {
        self.comparisons
            .iter()
            .filter(move |one| one.metric == metric)
    }

    /// Noise floor of a level, as a factor above 1; `None` without an A/A control.
    pub fn floor(&self, level: &str, metric: Metric) -> Option<f64> {
        comparison::floor(&self.floors, level, metric)
    }

    /// Level that headlines in this metric are taken from: the last at which every model has a ranked trial; failing
    /// that, the one at which most models have, and the later of equals. `None` when no trial is ranked.
    pub fn headline(&self, metric: Metric) -> Option<&'a str> {
        let ranked = |level: &str| {
            self.level(level)
                .filter(|cell| !cell.observations(metric).is_empty())
                .count()
        };
        // The last of equal maxima is the one that is given.
        self.design
            .levels
            .iter()
            .map(|level| level.name.as_str())
            .filter(|level| ranked(level) > 0)
            .max_by_key(|level| ranked(level))
    }

    /// Fewest ranked trials of any cell that has one.
    pub fn fewest_trials(&self) -> Option<usize> {
        self.cells
            .iter()
            .map(Cell::ranked)
            .filter(|&trials| trials > 0)
            .min()
    }
}
