//! The estimates of one run, and the [`Word`] for each comparison.
//!
//! **A block is the unit.** Each block starts fresh servers, so the accidental properties of a server process (its
//! memory layout, its place in the caches) vary between blocks. Cycles within one block are not independent. A block's
//! value of a comparison is the pseudo-median over its cycles of ln(figure / the other participant's figure in the same
//! cycle). Both figures are from the same second, so disturbances of the machine cancel; those shorter than a cycle are
//! taken out of both before (`drift`). The interval is Student's over blocks.
//!
//! **Invalid data is left out, and the reason is reported.** Slices that failed a check do not count. A participant
//! with fewer than half of its planned slices, or a rate at which a server's CPU was full, gets a [`Missing`].

mod controls;
mod drift;
mod level;
mod missing;
mod precision;
mod values;
mod words;

use std::collections::{BTreeMap, HashMap};

use hola_lab::experiments;
use hola_lab::metric::{Metric, Scale, ValueSource};
use hola_lab::order;
use hola_lab::plan::{Load, LoadPace, Role, Task};
use hola_lab::record::{Block, Reading, Run};

pub use self::controls::{ControlResult, Controls};
use self::level::LevelRecords;
pub use self::missing::{EstimateResult, Missing};
pub use self::precision::precision_reached;
pub(crate) use self::values::over_blocks;
use self::values::{Values, enough, estimate, located};
pub use self::words::{Word, margin};
use crate::estimate::computed;
use crate::statistics::{BLOCKS_MIN, mean, median};

/// A level of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LevelKey<'a> {
    /// Experiment, by name.
    pub experiment: &'a str,
    /// Level, by name.
    pub level: &'a str,
}

impl<'a> LevelKey<'a> {
    /// The level of that name in that experiment.
    pub const fn new(experiment: &'a str, level: &'a str) -> Self {
        LevelKey { experiment, level }
    }
}

/// The headline level of every report: 2,000 new connections per second, which every model can serve.
pub const HEADLINE: LevelKey<'static> = LevelKey::new("equal-load", experiments::HEADLINE);

/// The same load for reference targets, with the same control.
pub const TARGETS: LevelKey<'static> = LevelKey::new("targets", experiments::TARGETS);

/// The estimates of one run.
#[derive(Debug)]
pub struct Analysis<'r> {
    run: &'r Run,
    /// By experiment, then by level.
    levels: HashMap<&'r str, HashMap<&'r str, LevelRecords<'r>>>,
}

impl<'r> Analysis<'r> {
    /// Indexes the records of a run.
    pub fn new(run: &'r Run, blocks: &'r [Block]) -> Self {
        let mut levels: HashMap<&str, HashMap<&str, LevelRecords<'_>>> = HashMap::new();
        for design in &run.designs {
            for (stage, level) in design.levels() {
                let at = LevelKey::new(&design.experiment, &level.name);
                let records = LevelRecords::new(at, stage, level, blocks);
                levels
                    .entry(at.experiment)
                    .or_default()
                    .insert(at.level, records);
            }
        }
        Analysis { run, levels }
    }

    /// The run.
    pub fn run(&self) -> &'r Run {
        self.run
    }

    /// A participant's measured value, in the metric's unit.
    pub fn value(&self, at: LevelKey<'_>, participant: &str, metric: Metric) -> EstimateResult {
        estimate(&self.values(at, participant, metric)?, metric)
    }

    /// One participant compared with another in the same blocks and cycles: a ratio, or a difference on the plain scale.
    pub fn ratio(
        &self,
        at: LevelKey<'_>,
        participant: &str,
        other: &str,
        metric: Metric,
    ) -> EstimateResult {
        estimate(&self.paired(at, participant, &[other], metric)?, metric)
    }

    /// One participant compared with the level's control. Both servers of the control are pooled: the mean of their
    /// values in each cycle. A control server is compared with the other one.
    pub fn to_control(
        &self,
        at: LevelKey<'_>,
        participant: &str,
        metric: Metric,
    ) -> EstimateResult {
        let control = self.control_without(at, participant);
        estimate(&self.paired(at, participant, &control, metric)?, metric)
    }

    /// The same for each block, by its index.
    pub fn to_control_by_block(
        &self,
        at: LevelKey<'_>,
        participant: &str,
        metric: Metric,
    ) -> Result<BTreeMap<u32, f64>, Missing> {
        let control = self.control_without(at, participant);
        let paired = self.paired(at, participant, &control, metric)?;
        Ok(located(&paired, metric))
    }

    /// One participant at the level `to` compared with itself at `from`, block by block.
    pub fn change(
        &self,
        participant: &str,
        metric: Metric,
        from: LevelKey<'_>,
        to: LevelKey<'_>,
    ) -> EstimateResult {
        let after = self.block_values(to, participant, metric)?;
        let before = self.block_values(from, participant, metric)?;
        let scale = metric.definition().scale;
        let difference = |before, after| computed(after, scale) - computed(before, scale);
        over_blocks(&before, &after, scale, difference)
    }

    /// Whether the run has that level.
    pub fn has(&self, at: LevelKey<'_>) -> bool {
        self.records(at).is_some()
    }

    /// Notes that a participant's procedures recorded under that name, the most frequent first.
    pub fn notes(&self, at: LevelKey<'_>, participant: &str, name: &str) -> Vec<&'r str> {
        let Some(records) = self.records(at) else {
            return Vec::new();
        };
        let readings = records.readings(participant);
        let notes = readings.filter_map(|(_, reading)| reading.notes.get(name));
        by_frequency(notes.map(String::as_str))
    }

    /// Names of all participants of a level, in the order of the plan.
    pub fn participants(&self, at: LevelKey<'_>) -> Vec<&'r str> {
        let names = self.records(at).map(LevelRecords::participants);
        names.into_iter().flatten().collect()
    }

    /// Names of the participants that are compared with the level's control.
    pub fn compared(&self, at: LevelKey<'_>) -> Vec<&'r str> {
        let Some(records) = self.records(at) else {
            return Vec::new();
        };
        let is_compared = |name: &&str| {
            *name != records.level.control && records.role(name) == Some(&Role::Compared)
        };
        records.participants().filter(is_compared).collect()
    }

    /// Median over the models of the half-width of the comparison with the control: for CPU per request at the
    /// [`HEADLINE`].
    pub fn resolution(&self) -> Option<f64> {
        let to_control = |name| {
            let found = self.to_control(HEADLINE, name, Metric::CpuPerRequest);
            found.ok()
        };
        let compared = self.compared(HEADLINE).into_iter().filter_map(to_control);
        median(&compared.map(|one| one.half_width()).collect::<Vec<_>>())
    }

    /// A value for each block, in the metric's unit.
    pub(crate) fn block_values(
        &self,
        at: LevelKey<'_>,
        participant: &str,
        metric: Metric,
    ) -> Result<BTreeMap<u32, f64>, Missing> {
        Ok(located(&self.values(at, participant, metric)?, metric))
    }

    /// A comparison with another participant for each block: a ratio, or a difference on the plain scale.
    pub(crate) fn block_ratios(
        &self,
        at: LevelKey<'_>,
        participant: &str,
        other: &str,
        metric: Metric,
    ) -> Result<BTreeMap<u32, f64>, Missing> {
        let paired = self.paired(at, participant, &[other], metric)?;
        Ok(located(&paired, metric))
    }

    /// Right answers as a share of the planned requests of each block, 0…1; only for open loops. A server that answers
    /// no request has a share of 0, but no rate that could be compared as a ratio.
    pub(crate) fn served_by_block(
        &self,
        at: LevelKey<'_>,
        participant: &str,
    ) -> Result<BTreeMap<u32, f64>, Missing> {
        let records = self.checked(at, participant, Metric::GoodPerS)?;
        let Task::Load(Load {
            pace: LoadPace::Open { rate_per_s, .. },
            ..
        }) = &records.level.task
        else {
            return Err(Missing::NoValue(Metric::GoodPerS));
        };
        let share = |reading: &Reading| {
            let (good, window_us) = reading.counted().fold((0, 0), |sum, slice| {
                (sum.0 + slice.answered, sum.1 + slice.window_us)
            });
            (window_us > 0).then(|| good as f64 * 1e6 / (rate_per_s * window_us as f64))
        };
        let readings = records.readings(participant);
        let shares = readings.filter_map(|(index, reading)| Some((index, share(reading)?)));
        let shares: BTreeMap<u32, f64> = shares.collect();
        enough(shares.len()).map(|()| shares)
    }

    fn records(&self, at: LevelKey<'_>) -> Option<&LevelRecords<'r>> {
        self.levels.get(at.experiment)?.get(at.level)
    }

    /// All servers of the level's control, except the participant itself.
    fn control_without(&self, at: LevelKey<'_>, participant: &str) -> Vec<&'r str> {
        let Some(records) = self.records(at) else {
            return Vec::new();
        };
        let control = &records.level.control;
        let is_control = |one: &&str| {
            *one == control
                || matches!(records.role(one), Some(Role::Again(other)) if other == control)
        };
        let names = records.participants().filter(is_control);
        names.filter(|one| *one != participant).collect()
    }

    /// The records of a level, if the participant's readings there count for the metric.
    fn checked(
        &self,
        at: LevelKey<'_>,
        participant: &str,
        metric: Metric,
    ) -> Result<&LevelRecords<'r>, Missing> {
        let records = self.records(at);
        let records = records.filter(|one| one.participants().any(|name| name == participant));
        let records = records.ok_or_else(|| Missing::left_out(self.run, at, participant))?;
        records.check(participant, metric).map(|()| records)
    }

    /// A participant's values at a level, from at least [`BLOCKS_MIN`] blocks.
    fn values(
        &self,
        at: LevelKey<'_>,
        participant: &str,
        metric: Metric,
    ) -> Result<Values, Missing> {
        let records = self.checked(at, participant, metric)?;
        let values = records.values(participant, metric);
        let found: usize = values.values().map(BTreeMap::len).sum();
        let is_rare = matches!(metric.definition().from, ValueSource::Slice(_))
            && 2 * found < records.planned_slices();
        if values.len() >= BLOCKS_MIN && !is_rare {
            Ok(values)
        } else if records.blocks.len() >= BLOCKS_MIN {
            Err(Missing::NoValue(metric))
        } else {
            Err(Missing::too_few(records.blocks.len()))
        }
    }

    /// A participant's values without the machine's drift, to be compared with those of others. Only with enough
    /// participants, and for a ratio that each slice has: otherwise the values as they are.
    fn steady_values(
        &self,
        at: LevelKey<'_>,
        participant: &str,
        metric: Metric,
    ) -> Result<Values, Missing> {
        let values = self.values(at, participant, metric)?;
        let definition = metric.definition();
        let is_of_slices = matches!(definition.from, ValueSource::Slice(_));
        let records = self.records(at).filter(|records| {
            let participants = records.participants().count();
            is_of_slices
                && definition.scale == Scale::Ratio
                && participants >= drift::PARTICIPANTS_MIN
        });
        let steady = records.and_then(|records| {
            let all = records.steady(metric, || self.without_drift(at, records, metric));
            all.get(participant).cloned()
        });
        Ok(steady.unwrap_or(values))
    }

    /// The values of all participants of a level without the machine's drift.
    fn without_drift(
        &self,
        at: LevelKey<'_>,
        records: &LevelRecords<'r>,
        metric: Metric,
    ) -> HashMap<&'r str, Values> {
        let names: Vec<&str> = records.participants().collect();
        let values = names.iter().map(|name| records.values(name, metric));
        let values: Vec<Values> = values.collect();
        let steady = drift::without_drift(&values, |index| {
            let (stage, level) = (records.stage, records.level);
            order::orders(self.run.seed, at.experiment, stage, level, index)
        });
        names.into_iter().zip(steady).collect()
    }

    /// A participant's values minus the mean of the others' values in the same block and cycle.
    fn paired(
        &self,
        at: LevelKey<'_>,
        participant: &str,
        others: &[&str],
        metric: Metric,
    ) -> Result<Values, Missing> {
        let mut values = self.steady_values(at, participant, metric)?;
        let mut arms = Vec::new();
        let mut why = None;
        for other in others {
            match self.steady_values(at, other, metric) {
                Ok(values) => arms.push(values),
                Err(missing) => why = Some(Missing::from_other(other, missing)),
            }
        }
        if arms.is_empty() {
            return Err(why.unwrap_or(Missing::NotInRun));
        }
        for (index, cycles) in &mut values {
            let difference = |(cycle, own): (&u32, &f64)| {
                let arm = |arm: &Values| Some(*arm.get(index)?.get(cycle)?);
                let others: Vec<f64> = arms.iter().filter_map(arm).collect();
                Some((*cycle, own - mean(&others)?))
            };
            *cycles = cycles.iter().filter_map(difference).collect();
        }
        values.retain(|_, cycles| !cycles.is_empty());
        enough(values.len()).map(|()| values)
    }
}

/// Each value once, the most frequent first.
fn by_frequency<T: Copy + Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let mut counts: Vec<(T, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.into_iter().map(|(value, _)| value).collect()
}
