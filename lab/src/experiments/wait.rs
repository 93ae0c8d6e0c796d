//! **Question.** When an answer waits for something else (a disk, another server), does a model pay for the waiting,
//! and does async win because of it?
//!
//! **Measurement.** The same rate of requests for `/wait/MS`, which uses no CPU, over kept connections. So no model
//! pays for making a thread, and only the waiting differs. The control is a pool of threads with a worker for each
//! client. Beside the models stand servers in languages that make waiting cheap for every client: goroutines, virtual
//! threads, Erlang's processes.

use super::{Design, Experiment, Load, Metric, Setting, StageDraft, text};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "wait",
    question: text(
        "Answers that wait 0, 10 or 100 ms without using a CPU: which model pays for the waiting?",
        "Respuestas que esperan 0, 10 o 100 ms sin usar la CPU: ¿qué modelo paga la espera?",
    ),
    changes_mind: text(
        "An async model that costs less than waiting threads by the same ratio with a wait as without one.",
        "Un modelo asíncrono que cueste menos que los hilos que esperan en la misma proporción con espera que sin ella.",
    ),
    metrics: &[
        Metric::CpuPerRequest,
        Metric::ResponseP50,
        Metric::ResponseP99,
        Metric::SwitchesPerRequest,
    ],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const LEVELS: [&str; 2] = ["0 ms, 64 clients", "10 ms, 64 clients"];
    let cycles = setting.choose(4, 6);
    let mut usual = stage(setting, 64)
        .load(LEVELS[0], cycles, load(0, 64, 2_000.0))
        .load(LEVELS[1], cycles, load(10, 64, 2_000.0));
    let mut stages = Vec::new();
    if setting.is_full() {
        let few = stage(setting, 16)
            .load("0 ms, 16 clients", 4, load(0, 16, 500.0))
            .load("10 ms, 16 clients", 4, load(10, 16, 500.0));
        usual = usual.load("100 ms, 64 clients", 2, load(100, 64, 300.0));
        let many = stage(setting, 1_024)
            .load("0 ms, 1024 clients", 2, load(0, 1_024, 2_000.0))
            .load("10 ms, 1024 clients", 2, load(10, 1_024, 2_000.0))
            .load("100 ms, 1024 clients", 2, load(100, 1_024, 2_000.0));
        stages.extend([few, usual, many]);
    } else {
        stages.push(usual);
    }
    let design = Design::new(
        &EXPERIMENT,
        stages,
        setting.choose(5, 4)..=30,
        setting.choose(23.0, 250.0),
    );
    Some(design.until_precise(Metric::CpuPerRequest, 0.04, &LEVELS))
}

fn stage<'s>(setting: &'s Setting<'_>, clients: u32) -> StageDraft<'s> {
    let names: &[&str] = setting.choose(
        &["thread-per-client", "epoll", "tokio"],
        &[
            "thread-per-client",
            "epoll",
            "coroutine-per-client",
            "tokio",
        ],
    );
    let others = ["go", "java-virtual-threads", "erlang"];
    setting
        .stage(&EXPERIMENT, &format!("{clients} clients"), "pre-threaded")
        .models(names, Some(clients))
        .targets(&others, &load(0, clients, 2_000.0))
        .own_targets(&load(0, clients, 2_000.0))
}

fn load(wait_ms: u32, clients: u32, rate_per_s: f64) -> Load {
    Load {
        path: format!("/wait/{wait_ms}"),
        // Connections are opened first; then the number of pending requests has to reach its final level.
        warmup_ms: 30 + clients / 10 + wait_ms,
        ..Load::with_kept(rate_per_s, clients)
    }
}
