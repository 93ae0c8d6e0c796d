//! **Question.** A server without deadlines is easily blocked by its clients. What does each model pay for the deadline
//! of every wait: a socket option that the kernel enforces, a timer in an event loop's heap, or a timer of a task?
//!
//! **Measurement.** The same rate of requests over connections that stay, so that every request is a wait with a
//! deadline; the same servers with their usual deadlines and with none, in the same blocks.

use super::equal_load::{KEPT, kept};
use super::{Design, Experiment, Metric, Setting, text};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "deadlines",
    question: text(
        "A deadline for every wait, or none: what does it cost each model?",
        "Un plazo para cada espera, o ninguno: ¿qué le cuesta a cada modelo?",
    ),
    changes_mind: text(
        "A task that costs less than a thread without deadlines, and more with them.",
        "Una tarea que cueste menos que un hilo sin plazos, y más con ellos.",
    ),
    metrics: &[Metric::CpuPerRequest],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const LEVEL: &str = "kept, 2000/s";
    let names: &[&str] = setting.choose(&["tokio"], &["epoll", "tokio-current-thread", "tokio"]);
    let stage = setting
        .stage(&EXPERIMENT, "kept", "thread-per-client")
        .models(names, Some(KEPT))
        .with_variant_of_each("no deadlines", &["--deadlines", "off"])
        .with_again()
        .load(LEVEL, setting.choose(5, 8), kept(2_000.0, 80));
    let design = Design::new(&EXPERIMENT, [stage], 5..=30, setting.choose(15.0, 75.0));
    Some(design.until_precise(Metric::CpuPerRequest, 0.02, &[LEVEL]))
}
