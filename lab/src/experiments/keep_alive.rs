//! **Question.** The cost of accepting a client is paid once per connection. When several requests share it, what is
//! left of the difference between models?
//!
//! **Measurement.** The same rate of requests for every model, with 1, 10, 100 and unlimited requests per connection. A
//! pool whose workers hold one client each has a worker for every client.

use super::{Design, Experiment, KINDS, Load, Metric, Setting, text};

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
    setting.only_full()?;
    let load = |requests_per_connection| Load {
        requests_per_connection,
        warmup_ms: 30,
        window_ms: 80,
        ..Load::with_kept(2_000.0, CLIENTS)
    };
    let stage = setting
        .stage(&EXPERIMENT, "kept", "epoll")
        .models(KINDS, Some(CLIENTS))
        .own_targets(&load(None))
        .with_again()
        .load("1 request", 3, load(Some(1)))
        .load("10 requests", 3, load(Some(10)))
        .load("100 requests", 3, load(Some(100)))
        .load("unlimited", 3, load(None));
    let design = Design::new(&EXPERIMENT, [stage], 5..=30, 76.0);
    Some(design.until_precise(Metric::CpuPerRequest, 0.04, &["10 requests", "unlimited"]))
}
