//! A made-up run, always the same: the real plans, and records that such a run could have.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use hdrhistogram::Histogram;
use hola_lab::experiments::{EXPERIMENTS, Setting};
use hola_lab::metric::Metric;
use hola_lab::plan::{
    Death, Design, Level, Load, LoadPace, Participant, Procedure, Profile, Stage, Task,
};
use hola_lab::record::{
    Block, CpuAccounting, Environment, Reading, Run, RunStatus, SCHEMA_VERSION, ServerCard,
    Skipped, Slice, StoredText,
};
use hola_lab::target::Targets;
use hola_loadgen::Histograms;
use hola_loadgen::schedule::splitmix64;
use hola_verdict::RULES_VERSION;
use hola_verdict::analysis::{HEADLINE, TARGETS};

/// Name, what a client costs, CPU per request relative to the control's, KiB per idle client.
const SERVERS: &[(&str, &str, f64, f64)] = &[
    ("iterative", "nothing", 1.0, 0.2),
    ("fork-per-client", "process", 6.2, 420.0),
    ("pre-forked", "process", 1.06, 300.0),
    ("thread-per-client", "thread", 1.8, 19.0),
    ("pre-threaded", "thread", 1.1, 17.0),
    ("thread-pool", "thread", 1.5, 18.0),
    ("selector-threads", "thread", 1.9, 20.0),
    ("poll", "nothing", 1.06, 1.1),
    ("epoll", "nothing", 1.09, 1.2),
    ("epoll-per-core", "nothing", 1.1, 1.2),
    ("tokio-current-thread", "task", 1.15, 2.1),
    ("tokio", "task", 1.24, 2.4),
    ("io-uring", "nothing", 1.01, 1.3),
    ("nginx", "target", 1.4, 3.0),
    ("python-threads", "target", 6.5, 60.0),
    ("python-forking", "target", 21.0, 900.0),
    ("node", "target", 4.0, 12.0),
    ("go", "target", 1.6, 9.0),
    ("asyncio", "target", 5.0, 14.0),
    ("java-virtual-threads", "target", 2.2, 6.0),
];

/// CPU per request of the control under high load, in microseconds.
const BASE_US: f64 = 38.0;

/// Additional CPU per request of the planted participant, in microseconds.
const PLANTED_US: f64 = 3.8;

/// Blocks of each stage.
const BLOCKS: u32 = 5;

/// Models and experiments of a quick run: enough for the first screen.
const QUICK: [&str; 5] = [
    "iterative",
    "fork-per-client",
    "thread-per-client",
    "epoll",
    "tokio",
];
const QUICK_EXPERIMENTS: [&str; 4] = ["equal-load", "capacity", "crash", "idle"];

/// A full run with the real plans, and with seven reference targets in the comparison of costs.
pub fn full_run() -> (Run, Vec<Block>) {
    run(Profile::Full)
}

/// A quick run of a few models, with the real plans of a few experiments.
pub fn quick_run() -> (Run, Vec<Block>) {
    run(Profile::Quick)
}

fn run(profile: Profile) -> (Run, Vec<Block>) {
    let is_full = profile == Profile::Full;
    let targets = Targets::with_no_targets(Path::new("hola"));
    let setting = Setting {
        profile,
        cpus: vec![0, 1],
        targets: &targets,
        asked: if is_full {
            Vec::new()
        } else {
            QUICK.map(str::to_owned).into()
        },
        skipped: RefCell::default(),
    };
    let experiments = EXPERIMENTS.iter();
    let experiments = experiments.filter(|one| is_full || QUICK_EXPERIMENTS.contains(&one.name));
    let designs = experiments.filter_map(|one| (one.design)(&setting));
    let mut designs: Vec<Design> = designs.collect();
    if is_full {
        let mut of_models = designs.iter();
        let of_models = of_models.find(|design| design.experiment == HEADLINE.experiment);
        let design = Design {
            experiment: TARGETS.experiment.into(),
            stages: vec![targets_stage()],
            precision: None,
            ..of_models.expect("costs").clone()
        };
        designs.insert(1, design);
    }
    let servers = SERVERS.iter();
    let servers = servers.filter(|(name, ..)| is_full || QUICK.contains(name));
    let mut random = Random { seed: 7, drawn: 0 };
    let mut blocks = Vec::new();
    for design in &designs {
        for index in 0..BLOCKS {
            for stage in &design.stages {
                blocks.push(block(design, stage, index, &mut random));
            }
        }
    }
    let card = |(name, attention, ..): &(&str, &str, f64, f64)| ServerCard {
        name: (*name).into(),
        is_model: *attention != "target",
        title: both(&format!("Server {name}"), &format!("Servidor {name}")),
        summary: both("What it does, in a sentence.", "Lo que hace, en una frase."),
        attention: (*attention).into(),
        lines_of_code: (*attention != "target").then_some(40),
    };
    let command = format!("hola compare --profile {} --seed 7", profile.name());
    let run = Run {
        schema_version: SCHEMA_VERSION,
        rules_version: RULES_VERSION,
        name: format!("2026-11-27T101502Z-{}", profile.name()),
        profile,
        status: RunStatus::Complete,
        started_at: "2026-11-27T10:15:02Z".into(),
        resumed_at: Vec::new(),
        finished_at: Some("2026-11-27T10:55:40Z".into()),
        seed: 7,
        command: command.split(' ').map(str::to_owned).collect(),
        planted_percent: 10.0,
        designs,
        servers: servers.map(card).collect(),
        skipped: vec![Skipped {
            server: "pre-forked".into(),
            experiment: Some("idle".into()),
            reason: "its workers are there with or without clients".into(),
        }],
        environment: Environment {
            cpu_model: "Example CPU @ 2.50GHz".into(),
            cpus: vec![0, 1],
            memory_mib: 7_900,
            kernel: "6.1.0".into(),
            virtualised: true,
            smt_siblings: vec!["0-1".into()],
            generator_engine: "epoll".into(),
            accounted_by: Some(CpuAccounting::Cgroup),
            load_before: 0.4,
            load_after: Some(1.9),
            steal_share: Some(0.012),
            rustc: "rustc 1.91.0".into(),
            build: "release".into(),
            version: "0.1.0".into(),
            commit: Some("0123456789abcdef".into()),
            dirty: Some(false),
            ..Environment::default()
        },
    };
    (run, blocks)
}

fn both(en: &str, es: &str) -> StoredText {
    StoredText {
        en: en.into(),
        es: es.into(),
    }
}

/// A stage with the control and the reference targets, under the same load.
fn targets_stage() -> Stage {
    let mut names = vec!["iterative".to_owned()];
    let targets = SERVERS.iter();
    let targets = targets.filter(|(_, attention, ..)| *attention == "target");
    names.extend(targets.map(|(name, ..)| (*name).to_owned()));
    let participant = |name: &String| Participant::named(name);
    let pace = LoadPace::Open {
        rate_per_s: 2_000.0,
        connections: None,
    };
    Stage {
        name: "new".into(),
        participants: names.iter().map(participant).collect(),
        server_cpus: vec![0],
        generator_cpus: vec![1],
        levels: vec![Level {
            name: TARGETS.level.into(),
            control: "iterative".into(),
            participants: names,
            cycles: 4,
            task: Task::Load(Load {
                pace,
                window_ms: 200,
                ..Load::default()
            }),
        }],
    }
}

fn block(design: &Design, stage: &Stage, index: u32, random: &mut Random) -> Block {
    let speed = random.around(0.05);
    let mut readings = Vec::new();
    for level in &stage.levels {
        let drift: Vec<f64> = (0..level.cycles).map(|_| random.around(0.10)).collect();
        for name in &level.participants {
            let mut reading = Reading::default();
            (reading.participant, reading.level) = (name.clone(), level.name.clone());
            match &level.task {
                Task::Load(load) => slices(&mut reading, load, speed, &drift, random),
                Task::Procedure(procedure) => {
                    reading.figures = figures(name, procedure, random);
                    if matches!(procedure, Procedure::Idle { .. }) {
                        let limit = "descriptors (RLIMIT_NOFILE)";
                        reading.notes.insert("limit".into(), limit.into());
                    }
                }
            }
            readings.push(reading);
        }
    }
    Block {
        schema_version: SCHEMA_VERSION,
        experiment: design.experiment.clone(),
        stage: stage.name.clone(),
        index,
        started_at: "2026-11-27T10:16:00Z".into(),
        took_s: 12.5,
        stolen_share: Some(0.01),
        planted_us: Some(PLANTED_US),
        readings,
    }
}

fn server(name: &str) -> (f64, f64, bool) {
    let base = name.split(',').next().unwrap_or(name);
    let found = SERVERS.iter().find(|(server, ..)| *server == base);
    found.map_or((1.0, 1.0, false), |(_, attention, factor, kib)| {
        (*factor, *kib, *attention == "process")
    })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn slices(reading: &mut Reading, load: &Load, speed: f64, drift: &[f64], random: &mut Random) {
    let (factor, ..) = server(&reading.participant);
    let own = random.around(0.015);
    let mut all = Histogram::<u64>::new_with_bounds(1_000, 1_000_000_000, 2).expect("bounds");
    for (cycle, drift) in (0..).zip(drift) {
        let window_us = f64::from(load.window_ms) * 1e3;
        let rate = match load.pace {
            LoadPace::Open { rate_per_s, .. } => rate_per_s,
            _ => 1e9,
        };
        let is_kept = load.requests_per_connection.is_none();
        let kept = if is_kept { 0.35 } else { 1.0 };
        let paced = 1.0 + 12.0 / rate.sqrt();
        let is_planted = reading.participant.ends_with("planted");
        let planted = if is_planted { PLANTED_US } else { 0.0 };
        let cost =
            (BASE_US * factor * kept * paced * own + planted) * speed * drift * random.around(0.02);
        let possible = window_us * 0.985 / cost;
        let answered = (rate * window_us / 1e6).min(possible);
        for _ in 0..(answered as u64).min(400) {
            let ns = 1e3 * (cost * 1.6 + random.exponential() * cost);
            all.record(ns as u64).expect("a time below an hour");
        }
        reading.slices.push(Slice {
            cycle,
            window_us: window_us as u64,
            cpu_us: answered.floor() * cost,
            server_cpus: 1,
            answered: answered as u64,
            failed: 0,
            switches: Some(answered as u64 * 2),
            generator_share: 0.4,
            ..Slice::default()
        });
    }
    reading.response_histogram = Some(Histograms::encode(&all));
}

fn figures(name: &str, procedure: &Procedure, random: &mut Random) -> BTreeMap<Metric, f64> {
    let (factor, kib, is_process) = server(name);
    let near = random.around(0.03);
    let figures = match procedure {
        Procedure::Idle { .. } => vec![
            (Metric::MemoryPerClient, kib * near),
            (Metric::KernelMemoryPerClient, (3.0 + kib / 20.0) * near),
            (
                Metric::ClientsHeld,
                if is_process { 1_000.0 } else { 19_900.0 },
            ),
        ],
        Procedure::Crash { death, .. } => {
            let dies = !is_process && *death != Death::Panic;
            vec![
                (Metric::OthersFailed, if dies { 0.92 * near } else { 0.0 }),
                (Metric::Survived, if dies { 0.0 } else { 1.0 }),
            ]
        }
        Procedure::Spawn { .. } => vec![(Metric::SpawnTime, 12.0 * factor * near)],
        Procedure::Share { .. } => vec![(Metric::SharedOperation, 0.006 * factor * near)],
        Procedure::SystemCalls { .. } => vec![(Metric::SystemCalls, 4.0 * factor * near)],
        Procedure::Crowd { .. } => vec![
            (Metric::ClientsHeld, 10_000.0),
            (Metric::CrowdGoodput, (0.9 * near).min(1.0)),
        ],
        Procedure::Overload { of_capacity, .. } => {
            vec![(Metric::GoodputOfCapacity, of_capacity.min(0.95) * near)]
        }
        Procedure::Backlog { backlog } => vec![
            (Metric::ClientsConnected, f64::from(*backlog) + 1.0),
            (Metric::ConnectsAfter1S, 0.4 * near),
        ],
    };
    figures.into_iter().collect()
}

/// Random numbers, the same everywhere.
struct Random {
    seed: u64,
    drawn: u64,
}

impl Random {
    fn unit(&mut self) -> f64 {
        self.drawn += 1;
        (splitmix64(self.seed, self.drawn) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A random factor around 1 with about this spread.
    fn around(&mut self, spread: f64) -> f64 {
        let sum: f64 = (0..6).map(|_| self.unit()).sum();
        ((sum - 3.0) * spread * 1.414).exp()
    }

    fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }
}
