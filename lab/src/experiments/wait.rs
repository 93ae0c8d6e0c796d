//! # Wait: which models pay for answers that wait?
//!
//! **Question.** When an answer waits for something else (a disk, another server), does a model pay for the waiting,
//! and does async win because of it?
//!
//! **Measurement.** The same rate of requests for `/wait/MS`, which uses no CPU, over kept connections. So no model
//! pays for making a thread, and only the waiting differs. The control is a pool of threads with a worker for each
//! client.

use hola_base::text;

use super::Experiment;
use super::roster::Setting;
use crate::metric::Metric;
use crate::plan::{Design, Load, LoadPace, Precision, Stage};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "wait",
    question: text(
        "Answers that wait 0, 10 or 100 ms without using a CPU: which model pays for the waiting?",
        "Respuestas que esperan 0, 10 o 100 ms sin usar la CPU: ¿qué modelo paga la espera?",
    ),
    changes_mind: text(
        "An async model that costs less than waiting threads by the same ratio with a wait as without one.",
        "Un modelo asíncrono que cueste menos que los hilos que esperan en la misma proporción con espera que sin ella.",
    ),
    metrics: &[
        Metric::CpuPerRequest,
        Metric::ResponseP50,
        Metric::ResponseP99,
        Metric::SwitchesPerRequest,
    ],
    design,
};

const CONTROL: &str = "pre-threaded";

fn design(setting: &Setting<'_>) -> Option<Design> {
    let cycles = setting.choose(4, 6);
    let mut stages = vec![
        stage(setting, 64)
            .load("0 ms, 64 clients", CONTROL, cycles, load(0, 64, 2_000.0))
            .load("10 ms, 64 clients", CONTROL, cycles, load(10, 64, 2_000.0)),
    ];
    if setting.is_full() {
        let few = stage(setting, 16)
            .load("0 ms, 16 clients", CONTROL, 4, load(0, 16, 500.0))
            .load("10 ms, 16 clients", CONTROL, 4, load(10, 16, 500.0));
        let long = stages
            .remove(0)
            .load("100 ms, 64 clients", CONTROL, 2, load(100, 64, 300.0));
        let many = stage(setting, 1_024)
            .load("0 ms, 1024 clients", CONTROL, 2, load(0, 1_024, 2_000.0))
            .load("10 ms, 1024 clients", CONTROL, 2, load(10, 1_024, 2_000.0))
            .load(
                "100 ms, 1024 clients",
                CONTROL,
                2,
                load(100, 1_024, 2_000.0),
            );
        stages = vec![few, long, many];
    }
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages,
        precision: Some(Precision {
            metric: Metric::CpuPerRequest,
            levels: vec!["0 ms, 64 clients".into(), "10 ms, 64 clients".into()],
            half_width: 0.04,
        }),
        blocks_min: 5,
        blocks_max: 30,
        budget_s: setting.choose(23.0, 136.0),
    })
}

fn stage(setting: &Setting<'_>, clients: u32) -> Stage {
    let names = ["pre-threaded", "thread-per-client", "epoll", "tokio"];
    let models = setting.models(EXPERIMENT.name, CONTROL, &names, Some(clients));
    setting.stage(&format!("{clients} clients"), models)
}

fn load(wait_ms: u32, clients: u32, rate_per_s: f64) -> Load {
    Load {
        pace: LoadPace::Open {
            rate_per_s,
            connections: Some(clients),
        },
        requests_per_connection: None,
        path: format!("/wait/{wait_ms}"),
        // Connections are opened first; then the number of pending requests has to reach its final level.
        warmup_ms: 30 + clients / 10 + wait_ms,
        window_ms: 100,
        ..Load::default()
    }
}
