//! # Keep-alive: what does a request cost when its client stays?
//!
//! **Question.** The cost of accepting a client is paid once per connection. When several requests share it, what is
//! left of the difference between models?
//!
//! **Measurement.** The same rate of requests for every model, with 1, 10, 100 and unlimited requests per connection. A
//! pool whose workers hold one client each has a worker for every client.

use hola_base::text;

use super::Experiment;
use super::roster::{KINDS, Setting, with_again};
use crate::metric::Metric;
use crate::plan::{Design, Load, LoadPace, Precision};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "keep-alive",
    question: text(
        "The same rate with 1, 10, 100 or unlimited requests per connection: what does a request cost when its client stays?",
        "El mismo ritmo con 1, 10, 100 o ilimitadas peticiones por conexión: ¿qué cuesta una petición cuando el cliente se queda?",
    ),
    changes_mind: text(
        "Ratios that do not move towards 1 as requests per connection grow.",
        "Razones que no se acerquen a 1 al crecer las peticiones por conexión.",
    ),
    metrics: &[
        Metric::CpuPerRequest,
        Metric::ResponseP99,
        Metric::SwitchesPerRequest,
    ],
    design,
};

/// Connections at once, at most.
const CLIENTS: u32 = 64;

fn design(setting: &Setting<'_>) -> Option<Design> {
    const CONTROL: &str = "epoll";
    if !setting.is_full() {
        return None;
    }
    let load = |requests_per_connection| Load {
        pace: LoadPace::Open {
            rate_per_s: 2_000.0,
            connections: Some(CLIENTS),
        },
        requests_per_connection,
        warmup_ms: 30,
        window_ms: 80,
        ..Load::default()
    };
    let models = setting.models(EXPERIMENT.name, CONTROL, KINDS, Some(CLIENTS));
    let stage = setting
        .stage("kept", with_again(models, CONTROL))
        .load("1 request", CONTROL, 3, load(Some(1)))
        .load("10 requests", CONTROL, 3, load(Some(10)))
        .load("100 requests", CONTROL, 3, load(Some(100)))
        .load("unlimited", CONTROL, 3, load(None));
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage],
        precision: Some(Precision {
            metric: Metric::CpuPerRequest,
            levels: vec!["10 requests".into(), "unlimited".into()],
            half_width: 0.04,
        }),
        blocks_min: 5,
        blocks_max: 30,
        budget_s: 76.0,
    })
}
