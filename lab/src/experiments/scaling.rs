//! # Scaling: which models use more than one CPU?
//!
//! **Question.** Processes and threads can run on all CPUs at once, a single loop cannot. How much more does each model
//! serve with twice the CPUs?
//!
//! **Measurement.** A closed loop of clients that request a computation of about 2 ms, with the server on one CPU and
//! on two; the rate of good answers. With only two CPUs the generator shares the second one, and what it uses there is
//! missing from the server's rate.
//!
//! **Python beside it.** Its interpreter runs one thread at a time, so one process with threads cannot use a second
//! CPU, and processes can. What people say of threads in general is true of these. Python computes more than a hundred
//! times more slowly, and gets a hundredth of the rounds. So its rates can only be compared between numbers of CPUs.

use std::collections::BTreeMap;

use hola_base::text;

use super::Experiment;
use super::roster::Setting;
use crate::metric::Metric;
use crate::plan::{Design, Load, LoadPace, Stage};

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

const CONTROL: &str = "iterative";

/// A hundredth of what the models compute.
const FEWER_ROUNDS: &str = "/compute/10000";

fn design(setting: &Setting<'_>) -> Option<Design> {
    let [first, .., last] = setting.cpus.as_slice() else {
        // Scaling needs a second CPU.
        return None;
    };
    let second = setting.cpus[1];
    let generator = match setting.cpus.len() {
        2 => second,
        _ => *last,
    };
    let one = stage(setting, "1 CPU", vec![*first], generator);
    let two = stage(setting, "2 CPUs", vec![*first, second], generator);
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![one, two],
        precision: None,
        blocks_min: 5,
        blocks_max: setting.choose(5, 10),
        budget_s: setting.choose(15.0, 90.0),
    })
}

fn stage(setting: &Setting<'_>, name: &str, server_cpus: Vec<usize>, generator: usize) -> Stage {
    let load = Load {
        pace: LoadPace::Closed { clients: 16 },
        path: "/compute/1000000".into(),
        paths: BTreeMap::from(
            ["python-threads", "python-processes"].map(|name| (name.into(), FEWER_ROUNDS.into())),
        ),
        warmup_ms: 60,
        window_ms: 400,
        ..Load::default()
    };
    let names = setting.choose(
        &["iterative", "fork-per-client", "thread-per-client"][..],
        &[
            "iterative",
            "fork-per-client",
            "pre-forked",
            "thread-per-client",
            "pre-threaded",
            "epoll",
            "epoll-per-core",
            "tokio",
        ][..],
    );
    let models = setting.models(EXPERIMENT.name, CONTROL, names, None);
    let targets = setting.targets(
        EXPERIMENT.name,
        &["python-threads", "python-processes"],
        &load,
    );
    let mut stage = setting.stage(name, [models, targets].concat());
    stage.server_cpus = server_cpus;
    stage.generator_cpus = vec![generator];
    stage.load(name, CONTROL, 1, load)
}
