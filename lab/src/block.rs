//! One block: starts fresh servers of all participants of a stage, and measures each level in cycles of slices.

use std::sync::Mutex;
use std::time::Instant;

use hdrhistogram::Histogram;
use hola_loadgen::schedule::splitmix64;
use hola_loadgen::{Histograms, Observer};
use jiff::Timestamp;

use crate::environment::CpuTicks;
pub use crate::lab::Lab;
use crate::order::{block_seed, orders_of, shuffle};
use crate::participant_server::{ParticipantServer, start_all};
use crate::plan::{Design, Level, Load, LoadPace, Participant, Procedure, Stage, Task};
use crate::procedures::{self, FreshServer};
use crate::record::{Block, Reading, SCHEMA_VERSION, STOLEN_SHARE_MAX, to_f64};
use crate::slice::SliceContext;
use crate::switches::Switches;

/// Makes block `index` of a stage; `None` if the user interrupted it.
pub fn make(lab: &Lab<'_>, design: &Design, stage: &Stage, index: u32) -> Option<Block> {
    let began = Instant::now();
    let started_at = now();
    let ticks = CpuTicks::new(&stage.server_cpus);
    let seed = block_seed(lab.seed, &design.experiment, stage, index);
    let switches = Switches::new(&stage.server_cpus).ok().map(Mutex::new);
    let context = SliceContext {
        lab,
        stage,
        switches,
    };
    let mut planted_us = None;
    let mut servers = start_all(&context, seed, &mut planted_us);
    let mut readings = Vec::new();
    for (level, number) in stage.levels.iter().zip(1..) {
        let seed = splitmix64(seed, number);
        readings.extend(match &level.task {
            Task::Load(load) => slices(&context, level, load, &mut servers, seed),
            Task::Procedure(procedure) => repeats(&context, level, procedure, seed),
        });
        if lab.should_stop() {
            return None;
        }
    }
    for server in servers {
        server.stop(&mut readings);
    }
    Some(Block {
        schema_version: SCHEMA_VERSION,
        experiment: design.experiment.clone(),
        stage: stage.name.clone(),
        index,
        started_at,
        took_s: began.elapsed().as_secs_f64(),
        stolen_share: CpuTicks::new(&stage.server_cpus).stolen_share_since(ticks),
        planted_us,
        readings,
    })
}

/// Makes one slice of every participant of a level per cycle, in a newly shuffled order each time.
fn slices(
    context: &SliceContext<'_>,
    level: &Level,
    load: &Load,
    servers: &mut [ParticipantServer<'_>],
    seed: u64,
) -> Vec<Reading> {
    let participants = level.participants.iter();
    let mut readings: Vec<Reading> = participants.map(|name| reading(name, level)).collect();
    let mut times = vec![ResponseTimes::default(); readings.len()];
    let stage = context.stage;
    let cpus = [stage.server_cpus.as_slice(), &stage.generator_cpus].concat();
    for (cycle, order) in (0..).zip(orders_of(level, seed)) {
        let before = CpuTicks::new(&cpus);
        let mut made = Vec::new();
        for number in order {
            if context.lab.should_stop() {
                return Vec::new();
            }
            let reading = &mut readings[number];
            let mut servers = servers.iter_mut();
            let one = servers.find(|one| one.participant.name == reading.participant);
            let Some(one) = one.filter(|_| reading.failed.is_none()) else {
                continue;
            };
            // All participants get requests at the same instants of a cycle, so only the server differs.
            let seed = splitmix64(seed, (1 << 32) + u64::from(cycle));
            let before = CpuTicks::new(&cpus);
            match one.slice(context, load, seed) {
                Ok((mut slice, histogram)) => {
                    slice.is_disturbed = CpuTicks::new(&cpus).was_stolen_since(before);
                    made.push((number, slice, histogram));
                }
                Err(reason) => reading.failed = Some(reason),
            }
        }
        // A tick is longer than the pauses that matter: where there are many, slices without a tick have some, too.
        let stolen = CpuTicks::new(&cpus).steal_share_since(before);
        let is_disturbed = stolen.is_some_and(|stolen| stolen > STOLEN_SHARE_MAX);
        for (number, mut slice, histogram) in made {
            slice.is_disturbed |= is_disturbed;
            slice.cycle = cycle;
            if slice.counts() {
                times[number].add(histogram, slice.is_disturbed);
            }
            readings[number].slices.push(slice);
        }
    }
    for (reading, times) in readings.iter_mut().zip(&times) {
        reading.response_histogram = times.undisturbed.as_ref().map(Histograms::encode);
        reading.disturbed_histogram = times.disturbed.as_ref().map(Histograms::encode);
    }
    readings
}

/// The response times of one participant at one level.
#[derive(Clone, Default)]
struct ResponseTimes {
    undisturbed: Option<Histogram<u64>>,
    disturbed: Option<Histogram<u64>>,
}

impl ResponseTimes {
    fn add(&mut self, times: Option<Histogram<u64>>, is_disturbed: bool) {
        let all = match is_disturbed {
            false => &mut self.undisturbed,
            true => &mut self.disturbed,
        };
        match (all.as_mut(), times) {
            (Some(all), Some(times)) => all.add(&times).unwrap_or_else(|error| {
                unreachable!("histograms of one generator have the same bounds: {error}")
            }),
            (None, times) => *all = times,
            (Some(_), None) => {}
        }
    }
}

fn reading(participant: &str, level: &Level) -> Reading {
    Reading {
        participant: participant.into(),
        level: level.name.clone(),
        ..Reading::default()
    }
}

/// Runs a procedure once for each participant, on fresh servers, in a shuffled order.
fn repeats(
    context: &SliceContext<'_>,
    level: &Level,
    procedure: &Procedure,
    seed: u64,
) -> Vec<Reading> {
    let (lab, stage) = (context.lab, context.stage);
    let names = level.participants.iter();
    let mut order: Vec<&Participant> = names.filter_map(|name| stage.participant(name)).collect();
    shuffle(&mut order, seed);
    let mut readings = Vec::new();
    for (participant, number) in order.into_iter().zip(0..) {
        let fresh = FreshServer {
            lab,
            participant,
            server_cpus: &stage.server_cpus,
            generator_cpus: &stage.generator_cpus,
            seed: splitmix64(seed, number),
        };
        let mut reading = reading(&participant.name, level);
        match procedures::run(procedure, &fresh) {
            Ok(found) => {
                reading.figures = found.figures;
                reading.notes = found.notes;
            }
            Err(reason) => reading.failed = Some(reason),
        }
        readings.push(reading);
        if lab.should_stop() {
            break;
        }
    }
    readings
}

/// Estimated time of a block of a stage, in seconds.
pub fn estimate_s(stage: &Stage) -> f64 {
    /// Starting, checking and stopping one server.
    const SERVER_S: f64 = 0.03;
    /// Time of a slice beyond its window and warm-up: threads, connections, late answers.
    const SLICE_S: f64 = 0.012;
    let slice_s = |level: &Level| match &level.task {
        Task::Load(load) => {
            let beside_s = if load.beside.is_some() { 0.02 } else { 0.0 };
            let has_late_answers = load.expects_failures && load.pace != LoadPace::Rest;
            let late_s = if has_late_answers { 0.3 } else { 0.0 };
            f64::from(load.warmup_ms + load.window_ms) / 1e3 + SLICE_S + beside_s + late_s
        }
        Task::Procedure(procedure) => procedures::estimate_s(procedure),
    };
    let level_s =
        |level: &Level| slice_s(level) * f64::from(level.cycles) * to_f64(level.participants.len());
    let levels_s: f64 = stage.levels.iter().map(level_s).sum();
    levels_s + SERVER_S * to_f64(stage.participants.len())
}

/// Plans exactly that many blocks of each stage.
pub fn fix_blocks(design: &mut Design, blocks: u32) {
    let block_s: f64 = design.stages.iter().map(estimate_s).sum();
    design.blocks_min = blocks;
    design.blocks_max = blocks;
    design.budget_s = f64::from(blocks) * block_s;
}

/// The current time in UTC, to the second.
pub fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;

    use super::ResponseTimes;

    #[test]
    fn times_of_disturbed_slices_are_kept_apart() {
        let times = |us: &[u64]| {
            let mut times = Histogram::new(3).expect("three digits");
            us.iter()
                .for_each(|us| times.record(*us).expect("in range"));
            Some(times)
        };
        let mut all = ResponseTimes::default();
        all.add(times(&[100, 110]), false);
        all.add(times(&[9_000]), true);
        all.add(times(&[120]), false);
        all.add(None, true);
        let [undisturbed, disturbed] =
            [all.undisturbed, all.disturbed].map(|one| one.expect("some").len());
        assert_eq!((undisturbed, disturbed), (3, 1));
    }
}
