//! # Slow client: which clients wait for one that does not finish its request?
//!
//! **Question.** Some clients send half a request head and stay, until the server's deadline for it (5 s). What happens
//! to the others?
//!
//! **Measurement.** Fast clients arrive at a planned rate that every model can serve, with one request per connection
//! and a timeout of one second, beside no slow client and beside eight: the share of them that failed, and their
//! response times. If a model that serves one client at a time answers nothing, that is a finding, not a failed
//! measurement.

use hola_base::text;

use super::Experiment;
use super::roster::Setting;
use crate::metric::Metric;
use crate::plan::{Design, Disturbance, Load, LoadPace};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "slow-client",
    question: text(
        "Clients that send half a head and stay: whom do they keep waiting?",
        "Clientes que envían media cabecera y se quedan: ¿a quién hacen esperar?",
    ),
    changes_mind: text(
        "Fast clients of a model with a thread, a process or a task for each that wait longer beside slow ones.",
        "Clientes rápidos de un modelo con hilo, proceso o tarea para cada uno que esperen más junto a los lentos.",
    ),
    metrics: &[
        Metric::FailedShare,
        Metric::GoodPerS,
        Metric::ResponseP99,
        Metric::ResponseP50,
    ],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const CONTROL: &str = "thread-per-client";
    let load = |slow: u32| Load {
        pace: LoadPace::Open {
            rate_per_s: 2_000.0,
            connections: None,
        },
        beside: (slow > 0).then_some(Disturbance::SlowClients { clients: slow }),
        // A 99th percentile needs a thousand requests in a block.
        window_ms: 300,
        timeout_ms: 1_000,
        expects_failures: true,
        ..Load::default()
    };
    let names = setting.choose(
        &["iterative", CONTROL][..],
        &["iterative", CONTROL, "pre-threaded", "epoll"][..],
    );
    let models = setting.models(EXPERIMENT.name, CONTROL, names, None);
    let cycles = setting.choose(2, 3);
    let stage = setting
        .stage("new", models)
        .load("no slow client", CONTROL, cycles, load(0));
    let stage = match setting.is_full() {
        true => stage.load("1 slow client", CONTROL, 1, load(1)),
        false => stage,
    };
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage.load("8 slow clients", CONTROL, cycles, load(8))],
        precision: None,
        blocks_min: setting.choose(4, 5),
        blocks_max: 10,
        budget_s: setting.choose(20.0, 122.0),
    })
}
