//! **Question.** It is said that thousands of threads, or of processes, bring a server down. At which number does the
//! kernel refuse one more, and how much goodput is left then?
//!
//! **Measurement.** On a fresh server whose own cap is lifted, a growing number of busy clients over kept connections,
//! until one is refused or goodput has fallen below half of its best.

use super::{Design, Experiment, Metric, Procedure, Setting, text};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "crowd",
    question: text(
        "64 to 10 000 busy clients: does a model collapse, and what ends the climb?",
        "De 64 a 10 000 clientes ocupados: ¿se hunde un modelo, y qué pone fin a la subida?",
    ),
    changes_mind: text(
        "Threads whose goodput with thousands of clients is that of an event loop.",
        "Hilos cuyo rendimiento útil con miles de clientes sea el de un bucle de eventos.",
    ),
    metrics: &[Metric::CrowdGoodput, Metric::ClientsHeld],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    setting.only_full()?;
    let clients_max = 10_000;
    let stage = setting
        .stage(&EXPERIMENT, "crowd", "epoll")
        .models(&["fork-per-client", "thread-per-client"], None)
        .procedure("up to 10000", Procedure::Crowd { clients_max });
    Some(Design::new(&EXPERIMENT, [stage], 3..=5, 120.0))
}
