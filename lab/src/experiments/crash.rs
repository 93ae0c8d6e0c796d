//! **Question.** A client makes its handler panic, abort or access invalid memory, ten times a second. Which other
//! clients lose their answers, and how soon are clients served again?
//!
//! **Measurement.** On a fresh server each time, an open loop of clients with short waits, so that some requests are
//! always pending, beside one client that requests `/crash/…`; the share of the others' requests that failed, and the
//! time from a death to the greeting of a fresh client.

use super::{ALL, Design, Experiment, Metric, Procedure, Setting, text};
use crate::plan::Death;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "crash",
    question: text(
        "A client's handler panics, aborts or crashes: who goes down with it?",
        "El manejador de un cliente entra en pánico, aborta o falla: ¿a quién arrastra?",
    ),
    changes_mind: text(
        "A model with one process whose other clients are answered after an abort.",
        "Un modelo de un solo proceso cuyos demás clientes reciban respuesta tras un abort.",
    ),
    metrics: &[Metric::OthersFailed, Metric::Survived, Metric::RecoveryTime],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    let names: &[&str] = setting.choose(&["fork-per-client"], ALL);
    let crash = |death| Procedure::Crash {
        death,
        window_ms: 400,
    };
    let stage = setting
        .stage(&EXPERIMENT, "crash", "thread-per-client")
        .models(names, None)
        .procedure("panic", crash(Death::Panic))
        .procedure("abort", crash(Death::Abort))
        .procedure("segv", crash(Death::Segv));
    Some(Design::new(
        &EXPERIMENT,
        [stage],
        setting.choose(5, 4)..=5,
        setting.choose(16.0, 115.0),
    ))
}
