//! # Deadlines: what does a deadline for every wait cost?
//!
//! **Question.** A server without deadlines is easily blocked by its clients. What does each model pay for the deadline
//! of every wait: a socket option that the kernel enforces, a timer in an event loop's heap, or a timer of a task?
//!
//! **Measurement.** The same rate of requests over connections that stay, so that every request is a wait with a
//! deadline; the same servers with their usual deadlines and with none, in the same blocks.

use hola_base::text;

use super::Experiment;
use super::roster::{Setting, with_again, with_variant};
use crate::metric::Metric;
use crate::plan::{Design, Load, LoadPace, Precision};

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
    const CONTROL: &str = "thread-per-client";
    const CLIENTS: u32 = 64;
    const LEVEL: &str = "kept, 2000/s";
    let load = Load {
        pace: LoadPace::Open {
            rate_per_s: 2_000.0,
            connections: Some(CLIENTS),
        },
        requests_per_connection: None,
        warmup_ms: 25,
        window_ms: 80,
        ..Load::default()
    };
    let names = setting.choose(
        &["thread-per-client", "tokio"][..],
        &[
            "thread-per-client",
            "epoll",
            "tokio-current-thread",
            "tokio",
        ][..],
    );
    let mut participants = setting.models(EXPERIMENT.name, CONTROL, names, Some(CLIENTS));
    for model in participants.clone() {
        participants = with_variant(
            participants,
            &model.name,
            "no deadlines",
            &["--deadlines", "off"],
        );
    }
    let stage = setting
        .stage("kept", with_again(participants, CONTROL))
        .load(LEVEL, CONTROL, setting.choose(5, 8), load);
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage],
        precision: Some(Precision {
            metric: Metric::CpuPerRequest,
            levels: vec![LEVEL.into()],
            half_width: 0.02,
        }),
        blocks_min: 5,
        blocks_max: 30,
        budget_s: setting.choose(15.0, 106.0),
    })
}
