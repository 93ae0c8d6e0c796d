//! # Sharing: what does a counter that all clients share cost?
//!
//! **Question.** Threads share memory as it is; processes share what was set up for it before they were forked. What does
//! counting in shared memory add to a request, and is the count right?
//!
//! **Measurement.** The same rate of requests over connections that stay, for `/` and for `/count`; CPU time per request.

use hola_base::text;

use super::Experiment;
use super::roster::{KINDS, Setting};
use crate::metric::Metric;
use crate::plan::{Design, Load, Pace, Precision};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "sharing",
    question: text(
        "One counter shared by all clients: what does it add to a request?",
        "Un contador compartido por todos los clientes: ¿qué añade a una petición?",
    ),
    changes_mind: text(
        "A model of processes whose requests cost more than 5 % more with the counter.",
        "Un modelo de procesos cuyas peticiones cuesten con el contador más de un 5 % más.",
    ),
    metrics: &[Metric::CpuPerRequest],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const CONTROL: &str = "thread-per-client";
    const CLIENTS: u32 = 16;
    if !setting.is_full() {
        return None;
    }
    let load = |path: &str| Load {
        pace: Pace::Open {
            rate_per_s: 2_000.0,
            connections: Some(CLIENTS),
        },
        requests_per_connection: None,
        path: path.into(),
        warmup_ms: 40,
        ..Load::default()
    };
    let models = setting.models(EXPERIMENT.name, CONTROL, KINDS, Some(CLIENTS));
    let stage = setting
        .stage("kept", models)
        .load("greeting", CONTROL, 3, load("/"))
        .load("count", CONTROL, 3, load("/count"));
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage],
        precision: Some(Precision {
            metric: Metric::CpuPerRequest,
            levels: vec!["greeting".into(), "count".into()],
            half_width: 0.04,
        }),
        blocks_min: 5,
        blocks_max: 20,
        budget_s: 40.0,
    })
}
