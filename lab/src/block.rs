//! One block: starts fresh servers of all participants of a stage, and measures each level in cycles of slices.

use std::mem;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use hdrhistogram::Histogram;
use hola_loadgen::Histograms;
use hola_loadgen::schedule::splitmix64;
use hola_servers::models;
use jiff::Timestamp;

use crate::environment::CpuTicks;
use crate::metric::Metric;
use crate::pinned_program::PinnedProgram;
use crate::plan::{Design, Level, Load, LoadPace, Participant, Procedure, Role, Stage, Task};
use crate::procedures::{self, FreshServer};
use crate::record::{Block, Reading, SCHEMA_VERSION, STOLEN_SHARE_MAX, Slice, to_f64};
use crate::running::RunningServer;
use crate::slice::{self, SliceContext};
use crate::switches::Switches;
use crate::target::Targets;

/// How long the control is loaded to compute the size of the planted work.
const CALIBRATION_MS: u32 = 400;

/// What all blocks of a run share.
#[derive(Debug)]
pub struct Lab<'l> {
    /// The program that serves.
    pub program: &'l PinnedProgram,
    /// Reference targets.
    pub targets: &'l Targets,
    /// Seed of the run.
    pub seed: u64,
    /// Work to add to each request of a planted participant, as a percentage of what its control costs.
    pub planted_percent: f64,
    /// Set when the user interrupts the run.
    pub interrupted: &'l AtomicBool,
}

impl Lab<'_> {
    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// A participant of a block, with its running server or the reason why it has none.
struct ParticipantServer<'s> {
    participant: &'s Participant,
    server: Result<RunningServer, String>,
    answered: u64,
}

/// Makes block `index` of a stage; `None` if the user interrupted it.
pub fn make(lab: &Lab<'_>, design: &Design, stage: &Stage, index: u32) -> Option<Block> {
    let began = Instant::now();
    let started_at = now();
    let ticks = CpuTicks::new(&stage.server_cpus);
    let seed = seed_of(lab.seed, &design.experiment, stage, index);
    let switches = Switches::new(&stage.server_cpus).ok().map(Mutex::new);
    let context = SliceContext {
        stage,
        switches,
        interrupted: lab.interrupted,
    };
    let mut planted_us = None;
    let mut alive = start_all(lab, &context, seed, &mut planted_us);
    let mut readings = Vec::new();
    for (level, number) in stage.levels.iter().zip(1..) {
        let seed = splitmix64(seed, number);
        readings.extend(match &level.task {
            Task::Load(load) => slices(lab, &context, level, load, &mut alive, seed),
            Task::Procedure(procedure) => repeats(lab, stage, level, procedure, seed),
        });
        if lab.is_interrupted() {
            return None;
        }
    }
    for one in alive {
        note_end(one, &mut readings);
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

/// Starts a server of every participant that has a load, in a newly shuffled order. Planted participants come last:
/// their added work is a share of the current cost of their control.
fn start_all<'s>(
    lab: &Lab<'_>,
    context: &SliceContext<'s>,
    seed: u64,
    planted_us: &mut Option<f64>,
) -> Vec<ParticipantServer<'s>> {
    let stage = context.stage;
    let loads = |level: &&Level| matches!(level.task, Task::Load(_));
    let meets_load = |participant: &&Participant| {
        let mut levels = stage.levels.iter().filter(loads);
        levels.any(|level| level.participants.contains(&participant.name))
    };
    let mut order: Vec<&Participant> = stage.participants.iter().filter(meets_load).collect();
    shuffle(&mut order, splitmix64(seed, 0));
    order.sort_by_key(|participant| matches!(participant.role, Role::Planted(_)));
    let mut alive: Vec<ParticipantServer<'s>> = Vec::new();
    for participant in order {
        let mut options = Vec::new();
        if let Role::Planted(of) = &participant.role {
            let cost_us = calibrate(context, &alive, of, splitmix64(seed, u64::MAX));
            let added_us = cost_us.unwrap_or(0.0) * lab.planted_percent / 100.0;
            *planted_us = Some(added_us);
            options = vec!["--extra-work-ns".into(), format!("{:.0}", added_us * 1e3)];
        }
        let cpus = &stage.server_cpus;
        let server = RunningServer::start(lab.program, lab.targets, participant, cpus, &options);
        let target = lab.targets.named(&participant.server);
        let server = match server {
            Ok(server) if target.is_some_and(|spec| spec.compiles_while_running) => {
                warm_up(context, server, participant, seed)
            }
            server => server,
        };
        alive.push(ParticipantServer {
            participant,
            server,
            answered: 0,
        });
        if lab.is_interrupted() {
            break;
        }
    }
    alive
}

/// Loads a server whose runtime compiles its code while it runs, until a request no longer becomes cheaper.
///
/// # Errors
/// Returns the reason if it never is steady, or if a load fails.
fn warm_up(
    context: &SliceContext<'_>,
    server: RunningServer,
    participant: &Participant,
    seed: u64,
) -> Result<RunningServer, String> {
    const ROUNDS_MAX: u64 = 40;
    let load = Load {
        window_ms: 250,
        ..Load::with_clients(8)
    };
    let mut costs_us = Vec::new();
    for round in 0..ROUNDS_MAX {
        let seed = splitmix64(seed, round);
        let (slice, _) = slice::make(context, &server, &participant.name, &load, seed)?;
        costs_us.extend(slice.cpu_us_per_request());
        if is_steady(&costs_us) || context.interrupted.load(Ordering::Relaxed) {
            return Ok(server);
        }
    }
    let name = &participant.name;
    Err(format!(
        "a request still cost {name} less in every round of its warm-up"
    ))
}

/// Whether none of the last three costs is more than a twentieth below the one before it.
fn is_steady(costs_us: &[f64]) -> bool {
    let Some(last) = costs_us.last_chunk::<4>() else {
        return false;
    };
    last.windows(2).all(|pair| pair[1] > pair[0] * 0.95)
}

/// The control's CPU time per request at the level with the most cycles, in microseconds.
fn calibrate(
    context: &SliceContext<'_>,
    alive: &[ParticipantServer<'_>],
    control: &str,
    seed: u64,
) -> Option<f64> {
    let control = alive.iter().find(|one| one.participant.name == control)?;
    let levels = context.stage.levels.iter();
    let level = levels.max_by_key(|level| level.cycles)?;
    let Task::Load(load) = &level.task else {
        return None;
    };
    let load = Load {
        window_ms: CALIBRATION_MS,
        ..load.clone()
    };
    let server = control.server.as_ref().ok()?;
    let (slice, _) = slice::make(context, server, &control.participant.name, &load, seed).ok()?;
    slice.cpu_us_per_request()
}

/// Makes one slice of every participant of a level per cycle, in a newly shuffled order each time.
fn slices(
    lab: &Lab<'_>,
    context: &SliceContext<'_>,
    level: &Level,
    load: &Load,
    alive: &mut [ParticipantServer<'_>],
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
            if lab.is_interrupted() {
                return Vec::new();
            }
            let reading = &mut readings[number];
            let mut servers = alive.iter_mut();
            let one = servers.find(|one| one.participant.name == reading.participant);
            let Some(one) = one.filter(|_| reading.failed.is_none()) else {
                continue;
            };
            // All participants get requests at the same instants of a cycle, so only the server differs.
            let seed = splitmix64(seed, (1 << 32) + u64::from(cycle));
            match one.slice(context, load, seed) {
                Ok((slice, histogram)) => made.push((number, slice, histogram)),
                Err(reason) => reading.failed = Some(reason),
            }
        }
        // The same for all participants of the cycle: none has the quiet moments for itself.
        let stolen = CpuTicks::new(&cpus).steal_share_since(before);
        let is_disturbed = stolen.is_some_and(|stolen| stolen > STOLEN_SHARE_MAX);
        for (number, slice, histogram) in made {
            if slice.counts() {
                times[number].add(histogram, is_disturbed);
            }
            readings[number].slices.push(Slice {
                cycle,
                is_disturbed,
                ..slice
            });
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

impl ParticipantServer<'_> {
    /// Makes one slice on its server. If the server has died, keeps the reason, and returns it from then on.
    fn slice(
        &mut self,
        context: &SliceContext<'_>,
        load: &Load,
        seed: u64,
    ) -> Result<(Slice, Option<Histogram<u64>>), String> {
        let server = self.server.as_mut().map_err(|reason| reason.clone())?;
        let made = slice::make(context, server, &self.participant.name, load, seed);
        if !server.is_alive() {
            let reason = format!("{} ended while it was loaded", self.participant.name);
            let ended = mem::replace(&mut self.server, Err(reason.clone()));
            // It says how it ended, and its last words.
            let reason = match ended.map(RunningServer::stop) {
                Ok(Err(how)) => format!("{reason}: {how}"),
                _ => reason,
            };
            self.server = Err(reason.clone());
            return Err(reason);
        }
        if let Ok((slice, _)) = &made {
            self.answered += slice.answered;
        }
        made
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
    lab: &Lab<'_>,
    stage: &Stage,
    level: &Level,
    procedure: &Procedure,
    seed: u64,
) -> Vec<Reading> {
    let names = level.participants.iter();
    let mut order: Vec<&Participant> = names.filter_map(|name| stage.participant(name)).collect();
    shuffle(&mut order, seed);
    let mut readings = Vec::new();
    for (participant, number) in order.into_iter().zip(0..) {
        let fresh = FreshServer {
            program: lab.program,
            targets: lab.targets,
            participant,
            server_cpus: &stage.server_cpus,
            generator_cpus: &stage.generator_cpus,
            seed: splitmix64(seed, number),
            interrupted: lab.interrupted,
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
        if lab.is_interrupted() {
            break;
        }
    }
    readings
}

/// Stops a server, and compares its count of answers with the generator's. The server may count more, because of the
/// warm-ups, but never fewer. Keeps how evenly its workers shared the clients.
fn note_end(one: ParticipantServer<'_>, readings: &mut [Reading]) {
    let Ok(server) = one.server else { return };
    let name = &one.participant.name;
    let own = readings
        .iter_mut()
        .filter(|reading| reading.participant == *name);
    let (complaint, busiest) = match server.stop() {
        Ok(Some(ended)) if ended.counters.answers < one.answered => {
            let counted = ended.counters.answers;
            let seen = one.answered;
            let complaint = format!("the server counted {counted} answers, and {seen} were seen");
            (Some(complaint), None)
        }
        Ok(Some(ended)) => {
            let model = models::find(&one.participant.server);
            let workers_accept = model.is_some_and(|model| !model.accept.is_empty());
            let clients = &ended.counters.accepted_by_worker;
            (None, busiest_of_mean(clients).filter(|_| workers_accept))
        }
        Ok(None) => (None, None),
        Err(reason) => (Some(reason), None),
    };
    for reading in own {
        let complaint = complaint.iter().cloned();
        reading
            .notes
            .extend(complaint.map(|one| ("end".into(), one)));
        let busiest = busiest.iter().copied();
        reading
            .figures
            .extend(busiest.map(|one| (Metric::BusiestWorker, one)));
    }
}

/// Clients of the worker that had the most, divided by the mean of all workers; `None` for a single worker.
fn busiest_of_mean(clients: &[u64]) -> Option<f64> {
    let (busiest, all) = (clients.iter().max()?, clients.iter().sum::<u64>());
    let is_shared = clients.len() > 1 && all > 0;
    is_shared.then(|| *busiest as f64 * to_f64(clients.len()) / all as f64)
}

/// The order of the participants of a level in each cycle of block `index`, as places in [`Level::participants`]. It
/// follows from the seed of the run.
pub fn orders(
    seed: u64,
    experiment: &str,
    stage: &Stage,
    level: &Level,
    index: u32,
) -> Vec<Vec<usize>> {
    let mut numbered = stage.levels.iter().zip(1..);
    let number = numbered.find(|(one, _)| one.name == level.name);
    let number = number.map_or(0, |(_, number)| number);
    let seed = splitmix64(seed_of(seed, experiment, stage, index), number);
    orders_of(level, seed).collect()
}

fn orders_of(level: &Level, seed: u64) -> impl Iterator<Item = Vec<usize>> {
    let mut order: Vec<usize> = (0..level.participants.len()).collect();
    (0..level.cycles).map(move |cycle| {
        shuffle(&mut order, splitmix64(seed, u64::from(cycle)));
        order.clone()
    })
}

/// The seed of a block; it does not depend on the blocks made before.
fn seed_of(seed: u64, experiment: &str, stage: &Stage, index: u32) -> u64 {
    let name = format!("{experiment}/{}", stage.name);
    let mix = |seed, byte: u8| splitmix64(seed, byte.into());
    splitmix64(name.bytes().fold(seed, mix), index.into())
}

/// Fisher and Yates' shuffle, as Durstenfeld wrote it (Algorithm 235, CACM 1964).
fn shuffle<T>(items: &mut [T], seed: u64) {
    for last in (1..items.len()).rev() {
        // The bias of a remainder is below 2^-50 for so few items.
        let choices = last as u64 + 1;
        let chosen = splitmix64(seed, choices) % choices;
        items.swap(last, usize::try_from(chosen).unwrap_or(last));
    }
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

    use super::{ResponseTimes, busiest_of_mean, is_steady, shuffle};

    #[test]
    fn clients_dealt_out_evenly_make_the_busiest_worker_the_mean_one() {
        assert_eq!(busiest_of_mean(&[5, 5, 5, 5]), Some(1.0));
        assert_eq!(busiest_of_mean(&[8, 0, 0, 0]), Some(4.0));
        assert_eq!(busiest_of_mean(&[8]), None);
    }

    #[test]
    fn a_server_is_steady_when_a_request_no_longer_becomes_cheaper() {
        assert!(!is_steady(&[90.0, 90.0, 90.0]));
        assert!(!is_steady(&[90.0, 89.0, 80.0, 79.0]));
        assert!(is_steady(&[200.0, 90.0, 89.0, 92.0, 91.0]));
    }

    #[test]
    fn times_of_disturbed_cycles_are_kept_apart() {
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

    #[test]
    fn shuffles_every_item_to_every_place_about_equally_often() {
        const SHUFFLES: u64 = 6_000;
        let mut seen = [[0u32; 6]; 6];
        for seed in 0..SHUFFLES {
            let mut items = [0, 1, 2, 3, 4, 5];
            shuffle(&mut items, seed);
            for (place, item) in items.into_iter().enumerate() {
                seen[place][item] += 1;
            }
        }
        // 1,000 expected, standard deviation 29: chance never reaches six standard deviations.
        assert!(
            seen.iter()
                .flatten()
                .all(|count| (825..1_175).contains(count)),
            "{seen:?}"
        );
    }
}
