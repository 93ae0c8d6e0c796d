//! # Accept: what does it cost when many workers wait for the same clients?
//!
//! **Question.** Workers can all wait at one listener, wait one at a time behind a lock, or have a listener each. Are
//! workers woken for clients that others get, and what does each way cost?
//!
//! **Measurement.** The same rate of new connections for pools of threads and of processes, each in the three ways.
//! Context switches on the server's CPU per request show needless wake-ups; counting returns of accept(2) does not.

use hola_base::text;

use super::Experiment;
use super::roster::{Setting, with_again, with_variant};
use crate::metric::Metric;
use crate::plan::{Design, Load, LoadPace, Precision};

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
        Metric::ResponseP99,
    ],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const CONTROL: &str = "iterative";
    const LEVEL: &str = "new, 2000/s";
    let load = Load {
        pace: LoadPace::Open {
            rate_per_s: 2_000.0,
            connections: None,
        },
        warmup_ms: 15,
        window_ms: 80,
        ..Load::default()
    };
    let names = setting.choose(
        &["iterative", "pre-threaded"][..],
        &["iterative", "pre-forked", "pre-threaded"][..],
    );
    let mut participants = setting.models(EXPERIMENT.name, CONTROL, names, None);
    for model in participants.clone() {
        if model.name != CONTROL {
            for accept in ["locked", "reuseport"] {
                participants =
                    with_variant(participants, &model.name, accept, &["--accept", accept]);
            }
        }
    }
    let stage = setting
        .stage("new", with_again(participants, CONTROL))
        .load(LEVEL, CONTROL, 5, load);
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage],
        precision: Some(Precision {
            metric: Metric::CpuPerRequest,
            levels: vec![LEVEL.into()],
            half_width: 0.03,
        }),
        blocks_min: 5,
        blocks_max: 30,
        budget_s: setting.choose(13.0, 50.0),
    })
}
