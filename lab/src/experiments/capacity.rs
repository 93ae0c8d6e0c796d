//! **Question.** With work waiting at all times, how many requests per second does each model answer on one CPU?
//!
//! **Measurement.** A closed loop of 64 clients, with a new connection for each request and over kept connections. Only
//! slices count in which the server used its whole CPU. If the generator reached its limit first, there is no figure:
//! it would be the generator's.

use super::{ALL, Design, Experiment, Load, Metric, QUICK, Setting, text};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "capacity",
    question: text(
        "Work for every moment of one CPU: how many requests per second does each model answer?",
        "Trabajo para cada instante de una CPU: ¿cuántas peticiones por segundo responde cada modelo?",
    ),
    changes_mind: text(
        "Models that all answer the same number of requests per second, within ±5 %.",
        "Modelos que respondan todos las mismas peticiones por segundo, con un margen del ±5 %.",
    ),
    metrics: &[
        Metric::CapacityPerS,
        Metric::CpuPerRequest,
        Metric::GoodPerS,
    ],
    design,
};

/// Clients: enough that the server is never without work.
const CLIENTS: u32 = 64;

fn design(setting: &Setting<'_>) -> Option<Design> {
    let names = setting.choose(QUICK, ALL);
    let new = Load {
        warmup_ms: 30,
        window_ms: 150,
        ..Load::with_clients(CLIENTS)
    };
    let kept = Load {
        requests_per_connection: None,
        warmup_ms: 50,
        ..new.clone()
    };
    let for_new = setting
        .stage(&EXPERIMENT, "new", "iterative")
        .models(names, None)
        .own_targets(&new);
    let for_kept = setting
        .stage(&EXPERIMENT, "kept", "epoll")
        .models(names, Some(CLIENTS))
        .own_targets(&kept);
    let for_kept = for_kept
        .with_again()
        .load("kept", setting.choose(2, 4), kept);
    let mut stages = vec![for_kept];
    // New connections from one generator CPU keep few servers busy: only a full run has the time to find them.
    if setting.is_full() {
        stages.push(for_new.with_again().load("new", 2, new));
    }
    let design = Design::new(&EXPERIMENT, stages, 5..=40, setting.choose(14.0, 110.0));
    Some(design.until_precise(Metric::CapacityPerS, 0.03, &["kept"]))
}
