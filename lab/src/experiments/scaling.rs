//! **Question.** Processes and threads can run on all CPUs at once, a single loop cannot. How much more does each model
//! serve with twice the CPUs?
//!
//! **Measurement.** A closed loop of clients that request a computation of about 2 ms, with the server on one CPU and
//! on two; the rate of good answers. With only two CPUs the generator shares the second one, and what it uses there is
//! missing from the server's rate.
//!
//! **Python and Node beside it.** Python's interpreter runs one thread at a time, so one process with threads cannot use
//! a second CPU, and processes can; nor can Node's one loop, and a cluster of them can. What people say of threads in
//! general is true of these. Both compute far more slowly, and get a hundredth of the rounds. So their rates can only be
//! compared between numbers of CPUs.

use std::collections::BTreeMap;

use super::{Design, Experiment, Load, Metric, Setting, StageDraft, text};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "scaling",
    question: text(
        "Computed answers, with the server on one CPU and on two: who uses the second?",
        "Respuestas calculadas, con el servidor en una CPU y en dos: ¿quién aprovecha la segunda?",
    ),
    changes_mind: text(
        "On two CPUs, threads that serve no more than a single loop, while processes do.",
        "En dos CPU, hilos que no atiendan más que un único bucle, mientras que los procesos sí.",
    ),
    metrics: &[Metric::GoodPerS, Metric::CpuPerRequest],
    design,
};

/// Targets that compute slowly.
const SLOW: [&str; 5] = [
    "python-threads",
    "python-processes",
    "python-threads-no-gil",
    "node",
    "node-cluster",
];

/// A hundredth of what the models compute.
const FEWER_ROUNDS: &str = "/compute/10000";

fn design(setting: &Setting<'_>) -> Option<Design> {
    // Scaling needs a second CPU.
    let [first, second, others @ ..] = setting.cpus.as_slice() else {
        return None;
    };
    let generator = *others.last().unwrap_or(second);
    let one = stage(setting, "1 CPU", vec![*first], generator);
    let two = stage(setting, "2 CPUs", vec![*first, *second], generator);
    let (blocks, budget_s) = setting.choose((5..=5, 15.0), (4..=10, 112.0));
    Some(Design::new(&EXPERIMENT, [one, two], blocks, budget_s))
}

fn stage<'s>(
    setting: &'s Setting<'_>,
    name: &str,
    server_cpus: Vec<usize>,
    generator: usize,
) -> StageDraft<'s> {
    let load = Load {
        path: "/compute/1000000".into(),
        paths: BTreeMap::from(SLOW.map(|name| (name.into(), FEWER_ROUNDS.into()))),
        warmup_ms: 60,
        window_ms: 400,
        ..Load::with_clients(16)
    };
    let names: &[&str] = setting.choose(
        &["fork-per-client", "thread-per-client"],
        &[
            "fork-per-client",
            "pre-forked",
            "thread-per-client",
            "pre-threaded",
            "epoll",
            "epoll-per-core",
            "tokio",
        ],
    );
    setting
        .stage(&EXPERIMENT, name, "iterative")
        .with_cpus(server_cpus, generator)
        .models(names, None)
        .targets(&SLOW, &load)
        .own_targets(&load)
        .load(name, 1, load)
}
