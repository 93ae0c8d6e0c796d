//! The records of one level, and which of them count.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hola_lab::metric::Metric;
use hola_lab::plan::{Level, LoadPace, Role, Stage, Task};
use hola_lab::record::{Block, FULL_SHARE, Reading, Slice};

use super::values::{Values, cycles};
use super::{LevelKey, Missing};
use crate::statistics::BLOCKS_MIN;

/// A level and its readings.
#[derive(Debug)]
pub(super) struct LevelRecords<'r> {
    pub(super) stage: &'r Stage,
    pub(super) level: &'r Level,
    /// Blocks of its stage, in order.
    pub(super) blocks: Vec<&'r Block>,
    /// By participant: each block's index and reading.
    readings: HashMap<&'r str, Vec<(u32, &'r Reading)>>,
    /// By metric: all values without the machine's drift, once they have been computed.
    steady: Mutex<HashMap<Metric, Arc<SteadyValues<'r>>>>,
}

/// By participant: its values without the machine's drift.
type SteadyValues<'r> = HashMap<&'r str, Values>;

impl<'r> LevelRecords<'r> {
    /// Indexes the readings of a level.
    pub(super) fn new(
        at: LevelKey<'r>,
        stage: &'r Stage,
        level: &'r Level,
        blocks: &'r [Block],
    ) -> Self {
        let is_here =
            |block: &&Block| block.experiment == at.experiment && block.stage == stage.name;
        let mut blocks: Vec<&Block> = blocks.iter().filter(is_here).collect();
        blocks.sort_by_key(|block| block.index);
        let mut readings: HashMap<&str, Vec<(u32, &Reading)>> = HashMap::new();
        for block in &blocks {
            for reading in block.readings.iter().filter(|one| one.level == at.level) {
                let own = readings.entry(&reading.participant).or_default();
                own.push((block.index, reading));
            }
        }
        LevelRecords {
            stage,
            level,
            blocks,
            readings,
            steady: Mutex::default(),
        }
    }

    /// The values of all participants without the machine's drift, which `compute` computes at the first call.
    pub(super) fn steady(
        &self,
        metric: Metric,
        compute: impl FnOnce() -> SteadyValues<'r>,
    ) -> Arc<SteadyValues<'r>> {
        let mut all = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(metric);
        Arc::clone(own.or_insert_with(|| Arc::new(compute())))
    }

    /// Names of all participants, in the order of the plan.
    pub(super) fn participants(&self) -> impl Iterator<Item = &'r str> + use<'r> {
        self.level.participants.iter().map(String::as_str)
    }

    /// The role of a participant.
    pub(super) fn role(&self, participant: &str) -> Option<&'r Role> {
        self.stage.participant(participant).map(|one| &one.role)
    }

    /// A participant's reading in each block, with the block's index.
    pub(super) fn readings(&self, participant: &str) -> impl Iterator<Item = (u32, &'r Reading)> {
        let readings = self.readings.get(participant);
        readings.into_iter().flatten().copied()
    }

    /// A participant's values, without the blocks in which it has none.
    pub(super) fn values(&self, participant: &str, metric: Metric) -> Values {
        let readings = self.readings(participant);
        let values = readings.map(|(index, reading)| (index, cycles(reading, metric)));
        values.filter(|(_, cycles)| !cycles.is_empty()).collect()
    }

    fn slices(&self, participant: &str) -> impl Iterator<Item = &'r Slice> {
        self.readings(participant)
            .flat_map(|(_, reading)| &reading.slices)
    }

    /// Slices planned for each participant in the recorded blocks; 0 for a procedure.
    pub(super) fn planned_slices(&self) -> usize {
        match self.level.task {
            Task::Load(_) => self.level.cycles as usize * self.blocks.len(),
            Task::Procedure(_) => 0,
        }
    }

    /// Returns the reason if this participant's readings do not count for the metric.
    pub(super) fn check(&self, participant: &str, metric: Metric) -> Result<(), Missing> {
        let slices = || self.slices(participant);
        let (made, planned) = (slices().count(), self.planned_slices());
        let is_open = matches!(&self.level.task, Task::Load(load) if matches!(load.pace, LoadPace::Open { .. }));
        let is_full = |slice: &&Slice| slice.server_share() >= FULL_SHARE;
        if self.stage.has_no_cpu_apart() && needs_cpu_apart(metric) {
            return Err(Missing::SharedCpu);
        }
        if is_open && needs_spare_time(metric) && 2 * slices().filter(is_full).count() > made {
            return Err(Missing::MoreThanItCanDo);
        }
        let readings = || self.readings(participant).map(|(_, reading)| reading);
        let is_silent = match self.level.task {
            Task::Load(_) => 2 * made < planned,
            Task::Procedure(_) => {
                let with_figures = readings().filter(|one| !one.figures.is_empty());
                with_figures.count() < BLOCKS_MIN
            }
        };
        let failed = readings().find_map(|reading| reading.failed.clone());
        if let Some(reason) = failed.filter(|_| is_silent) {
            return Err(Missing::ServerFailed { reason });
        }
        if 2 * slices().filter(|slice| slice.counts()).count() < planned {
            let failed_checks = Missing::failed_checks(slices());
            return Err(failed_checks.unwrap_or(Missing::too_few(self.blocks.len())));
        }
        Ok(())
    }
}

/// Whether the metric has no value at a planned rate if the server's CPU was full: then its cost is not that of the
/// rate, and its clients wait until the slice ends.
fn needs_spare_time(metric: Metric) -> bool {
    metric.is_response_time()
        || matches!(metric, Metric::CpuPerRequest | Metric::SwitchesPerRequest)
}

/// Whether the metric has no value if the server shares its only CPU with the generator.
fn needs_cpu_apart(metric: Metric) -> bool {
    metric.is_response_time() || matches!(metric, Metric::GoodPerS | Metric::CapacityPerS)
}
