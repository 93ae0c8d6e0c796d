//! # Grid: which model for my load?
//!
//! **Question.** Loads differ in the number of clients, whether they stay, and how long an answer waits for something
//! else. Which kind of model costs least for which load?
//!
//! **Measurement.** All models get the same rate of requests in each combination: 16 or 512 clients, which stay or open
//! a new connection for each request, with answers at once or after 10 ms. CPU time per request.

use hola_base::text;

use super::Experiment;
use super::roster::Setting;
use crate::metric::Metric;
use crate::plan::{Design, Load, LoadPace, Stage};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "grid",
    question: text(
        "Few clients or many, new or kept, answers at once or after 10 ms: which model costs least where?",
        "Pocos clientes o muchos, nuevos o que se quedan, respuestas inmediatas o tras 10 ms: ¿qué modelo cuesta menos en cada caso?",
    ),
    changes_mind: text(
        "One model that costs least in every corner.",
        "Un modelo que cueste menos en todas las esquinas.",
    ),
    metrics: &[Metric::CpuPerRequest],
    design,
};

const CONTROL: &str = "epoll";

fn design(setting: &Setting<'_>) -> Option<Design> {
    setting.is_full().then(|| Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage(setting, 16, 500.0), stage(setting, 512, 2_000.0)],
        precision: None,
        blocks_min: 5,
        blocks_max: 7,
        budget_s: 52.0,
    })
}

fn stage(setting: &Setting<'_>, clients: u32, rate_per_s: f64) -> Stage {
    const NAMES: &[&str] = &[
        "fork-per-client",
        "thread-per-client",
        "pre-threaded",
        CONTROL,
        "tokio",
    ];
    let models = setting.models(EXPERIMENT.name, CONTROL, NAMES, Some(clients));
    let mut stage = setting.stage(&format!("{clients} clients"), models);
    for wait_ms in [0, 10] {
        for (name, is_kept) in [("new", false), ("kept", true)] {
            let load = Load {
                pace: LoadPace::Open {
                    rate_per_s,
                    connections: is_kept.then_some(clients),
                },
                requests_per_connection: (!is_kept).then_some(1),
                path: format!("/wait/{wait_ms}"),
                warmup_ms: 40 + wait_ms + clients / 10,
                ..Load::default()
            };
            stage = stage.load(
                &format!("{clients} clients, {name}, {wait_ms} ms"),
                CONTROL,
                1,
                load,
            );
        }
    }
    stage
}
