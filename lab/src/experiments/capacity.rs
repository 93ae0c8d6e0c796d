//! # Capacity: how much can one CPU serve?
//!
//! **Question.** With work waiting at all times, how many requests per second does each model answer on one CPU?
//!
//! **Measurement.** A closed loop of 64 clients, with a new connection for each request and over kept connections. Only
//! slices count in which the server used its whole CPU. If the generator reached its limit first, there is no figure:
//! it would be the generator's.

use hola_base::text;

use super::Experiment;
use super::roster::{ALL, Setting, with_again};
use crate::metric::Metric;
use crate::plan::{Design, Load, LoadPace, Precision};

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
    let names = setting.choose(
        &[
            "iterative",
            "fork-per-client",
            "thread-per-client",
            "epoll",
            "tokio",
            "io-uring",
        ][..],
        ALL,
    );
    let new = Load {
        pace: LoadPace::Closed { clients: CLIENTS },
        warmup_ms: 30,
        window_ms: 150,
        ..Load::default()
    };
    let kept = Load {
        requests_per_connection: None,
        warmup_ms: 50,
        ..new.clone()
    };
    let for_new = setting.models(EXPERIMENT.name, "iterative", names, None);
    let for_kept = setting.models(EXPERIMENT.name, "epoll", names, Some(CLIENTS));
    let mut stages = vec![setting.stage("kept", with_again(for_kept, "epoll")).load(
        "kept",
        "epoll",
        setting.choose(2, 4),
        kept,
    )];
    // New connections from one generator CPU keep few servers busy: only a full run has the time to find them.
    if setting.is_full() {
        let stage =
            setting
                .stage("new", with_again(for_new, "iterative"))
                .load("new", "iterative", 2, new);
        stages.push(stage);
    }
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages,
        precision: Some(Precision {
            metric: Metric::CapacityPerS,
            levels: vec!["kept".into()],
            half_width: 0.03,
        }),
        blocks_min: 5,
        blocks_max: 40,
        budget_s: setting.choose(14.0, 95.0),
    })
}
