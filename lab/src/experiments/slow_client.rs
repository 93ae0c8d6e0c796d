//! **Question.** Some clients send half a request head and stay, until the server's deadline for it (5 s). What happens
//! to the others?
//!
//! **Measurement.** Fast clients arrive at a planned rate that every model can serve, with one request per connection
//! and a timeout of one second, beside no slow client and beside eight: the share of them that failed, and their
//! response times. If a model that serves one client at a time answers nothing, that is a finding, not a failed
//! measurement.

use super::{Design, Experiment, Load, Metric, Setting, text};
use crate::plan::Disturbance;

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
    let load = |slow: u32| Load {
        beside: (slow > 0).then_some(Disturbance::SlowClients { clients: slow }),
        // A 99th percentile needs a thousand requests in a block.
        window_ms: 300,
        timeout_ms: 1_000,
        expects_failures: true,
        ..Load::with_rate(2_000.0)
    };
    let names: &[&str] = setting.choose(&["iterative"], &["iterative", "pre-threaded", "epoll"]);
    let cycles = setting.choose(2, 3);
    let mut stage = setting
        .stage(&EXPERIMENT, "new", "thread-per-client")
        .models(names, None)
        .load("no slow client", cycles, load(0));
    if setting.is_full() {
        stage = stage.load("1 slow client", 1, load(1));
    }
    let stage = stage.load("8 slow clients", cycles, load(8));
    let (blocks, budget_s) = setting.choose((4..=10, 20.0), (4..=10, 65.0));
    Some(Design::new(&EXPERIMENT, [stage], blocks, budget_s))
}
