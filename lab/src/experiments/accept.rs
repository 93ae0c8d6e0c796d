//! **Question.** Workers can all wait at one listener, wait one at a time behind a lock, or have a listener each. Are
//! workers woken for clients that others get, and what does each way cost?
//!
//! **Measurement.** The same rate of new connections for pools of threads and of processes, and for loops, each in all
//! the ways that it has.
//! Context switches on the server's CPU per request show needless wake-ups; counting returns of accept(2) does not. Each
//! server tells at its end how many clients each worker had. A second level adds requests that compute, so that a client
//! may be dealt to a worker that is busy.

use hola_servers::models;

use super::equal_load::new;
use super::{Design, Experiment, Load, Metric, Setting, text};
use crate::plan::Disturbance;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "accept",
    question: text(
        "Workers at one listener, behind a lock, or with a listener each: who is woken in vain, and what does it cost?",
        "Trabajadores en un mismo socket de escucha, tras un cerrojo o con uno cada uno: ¿a quién se despierta en vano, y qué cuesta?",
    ),
    changes_mind: text(
        "Workers at one listener that switch no more often than those with a listener each.",
        "Trabajadores en un mismo socket de escucha que no cambien de contexto más que los que tienen uno cada uno.",
    ),
    metrics: &[
        Metric::SwitchesPerRequest,
        Metric::CpuPerRequest,
        Metric::BusiestWorker,
        Metric::ResponseP99,
    ],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const CONTROL: &str = "iterative";
    const LEVEL: &str = "new, 2000/s";
    let load = new(2_000.0, 80);
    let pools: &[&str] = setting.choose(
        &["pre-threaded"],
        &["pre-forked", "pre-threaded", "epoll-per-core"],
    );
    let mut stage = setting
        .stage(&EXPERIMENT, "new", CONTROL)
        .models(pools, None);
    for model in stage.names().into_iter().filter(|name| name != CONTROL) {
        let ways = models::find(&model).map_or(&[][..], |model| model.accept);
        for accept in ways.iter().skip(1) {
            let accept = accept.name();
            stage = stage.with_variant(&model, accept, &["--accept", accept]);
        }
    }
    let mut stage = stage.with_again();
    if setting.is_full() {
        let uneven = Load {
            beside: Some(Disturbance::OtherRequests {
                path: "/compute/1000000".into(),
                rate_per_s: 20.0,
            }),
            window_ms: 250,
            ..load.clone()
        };
        stage = stage.load("uneven, 2000/s", 1, uneven);
    }
    let stage = stage.load(LEVEL, 5, load);
    let design = Design::new(&EXPERIMENT, [stage], 5..=30, setting.choose(13.0, 90.0));
    Some(design.until_precise(Metric::CpuPerRequest, 0.03, &[LEVEL]))
}
