//! **Question.** Many comparisons do not control two settings: the length of the accept queue, and the number of
//! workers of a pool. How much of a difference "between models" comes from them?
//!
//! **Measurement.** The same model with the setting as it is often left and as it should be, in the same blocks: a
//! queue of 10 and of 1,024 under a closed loop of 256 clients; a pool of 4 workers and one of a worker for each of 64
//! clients whose answers wait 10 ms.

use super::{Design, Experiment, Load, Metric, Setting, StageDraft, text};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "confounders",
    question: text(
        "A short accept queue, a small pool: how much of a difference between models is a setting's?",
        "Una cola de aceptación corta, un grupo pequeño: ¿cuánto de una diferencia entre modelos es de un ajuste?",
    ),
    changes_mind: text(
        "Models whose figures do not change with the setting.",
        "Modelos cuyas cifras no cambien con el ajuste.",
    ),
    metrics: &[Metric::ResponseP99, Metric::GoodPerS],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    setting.only_full()?;
    let stages = [queue(setting), pool(setting)];
    Some(Design::new(&EXPERIMENT, stages, 5..=5, 50.0))
}

/// Clients that find the queue full try again after a second: the window is longer than that.
fn queue<'s>(setting: &'s Setting<'_>) -> StageDraft<'s> {
    let load = Load {
        warmup_ms: 100,
        window_ms: 1_500,
        expects_failures: true,
        ..Load::with_clients(256)
    };
    setting
        .stage(&EXPERIMENT, "queue", "tokio")
        .models(&["thread-per-client"], None)
        .with_variant_of_each("queue of 10", &["--backlog", "10"])
        .load("256 clients", 1, load)
}

fn pool<'s>(setting: &'s Setting<'_>) -> StageDraft<'s> {
    const CONTROL: &str = "pre-threaded";
    let load = Load {
        requests_per_connection: None,
        path: "/wait/10".into(),
        warmup_ms: 100,
        window_ms: 400,
        ..Load::with_clients(64)
    };
    setting
        .stage(&EXPERIMENT, "pool", CONTROL)
        .models(&["tokio"], Some(64))
        .with_variant(CONTROL, "4 workers", &["--workers", "4"])
        .load("64 clients wait 10 ms", 2, load)
}
