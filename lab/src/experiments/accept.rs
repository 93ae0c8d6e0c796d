//! # Accept: what does it cost when many workers wait for the same clients?
//!
//! **Question.** Workers can all wait at one listener, wait one at a time behind a lock, or have a listener each. Are
//! workers woken for clients that others get, and what does each way cost?
//!
//! **Measurement.** The same rate of new connections for pools of threads and of processes, each in the three ways.
//! Context switches on the server's CPU per request show needless wake-ups; counting returns of accept(2) does not.

use super::{Design, Experiment, Load, Metric, Setting, text};

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
        warmup_ms: 15,
        window_ms: 80,
        ..Load::with_rate(2_000.0)
    };
    let pools: &[&str] = setting.choose(&["pre-threaded"], &["pre-forked", "pre-threaded"]);
    let mut stage = setting
        .stage(&EXPERIMENT, "new", CONTROL)
        .models(pools, None);
    for model in stage.names().into_iter().filter(|name| name != CONTROL) {
        for accept in ["locked", "reuseport"] {
            stage = stage.with_variant(&model, accept, &["--accept", accept]);
        }
    }
    let stage = stage.with_again().load(LEVEL, 5, load);
    let design = Design::new(&EXPERIMENT, [stage], 5..=30, setting.choose(13.0, 50.0));
    Some(design.until_precise(Metric::CpuPerRequest, 0.03, &[LEVEL]))
}
