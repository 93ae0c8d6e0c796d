//! A made-up run, always the same: plans with the names of the real plans, and records that a full run could have.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use hdrhistogram::Histogram;
use hola_lab::experiments::{EXPERIMENTS, Setting};
use hola_lab::metric::Metric;
use hola_lab::plan::{
    Death, Design, Disturbance, Level, Load, LoadPace, Participant, Procedure, Profile, Role,
    Stage, Task,
};
use hola_lab::record::{
    Block, CpuAccounting, Environment, Reading, Run, RunStatus, SCHEMA_VERSION, ServerCard,
    Skipped, Slice, StoredText,
};
use hola_lab::target::Targets;
use hola_loadgen::Histograms;
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

/// A full run with everything that a report can show, or a quick run of five models.
pub fn run(profile: Profile) -> (Run, Vec<Block>) {
    let quick = [
        "iterative",
        "fork-per-client",
        "thread-per-client",
        "epoll",
        "tokio",
    ];
    let names = SERVERS.iter().map(|(name, ..)| *name);
    let names: Vec<&str> = names
        .filter(|name| profile == Profile::Full || quick.contains(name))
        .collect();
    let designs = designs(&names, profile == Profile::Full);
    of_plans(profile, &names, designs)
}

/// A full run with the real plans for this machine, and seven reference targets in the comparison of costs.
pub fn run_of_real_plans() -> (Run, Vec<Block>) {
    let targets = Targets::none(Path::new("hola"));
    let setting = Setting {
        profile: Profile::Full,
        cpus: vec![0, 1],
        targets: &targets,
        asked: Vec::new(),
        skipped: RefCell::default(),
    };
    let designs = EXPERIMENTS
        .iter()
        .filter_map(|experiment| (experiment.design)(&setting));
    let mut designs: Vec<Design> = designs.collect();
    let all: Vec<&str> = SERVERS.iter().map(|(name, ..)| *name).collect();
    let costs = designs
        .iter_mut()
        .find(|design| design.experiment == HEADLINE.experiment);
    costs.expect("costs").stages.push(targets_stage(&all));
    of_plans(Profile::Full, &all, designs)
}

fn of_plans(profile: Profile, names: &[&str], designs: Vec<Design>) -> (Run, Vec<Block>) {
    let servers: Vec<_> = SERVERS
        .iter()
        .filter(|(name, ..)| names.contains(name))
        .collect();
    let mut random = Random(20_261_127);
    let mut blocks = Vec::new();
    for design in &designs {
        for index in 0..BLOCKS {
            for stage in &design.stages {
                blocks.push(block(design, stage, index, &mut random));
            }
        }
    }
    let card = |(name, attention, ..): &&(&str, &str, f64, f64)| ServerCard {
        name: (*name).into(),
        is_model: *attention != "target",
        title: both(&format!("Server {name}"), &format!("Servidor {name}")),
        summary: both("What it does, in a sentence.", "Lo que hace, en una frase."),
        attention: (*attention).into(),
        lines_of_code: (*attention != "target").then_some(40),
    };
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
        command: [
            "hola",
            "compare",
            "--profile",
            profile.name(),
            "--seed",
            "7",
        ]
        .map(str::to_owned)
        .into(),
        planted_percent: 10.0,
        designs,
        servers: servers.iter().map(card).collect(),
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

fn designs(names: &[&str], is_full: bool) -> Vec<Design> {
    let rates: &[u32] = if is_full {
        &[50, 200, 1000, 2000, 4000, 8000]
    } else {
        &[200, 2000, 4000]
    };
    let new = rates
        .iter()
        .map(|&rate| (format!("new, {rate}/s"), open(rate, None)));
    let kept_rates: &[u32] = if is_full {
        &[200, 2000, 8000, 16000]
    } else {
        &[2000]
    };
    let kept = kept_rates
        .iter()
        .map(|&rate| (format!("kept, {rate}/s"), open(rate, Some(64))));
    let models: Vec<&str> = names
        .iter()
        .filter(|name| !is_target(name))
        .copied()
        .collect();
    let held: Vec<&str> = names
        .iter()
        .filter(|name| **name != "iterative")
        .copied()
        .collect();
    let mut equal = stage("new", "iterative", &models, new.collect());
    equal.participants.push(participant(
        "iterative, again",
        "iterative",
        Role::Again("iterative".into()),
    ));
    equal.participants.push(participant(
        "iterative, planted",
        "iterative",
        Role::Planted("iterative".into()),
    ));
    for level in &mut equal.levels {
        level
            .participants
            .extend(["iterative, again".into(), "iterative, planted".into()]);
    }
    let closed = |kept: bool| Load {
        pace: LoadPace::Closed { clients: 64 },
        requests_per_connection: if kept { None } else { Some(1) },
        ..Load::default()
    };
    let idle = if is_full {
        "to the limit"
    } else {
        "up to 1100"
    };
    let deaths = [
        ("panic", Death::Panic),
        ("abort", Death::Abort),
        ("segv", Death::Segv),
    ];
    let crash = deaths.map(|(name, death)| {
        (
            name.to_owned(),
            procedure(Procedure::Crash {
                death,
                window_ms: 400,
            }),
        )
    });
    let slow = [0, 8].map(|clients| {
        let load = Load {
            beside: Some(Disturbance::SlowClients { clients }),
            ..load(1000, None)
        };
        (format!("{clients} slow clients"), Task::Load(load))
    });
    let mut designs = vec![
        design(
            "equal-load",
            vec![equal, stage("kept", "epoll", &held, kept.collect())],
        ),
        design(
            "capacity",
            vec![
                stage(
                    "new",
                    "iterative",
                    names,
                    vec![("new".into(), Task::Load(closed(false)))],
                ),
                stage(
                    "kept",
                    "epoll",
                    &held,
                    vec![("kept".into(), Task::Load(closed(true)))],
                ),
            ],
        ),
        design(
            "slow-client",
            vec![stage("slow", "thread-per-client", names, slow.into())],
        ),
        design(
            "crash",
            vec![stage("crash", "thread-per-client", names, crash.into())],
        ),
        design(
            "idle",
            vec![stage(
                "idle",
                "tokio",
                &held,
                vec![(
                    idle.into(),
                    procedure(Procedure::Idle { clients_max: 1100 }),
                )],
            )],
        ),
        design(
            "spawn",
            vec![stage(
                "spawn",
                "thread-per-client",
                &held,
                vec![(
                    "2000 in turn".into(),
                    procedure(Procedure::Spawn { count: 2000 }),
                )],
            )],
        ),
    ];
    if is_full {
        designs[0].stages.push(targets_stage(names));
        let waits = [
            "0 ms, 64 clients",
            "10 ms, 64 clients",
            "10 ms, 1024 clients",
        ];
        let waits = waits.map(|name| (name.to_owned(), open(2000, Some(64))));
        designs.insert(
            2,
            design(
                "wait",
                vec![stage("wait", "pre-threaded", &held, waits.into())],
            ),
        );
        let grid = [(16, 500), (512, 2000)].map(|(clients, rate)| {
            let levels = [0, 10].into_iter().flat_map(|ms| {
                [("new", None), ("kept", Some(clients))].map(|(name, connections)| {
                    let load = Load {
                        path: format!("/wait/{ms}"),
                        ..load(rate, connections)
                    };
                    (
                        format!("{clients} clients, {name}, {ms} ms"),
                        Task::Load(load),
                    )
                })
            });
            stage(
                &format!("{clients} clients"),
                "epoll",
                &held[..8],
                levels.collect(),
            )
        });
        designs.push(design("grid", grid.into()));
    }
    designs
}

fn design(experiment: &str, stages: Vec<Stage>) -> Design {
    Design {
        experiment: experiment.into(),
        stages,
        precision: None,
        blocks_min: 5,
        blocks_max: 5,
        budget_s: 60.0,
    }
}

fn stage(name: &str, control: &str, names: &[&str], levels: Vec<(String, Task)>) -> Stage {
    let level = |(name, task): (String, Task)| Level {
        name,
        control: control.into(),
        participants: names.iter().map(|name| (*name).to_owned()).collect(),
        cycles: 4,
        task,
    };
    Stage {
        name: name.into(),
        participants: names
            .iter()
            .map(|name| participant(name, name, Role::Compared))
            .collect(),
        server_cpus: vec![0],
        generator_cpus: vec![1],
        levels: levels.into_iter().map(level).collect(),
    }
}

/// A stage with the control and the reference targets among `names`, under the same load.
fn targets_stage(names: &[&str]) -> Stage {
    let targets = names.iter().filter(|name| is_target(name)).copied();
    let beside: Vec<&str> = ["iterative"].into_iter().chain(targets).collect();
    let level = (TARGETS.level.into(), open(2000, None));
    stage("targets, new", "iterative", &beside, vec![level])
}

fn is_target(name: &str) -> bool {
    SERVERS
        .iter()
        .any(|(server, attention, ..)| *server == name && *attention == "target")
}

fn participant(name: &str, server: &str, role: Role) -> Participant {
    Participant {
        name: name.into(),
        server: server.into(),
        options: Vec::new(),
        role,
    }
}

fn load(rate: u32, connections: Option<u32>) -> Load {
    Load {
        pace: LoadPace::Open {
            rate_per_s: f64::from(rate),
            connections,
        },
        requests_per_connection: if connections.is_some() { None } else { Some(1) },
        window_ms: 200,
        ..Load::default()
    }
}

fn open(rate: u32, connections: Option<u32>) -> Task {
    Task::Load(load(rate, connections))
}

fn procedure(procedure: Procedure) -> Task {
    Task::Procedure(procedure)
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
                        reading
                            .notes
                            .insert("limit".into(), "descriptors (RLIMIT_NOFILE)".into());
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

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]
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
        let kept = if load.requests_per_connection.is_none() {
            0.35
        } else {
            1.0
        };
        let paced = 1.0 + 12.0 / rate.sqrt();
        let planted = if reading.participant.ends_with("planted") {
            PLANTED_US
        } else {
            0.0
        };
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
            failed_checks: Vec::new(),
        });
    }
    reading.response_histogram = Some(Histograms::encode(&all));
}

fn figures(name: &str, procedure: &Procedure, random: &mut Random) -> BTreeMap<Metric, f64> {
    let (factor, kib, is_process) = server(name);
    let near = random.around(0.03);
    match procedure {
        Procedure::Idle { .. } => BTreeMap::from([
            (Metric::MemoryPerClient, kib * near),
            (Metric::KernelMemoryPerClient, (3.0 + kib / 20.0) * near),
            (
                Metric::ClientsHeld,
                if is_process { 1_000.0 } else { 19_900.0 },
            ),
        ]),
        Procedure::Crash { death, .. } => {
            let dies = !is_process && *death != Death::Panic;
            BTreeMap::from([
                (Metric::OthersFailed, if dies { 0.92 * near } else { 0.0 }),
                (Metric::Survived, if dies { 0.0 } else { 1.0 }),
            ])
        }
        Procedure::Spawn { .. } => BTreeMap::from([(Metric::SpawnTime, 12.0 * factor * near)]),
        Procedure::Share { .. } => {
            BTreeMap::from([(Metric::SharedOperation, 0.006 * factor * near)])
        }
        Procedure::SystemCalls { .. } => {
            BTreeMap::from([(Metric::SystemCalls, 4.0 * factor * near)])
        }
        Procedure::Crowd { .. } => BTreeMap::from([
            (Metric::ClientsHeld, 10_000.0),
            (Metric::CrowdGoodput, (0.9 * near).min(1.0)),
        ]),
        Procedure::Overload { of_capacity, .. } => {
            BTreeMap::from([(Metric::GoodputOfCapacity, of_capacity.min(0.95) * near)])
        }
        Procedure::Backlog { backlog } => BTreeMap::from([
            (Metric::ClientsConnected, f64::from(*backlog) + 1.0),
            (Metric::ConnectsAfter1S, 0.4 * near),
        ]),
    }
}

/// A small generator, the same everywhere (SplitMix64).
struct Random(u64);

impl Random {
    #[allow(clippy::cast_precision_loss)]
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
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
