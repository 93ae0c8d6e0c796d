//! # Confounders: how do comparisons of models go wrong?
//!
//! **Question.** Many comparisons do not control two settings: the length of the accept queue, and the number of
//! workers of a pool. How much of a difference "between models" comes from them?
//!
//! **Measurement.** The same model with the setting as it is often left and as it should be, in the same blocks: a
//! queue of 10 and of 1,024 under a closed loop of 256 clients; a pool of 4 workers and one of a worker for each of 64
//! clients whose answers wait 10 ms.

use hola_base::text;

use super::Experiment;
use super::roster::{Setting, with_variant};
use crate::metric::Metric;
use crate::plan::{Design, Load, LoadPace, Stage};

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
    setting.is_full().then(|| Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![queue(setting), pool(setting)],
        precision: None,
        blocks_min: 5,
        blocks_max: 5,
        budget_s: 50.0,
    })
}

/// Clients that find the queue full try again after a second: the window is longer than that.
fn queue(setting: &Setting<'_>) -> Stage {
    const CONTROL: &str = "tokio";
    let load = Load {
        pace: LoadPace::Closed { clients: 256 },
        warmup_ms: 100,
        window_ms: 1_500,
        expects_failures: true,
        ..Load::default()
    };
    let mut participants = setting.models(
        EXPERIMENT.name,
        CONTROL,
        &["thread-per-client", CONTROL],
        None,
    );
    for model in participants.clone() {
        participants = with_variant(
            participants,
            &model.name,
            "queue of 10",
            &["--backlog", "10"],
        );
    }
    setting
        .stage("queue", participants)
        .load("256 clients", CONTROL, 1, load)
}

fn pool(setting: &Setting<'_>) -> Stage {
    const CONTROL: &str = "pre-threaded";
    let load = Load {
        pace: LoadPace::Closed { clients: 64 },
        requests_per_connection: None,
        path: "/wait/10".into(),
        warmup_ms: 100,
        window_ms: 400,
        ..Load::default()
    };
    let participants = setting.models(EXPERIMENT.name, CONTROL, &[CONTROL, "tokio"], Some(64));
    let participants = with_variant(participants, CONTROL, "4 workers", &["--workers", "4"]);
    setting
        .stage("pool", participants)
        .load("64 clients wait 10 ms", CONTROL, 2, load)
}
