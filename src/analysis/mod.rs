//! What the trials of a run say, and how sure one can be of it.
//!
//! The unit of replication is one server process, that is one trial: every interval, test and effect size is over trials,
//! never over requests.
pub mod bootstrap;
pub mod cells;
pub mod comparison;
pub mod distribution;
pub mod metric;
pub mod rank;
pub mod sample;

use crate::lab::record::{Arm, Run, Trial};

use cells::{Cell, SetAside};
use comparison::{Comparison, NoiseFloor};
use metric::Metric;

/// A run, analysed. The same records give the same analysis, bit for bit.
#[derive(Clone, Debug)]
pub struct Analysis<'a> {
    /// Seed of every bootstrap: the run's own.
    pub seed: u64,
    /// Levels of the plan, ascending.
    pub levels: Vec<u32>,
    /// Cells, by level and then in the run's order of models.
    pub cells: Vec<Cell<'a>>,
    /// Trials that are not ranked, in the order they were made.
    pub aside: Vec<SetAside<'a>>,
    /// The A/A controls.
    pub floors: Vec<NoiseFloor<'a>>,
    /// Every model against the control.
    pub comparisons: Vec<Comparison<'a>>,
}

impl<'a> Analysis<'a> {
    /// Analyses the trials of a run.
    pub fn new(run: &'a Run, trials: &'a [Trial]) -> Self {
        let (cells, aside) = cells::sort(run, trials);
        let floors = comparison::noise_floors(&cells, run.seed);
        let comparisons = comparison::compare(&cells, &run.design.control, &floors, run.seed);
        let mut levels: Vec<u32> = cells.iter().map(|cell| cell.clients).collect();
        levels.dedup();
        Self {
            seed: run.seed,
            levels,
            cells,
            aside,
            floors,
            comparisons,
        }
    }

    /// The models' cells at a level, second copies not included.
    pub fn level(&self, clients: u32) -> impl Iterator<Item = &Cell<'a>> {
        self.cells
            .iter()
            .filter(move |cell| cell.clients == clients && cell.arm == Arm::Model)
    }

    /// A model against the control; `None` for the control itself and where either has no valid trial.
    pub fn comparison(&self, model: &str, clients: u32, metric: Metric) -> Option<&Comparison<'a>> {
        self.comparisons
            .iter()
            .find(|one| one.model == model && one.clients == clients && one.metric == metric)
    }

    /// Every comparison in one metric.
    pub fn comparisons_in(&self, metric: Metric) -> impl Iterator<Item = &Comparison<'a>> {
        self.comparisons
            .iter()
            .filter(move |one| one.metric == metric)
    }

    /// Noise floor of a level, as a factor above 1; `None` without an A/A control.
    pub fn floor(&self, clients: u32, metric: Metric) -> Option<f64> {
        comparison::floor(&self.floors, clients, metric)
    }

    /// Level that headlines in this metric are taken from: the largest at which every model has a ranked trial; failing
    /// that, the one at which most models have, and the larger of equals. `None` when no trial is ranked.
    pub fn headline(&self, metric: Metric) -> Option<u32> {
        let ranked = |level: u32| {
            self.level(level)
                .filter(|cell| !cell.observations(metric).is_empty())
                .count()
        };
        self.levels
            .iter()
            .copied()
            .filter(|&level| ranked(level) > 0)
            .max_by_key(|&level| (ranked(level), level))
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
