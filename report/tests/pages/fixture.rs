//! A made-up run, always the same: the real plans, and records that such a run could have.

use std::cell::RefCell;
use std::path::Path;

use hola_lab::experiments::{EXPERIMENTS, Setting};
use hola_lab::metric::Metric;
use hola_lab::plan::{
    Death, Design, Level, Load, LoadPace, Participant, Procedure, Profile, Stage, Task,
};
use hola_lab::record::{Block, CpuAccounting, Environment, Run, ServerCard, Skipped, StoredText};
use hola_lab::target::Targets;
use hola_verdict::analysis::{HEADLINE, TARGETS};

use crate::world::{Fact, Residuals, World};

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
    let mut world = World {
        blocks: 5,
        planted_us: Some(PLANTED_US),
        ..World::new(Residuals::normal(0.015, 0.02, 0.1))
    };
    for design in &designs {
        for (_, level) in design.levels() {
            for name in &level.participants {
                let facts = facts(level, name);
                world = world.with(&design.experiment, &level.name, name, &facts);
            }
        }
    }
    let mut records = world.measure_by(designs, 7);
    for reading in records
        .blocks
        .iter_mut()
        .flat_map(|block| &mut block.readings)
    {
        if let Some(survived) = reading.figures.get_mut(&Metric::Survived) {
            *survived = survived.round();
        }
        if reading.figures.contains_key(&Metric::MemoryPerClient) {
            let limit = "descriptors (RLIMIT_NOFILE)";
            reading.notes.insert("limit".into(), limit.into());
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
        name: format!("2026-11-27T101502Z-{}", profile.name()),
        profile,
        started_at: "2026-11-27T10:15:02Z".into(),
        finished_at: Some("2026-11-27T10:55:40Z".into()),
        command: command.split(' ').map(str::to_owned).collect(),
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
        ..records.run
    };
    (run, records.blocks)
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
            task: Task::Load(Load::with_rate(2_000.0)),
        }],
    }
}

/// What is true of a participant at a level.
fn facts(level: &Level, name: &str) -> Vec<Fact> {
    let base = name.split(',').next().unwrap_or(name);
    let found = SERVERS.iter().find(|(server, ..)| *server == base);
    let (_, attention, factor, kib) = found.unwrap_or(&SERVERS[0]);
    let is_process = *attention == "process";
    let figures = match &level.task {
        Task::Load(load) => return facts_of_load(name, *factor, load),
        Task::Procedure(Procedure::Idle { .. }) => vec![
            (Metric::MemoryPerClient, *kib),
            (Metric::KernelMemoryPerClient, 3.0 + kib / 20.0),
            (Metric::ClientsHeld, if is_process { 1e3 } else { 2e4 }),
        ],
        Task::Procedure(Procedure::Crash { death, .. }) => {
            let dies = !is_process && *death != Death::Panic;
            vec![
                (Metric::OthersFailed, if dies { 0.92 } else { 0.0 }),
                (Metric::Survived, if dies { 0.0 } else { 1.0 }),
            ]
        }
        Task::Procedure(Procedure::Spawn { .. }) => vec![(Metric::SpawnTime, 12.0 * factor)],
        Task::Procedure(Procedure::Share { .. }) => {
            vec![(Metric::SharedOperation, 0.006 * factor)]
        }
        Task::Procedure(Procedure::SystemCalls { .. }) => vec![(Metric::SystemCalls, 4.0 * factor)],
        Task::Procedure(Procedure::Crowd { .. }) => {
            vec![(Metric::ClientsHeld, 1e4), (Metric::CrowdGoodput, 0.9)]
        }
        Task::Procedure(Procedure::Overload { .. }) => vec![(Metric::GoodputOfCapacity, 0.9)],
        Task::Procedure(Procedure::Backlog { backlog }) => vec![
            (Metric::ClientsConnected, f64::from(*backlog) + 1.0),
            (Metric::ConnectsAfter1S, 0.4),
        ],
    };
    let fact = |(metric, value)| Fact::Is(metric, value);
    figures.into_iter().map(fact).collect()
}

fn facts_of_load(name: &str, factor: f64, load: &Load) -> Vec<Fact> {
    let kept = match load.requests_per_connection {
        None => 0.35,
        Some(_) => 1.0,
    };
    let planted_us = match name.ends_with("planted") {
        true => PLANTED_US,
        false => 0.0,
    };
    let cost_us = BASE_US * factor * kept + planted_us;
    match load.pace {
        LoadPace::Rest => vec![Fact::Serves(0.0)],
        // A simulated slice has a thousand times as many requests.
        LoadPace::Closed { .. } => vec![Fact::Is(Metric::CapacityPerS, 1e3 / cost_us)],
        LoadPace::Open { .. } => vec![
            Fact::Is(Metric::CpuPerRequest, cost_us),
            Fact::Is(Metric::SwitchesPerRequest, 2.0),
            Fact::Is(Metric::ResponseP50, 2.0 * cost_us),
            Fact::Is(Metric::ResponseP99, 6.0 * cost_us),
        ],
    }
}

/// A quick run in which `tokio` costs two fifths more.
pub fn with_slower_tokio() -> (Run, Vec<Block>) {
    let (run, mut blocks) = quick_run();
    for reading in blocks.iter_mut().flat_map(|block| &mut block.readings) {
        if reading.participant == "tokio" {
            let slices = reading.slices.iter_mut();
            slices.for_each(|slice| slice.cpu_us *= 1.4);
        }
    }
    (run, blocks)
}
