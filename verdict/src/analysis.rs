//! The estimates of one run, and the [`Word`] for each comparison.
//!
//! **A block is the unit.** Each block starts fresh servers, so the accidental properties of a server process (its
//! memory layout, its place in the caches) vary between blocks. Cycles within one block are not independent. A block's
//! value of a comparison is the pseudo-median over its cycles of ln(figure / the other participant's figure in the same
//! cycle). Both figures are from the same second, so disturbances of the machine cancel. The interval is Student's over
//! blocks.
//!
//! **Invalid data is left out, and the reason is reported.** Slices that failed a check do not count. A participant
//! with fewer than half of its planned slices, or a rate at which a server's CPU was full, gets a [`Missing`].

mod controls;
mod missing;
mod words;

use std::collections::{BTreeMap, HashMap};

use hola_lab::experiments;
use hola_lab::metric::{Metric, Scale, ValueSource};
use hola_lab::plan::{Design, Level, Load, LoadPace, Role, Stage, Task};
use hola_lab::record::{Block, FULL_SHARE, Reading, Run};

pub use self::controls::{Controls, PlantedDifference, SelfComparison};
pub use self::missing::Missing;
pub use self::words::{Word, margin};
use crate::estimate::{Estimate, computed, shown};
use crate::statistics::{BLOCKS_MIN, count, mean, median, pseudo_median};

/// A level of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At<'a> {
    /// Experiment, by name.
    pub experiment: &'a str,
    /// Level, by name.
    pub level: &'a str,
}

/// The headline level of every report: 2,000 new connections per second, which every model can serve.
pub const HEADLINE: At<'static> = At {
    experiment: "equal-load",
    level: experiments::HEADLINE,
};

/// The same load for reference targets, with the same control.
pub const TARGETS: At<'static> = At {
    experiment: "equal-load",
    level: experiments::TARGETS,
};

/// The estimates of one run.
#[derive(Debug)]
pub struct Analysis<'r> {
    run: &'r Run,
    blocks: &'r [Block],
    /// By experiment, then by level.
    places: HashMap<&'r str, HashMap<&'r str, Place<'r>>>,
}

/// A level and its readings.
#[derive(Debug)]
struct Place<'r> {
    stage: &'r Stage,
    level: &'r Level,
    blocks: Vec<&'r Block>,
    /// By participant: each block's index and reading.
    readings: HashMap<&'r str, Vec<(u32, &'r Reading)>>,
}

/// One participant's values at a level, by block and by cycle, on the computation scale.
type Values = BTreeMap<u32, BTreeMap<u32, f64>>;

impl<'r> Analysis<'r> {
    /// Indexes the records of a run.
    pub fn new(run: &'r Run, blocks: &'r [Block]) -> Self {
        let mut places: HashMap<&str, HashMap<&str, Place<'_>>> = HashMap::new();
        for design in &run.designs {
            for (stage, level) in design.levels() {
                let at = At {
                    experiment: &design.experiment,
                    level: &level.name,
                };
                let levels = places.entry(at.experiment).or_default();
                levels.insert(at.level, Place::new(at, stage, level, blocks));
            }
        }
        Analysis {
            run,
            blocks,
            places,
        }
    }

    /// The run.
    pub fn run(&self) -> &'r Run {
        self.run
    }

    /// Its blocks.
    pub fn blocks(&self) -> &'r [Block] {
        self.blocks
    }

    /// A participant's measured value, in the metric's unit.
    pub fn value(&self, at: At<'_>, participant: &str, metric: Metric) -> Option<Estimate> {
        estimate(&self.values(at, participant, metric).ok()?, metric)
    }

    /// One participant compared with another in the same blocks and cycles: a ratio, or a difference on the plain scale.
    pub fn ratio(
        &self,
        at: At<'_>,
        participant: &str,
        other: &str,
        metric: Metric,
    ) -> Option<Estimate> {
        self.compare(at, participant, other, metric).ok()
    }

    /// Like [`Analysis::ratio`], but returns the reason if there is no estimate.
    pub(crate) fn compare(
        &self,
        at: At<'_>,
        participant: &str,
        other: &str,
        metric: Metric,
    ) -> Result<Estimate, Missing> {
        let paired = self.paired(at, participant, &[other], metric)?;
        estimate(&paired, metric).ok_or(Missing::too_few(paired.len()))
    }

    /// One participant compared with the level's control. Both servers of the control are pooled: the mean of their
    /// values in each cycle. A control server is compared with the other one.
    pub fn to_control(&self, at: At<'_>, participant: &str, metric: Metric) -> Option<Estimate> {
        let control = self.control_without(at, participant);
        estimate(
            &self.paired(at, participant, &control, metric).ok()?,
            metric,
        )
    }

    /// One participant at the level `to` compared with itself at `from`, block by block.
    pub fn change(
        &self,
        participant: &str,
        metric: Metric,
        from: At<'_>,
        to: At<'_>,
    ) -> Option<Estimate> {
        let before = self.block_values(from, participant, metric).ok()?;
        let after = self.block_values(to, participant, metric).ok()?;
        let scale = metric.definition().scale;
        let difference = |before, after| computed(after, scale) - computed(before, scale);
        over_blocks(&before, &after, scale, difference).ok()
    }

    /// Whether the run has that level.
    pub fn has(&self, at: At<'_>) -> bool {
        self.place(at).is_some()
    }

    /// Right answers as a share of the planned requests, 0…1; only for open loops. A server that answers no request has
    /// a share of 0, but no rate that could be compared as a ratio.
    pub fn served_share(&self, at: At<'_>, participant: &str) -> Option<Estimate> {
        let shares: Vec<f64> = self
            .served_by_block(at, participant)
            .ok()?
            .into_values()
            .collect();
        Estimate::from_blocks(&shares, Scale::Plain)
    }

    /// Notes that a participant's procedures recorded under that name, the most frequent first.
    pub fn notes(&self, at: At<'_>, participant: &str, name: &str) -> Vec<&'r str> {
        let Some(place) = self.place(at) else {
            return Vec::new();
        };
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, reading) in place.readings(participant) {
            if let Some(note) = reading.notes.get(name) {
                *counts.entry(note).or_default() += 1;
            }
        }
        let mut notes: Vec<_> = counts.into_iter().collect();
        notes.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        notes.into_iter().map(|(note, _)| note).collect()
    }

    /// Names of all participants of a level, in the order of the plan.
    pub fn participants(&self, at: At<'_>) -> Vec<&'r str> {
        self.place(at).map_or_else(Vec::new, |place| {
            let names = place.level.participants.iter();
            names.map(String::as_str).collect()
        })
    }

    /// Names of the participants that are compared with the level's control.
    pub fn compared(&self, at: At<'_>) -> Vec<&'r str> {
        let mut names = self.participants(at);
        names.retain(|name| {
            self.place(at).is_some_and(|place| {
                let role = place.stage.participant(name).map(|one| &one.role);
                *name != place.level.control && role == Some(&Role::Compared)
            })
        });
        names
    }

    /// Why there is no estimate. Meaningless if there is one.
    pub fn missing(&self, at: At<'_>, participant: &str, metric: Metric) -> Missing {
        let control = self.control_without(at, participant);
        match self.values(at, participant, metric) {
            Err(missing) => missing,
            Ok(_) => match self.paired(at, participant, &control, metric) {
                Err(missing) => missing,
                Ok(paired) => Missing::too_few(paired.len()),
            },
        }
    }

    /// Median over a level's participants of the half-width of the comparison with the control.
    pub fn resolution_at(&self, at: At<'_>, metric: Metric) -> Option<f64> {
        let half_width = |name: &str| Some(self.to_control(at, name, metric)?.half_width());
        let compared = self.compared(at);
        median(
            &compared
                .into_iter()
                .filter_map(half_width)
                .collect::<Vec<_>>(),
        )
    }

    /// The same for CPU per request at the [`HEADLINE`].
    pub fn resolution(&self) -> Option<f64> {
        self.resolution_at(HEADLINE, Metric::CpuPerRequest)
    }

    /// A value for each block, in the metric's unit.
    pub(crate) fn block_values(
        &self,
        at: At<'_>,
        participant: &str,
        metric: Metric,
    ) -> Result<BTreeMap<u32, f64>, Missing> {
        Ok(located(&self.values(at, participant, metric)?, metric))
    }

    /// A comparison with another participant for each block: a ratio, or a difference on the plain scale.
    pub(crate) fn block_ratios(
        &self,
        at: At<'_>,
        participant: &str,
        other: &str,
        metric: Metric,
    ) -> Result<BTreeMap<u32, f64>, Missing> {
        Ok(located(
            &self.paired(at, participant, &[other], metric)?,
            metric,
        ))
    }

    /// [`Analysis::served_share`] of each block.
    pub(crate) fn served_by_block(
        &self,
        at: At<'_>,
        participant: &str,
    ) -> Result<BTreeMap<u32, f64>, Missing> {
        let place = self.checked(at, participant, Metric::GoodPerS)?;
        let Task::Load(Load {
            pace: LoadPace::Open { rate_per_s, .. },
            ..
        }) = &place.level.task
        else {
            return Err(Missing::NoValue(Metric::GoodPerS));
        };
        let share = |reading: &Reading| {
            let (good, window_us) = reading.counted().fold((0, 0), |sum, slice| {
                (sum.0 + slice.answered, sum.1 + slice.window_us)
            });
            (window_us > 0).then(|| to_f64(good) * 1e6 / (rate_per_s * to_f64(window_us)))
        };
        let readings = place.readings(participant);
        let shares: BTreeMap<u32, f64> = readings
            .filter_map(|(index, reading)| Some((index, share(reading)?)))
            .collect();
        enough(shares.len()).map(|()| shares)
    }

    fn place(&self, at: At<'_>) -> Option<&Place<'r>> {
        self.places.get(at.experiment)?.get(at.level)
    }

    /// All servers of the level's control, except the participant itself.
    fn control_without(&self, at: At<'_>, participant: &str) -> Vec<&'r str> {
        self.place(at).map_or_else(Vec::new, |place| {
            let control = place.level.control.as_str();
            let is_control = |one: &&str| {
                let role = place.stage.participant(one).map(|one| &one.role);
                *one == control
                    || role.is_some_and(|role| matches!(role, Role::Again(of) if of == control))
            };
            let names = place.level.participants.iter().map(String::as_str);
            names
                .filter(is_control)
                .filter(|one| *one != participant)
                .collect()
        })
    }

    /// The [`Place`] of a level, if the participant's readings there count for the metric.
    fn checked(
        &self,
        at: At<'_>,
        participant: &str,
        metric: Metric,
    ) -> Result<&Place<'r>, Missing> {
        let left_out = || Missing::left_out(self.run, at, participant);
        let place = self.place(at).ok_or_else(left_out)?;
        if !place
            .level
            .participants
            .iter()
            .any(|name| name == participant)
        {
            return Err(left_out());
        }
        place.check(participant, metric).map(|()| place)
    }

    /// A participant's values at a level, from at least [`BLOCKS_MIN`] blocks.
    fn values(&self, at: At<'_>, participant: &str, metric: Metric) -> Result<Values, Missing> {
        let place = self.checked(at, participant, metric)?;
        let mut values = Values::new();
        for (index, reading) in place.readings(participant) {
            let cycles = cycles(reading, metric);
            if !cycles.is_empty() {
                values.insert(index, cycles);
            }
        }
        let found: usize = values.values().map(BTreeMap::len).sum();
        let is_rare = matches!(metric.definition().from, ValueSource::Slice(_))
            && 2 * found < place.planned_slices();
        if values.len() >= BLOCKS_MIN && !is_rare {
            Ok(values)
        } else if place.blocks.len() >= BLOCKS_MIN {
            Err(Missing::NoValue(metric))
        } else {
            Err(Missing::too_few(place.blocks.len()))
        }
    }

    /// A participant's values minus the mean of the others' values in the same block and cycle.
    fn paired(
        &self,
        at: At<'_>,
        participant: &str,
        others: &[&str],
        metric: Metric,
    ) -> Result<Values, Missing> {
        let mut values = self.values(at, participant, metric)?;
        let mut arms = Vec::new();
        let mut why = None;
        for other in others {
            match self.values(at, other, metric) {
                Ok(values) => arms.push(values),
                Err(missing) => why = Some(Missing::of_other(other, missing)),
            }
        }
        if arms.is_empty() {
            return Err(why.unwrap_or(Missing::NotInRun));
        }
        for (index, cycles) in &mut values {
            *cycles = cycles
                .iter()
                .filter_map(|(cycle, own)| {
                    let arm = |arm: &Values| Some(*arm.get(index)?.get(cycle)?);
                    let there: Vec<f64> = arms.iter().filter_map(arm).collect();
                    Some((*cycle, own - mean(&there)?))
                })
                .collect();
        }
        values.retain(|_, cycles| !cycles.is_empty());
        enough(values.len()).map(|()| values)
    }
}

impl<'r> Place<'r> {
    fn new(at: At<'r>, stage: &'r Stage, level: &'r Level, blocks: &'r [Block]) -> Self {
        let is_here =
            |block: &&Block| block.experiment == at.experiment && block.stage == stage.name;
        let mut blocks: Vec<&Block> = blocks.iter().filter(is_here).collect();
        blocks.sort_by_key(|block| block.index);
        let mut readings: HashMap<&str, Vec<(u32, &Reading)>> = HashMap::new();
        for block in &blocks {
            for reading in block
                .readings
                .iter()
                .filter(|reading| reading.level == at.level)
            {
                let own = readings.entry(&reading.participant).or_default();
                own.push((block.index, reading));
            }
        }
        Place {
            stage,
            level,
            blocks,
            readings,
        }
    }

    fn readings(&self, participant: &str) -> impl Iterator<Item = (u32, &'r Reading)> {
        self.readings
            .get(participant)
            .into_iter()
            .flatten()
            .copied()
    }

    /// Slices planned for each participant in the recorded blocks; 0 for a procedure.
    fn planned_slices(&self) -> usize {
        match self.level.task {
            Task::Load(_) => self.level.cycles as usize * self.blocks.len(),
            Task::Procedure(_) => 0,
        }
    }

    /// Returns the reason if this participant's readings do not count for the metric.
    fn check(&self, participant: &str, metric: Metric) -> Result<(), Missing> {
        let slices = || {
            self.readings(participant)
                .flat_map(|(_, reading)| &reading.slices)
        };
        let failed = || {
            let mut reasons = self
                .readings(participant)
                .map(|(_, reading)| &reading.failed);
            reasons.find_map(Option::as_ref)
        };
        let (made, planned) = (slices().count(), self.planned_slices());
        let is_open = matches!(&self.level.task, Task::Load(load) if matches!(load.pace, LoadPace::Open { .. }));
        let full = slices()
            .filter(|slice| slice.server_share() >= FULL_SHARE)
            .count();
        if self.stage.has_no_cpu_apart() && needs_cpu_apart(metric) {
            return Err(Missing::SharedCpu);
        }
        if is_open && needs_spare_time(metric) && 2 * full > made {
            return Err(Missing::MoreThanItCanDo);
        }
        let has_figure = |(_, reading): (u32, &Reading)| !reading.figures.is_empty();
        let is_silent = match self.level.task {
            Task::Load(_) => 2 * made < planned,
            Task::Procedure(_) => {
                self.readings(participant)
                    .filter(|one| has_figure(*one))
                    .count()
                    < BLOCKS_MIN
            }
        };
        if let Some(reason) = failed().filter(|_| is_silent) {
            return Err(Missing::ServerFailed {
                reason: reason.clone(),
            });
        }
        let counted = slices().filter(|slice| slice.counts()).count();
        if 2 * counted < planned {
            return Err(match Missing::checks(slices()) {
                Some(checks) => checks,
                None => Missing::too_few(self.blocks.len()),
            });
        }
        Ok(())
    }
}

/// Whether the metric has no value at a planned rate if the server's CPU was full: then its cost is not that of the
/// rate, and its clients wait until the slice ends.
fn needs_spare_time(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::CpuPerRequest
            | Metric::SwitchesPerRequest
            | Metric::ResponseP50
            | Metric::ResponseP99
            | Metric::ResponseP999
    )
}

/// Whether the metric has no value if the server shares its only CPU with the generator.
fn needs_cpu_apart(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::GoodPerS
            | Metric::CapacityPerS
            | Metric::ResponseP50
            | Metric::ResponseP99
            | Metric::ResponseP999
    )
}

/// A reading's values by cycle, on the computation scale. A value that exists once per block counts as cycle 0.
fn cycles(reading: &Reading, metric: Metric) -> BTreeMap<u32, f64> {
    let definition = metric.definition();
    let on_scale = |value: f64| {
        let value = computed(value, definition.scale);
        value.is_finite().then_some(value)
    };
    match definition.from {
        ValueSource::Slice(figure) => reading
            .counted()
            .filter_map(|slice| Some((slice.cycle, on_scale(figure(slice)?)?)))
            .collect(),
        ValueSource::Block(figure) => only(figure(reading).and_then(on_scale)),
        ValueSource::Procedure => only(reading.figure(metric).and_then(on_scale)),
    }
}

/// A value that exists once per block, as cycle 0.
fn only(value: Option<f64>) -> BTreeMap<u32, f64> {
    value.map(|value| (0, value)).into_iter().collect()
}

fn estimate(values: &Values, metric: Metric) -> Option<Estimate> {
    let blocks: Vec<Vec<f64>> = values
        .values()
        .map(|cycles| cycles.values().copied().collect())
        .collect();
    Estimate::from_cycles(&blocks, pseudo_median, metric.definition().scale)
}

/// Each block's pseudo-median over its cycles, converted by [`shown`].
fn located(values: &Values, metric: Metric) -> BTreeMap<u32, f64> {
    let scale = metric.definition().scale;
    let of_block = |cycles: &BTreeMap<u32, f64>| {
        pseudo_median(&cycles.values().copied().collect::<Vec<_>>())
            .map(|value| shown(value, scale))
    };
    values
        .iter()
        .filter_map(|(index, cycles)| Some((*index, of_block(cycles)?)))
        .collect()
}

/// An estimate over the blocks that have both values; `combine` returns the block's value on the computation scale.
pub(crate) fn over_blocks(
    left: &BTreeMap<u32, f64>,
    right: &BTreeMap<u32, f64>,
    scale: Scale,
    combine: impl Fn(f64, f64) -> f64,
) -> Result<Estimate, Missing> {
    let values: Vec<f64> = left
        .iter()
        .filter_map(|(index, left)| Some(combine(*left, *right.get(index)?)))
        .filter(|value| value.is_finite())
        .collect();
    Estimate::from_blocks(&values, scale).ok_or(Missing::too_few(values.len()))
}

fn enough(blocks: usize) -> Result<(), Missing> {
    if blocks >= BLOCKS_MIN {
        Ok(())
    } else {
        Err(Missing::too_few(blocks))
    }
}

fn to_f64(number: u64) -> f64 {
    usize::try_from(number).map_or(f64::INFINITY, count)
}

/// Whether every interval is as narrow as the design asks: the lab's stopping rule. It uses only widths, never a
/// verdict. Participants whose servers failed, or for which the rate is too high, do not delay the stop.
pub fn precision_reached(run: &Run, blocks: &[Block], design: &Design) -> bool {
    let Some(precision) = &design.precision else {
        return false;
    };
    let analysis = Analysis::new(run, blocks);
    let mut is_any = false;
    for level in &precision.levels {
        let at = At {
            experiment: &design.experiment,
            level,
        };
        for participant in analysis.compared(at) {
            match analysis.to_control(at, participant, precision.metric) {
                Some(found) if found.half_width() <= precision.half_width => is_any = true,
                Some(_) => return false,
                None if matches!(
                    analysis.missing(at, participant, precision.metric),
                    Missing::TooFewBlocks { .. }
                ) =>
                {
                    return false;
                }
                None => {}
            }
        }
    }
    is_any
}
