//! # Crash: which clients fail with one client's handler?
//!
//! **Question.** A client makes its handler panic, abort or access invalid memory, ten times a second. Which other
//! clients lose their answers, and how soon are clients served again?
//!
//! **Measurement.** On a fresh server each time, an open loop of clients with short waits, so that some requests are
//! always pending, beside one client that requests `/crash/…`; the share of the others' requests that failed, and the
//! time from a death to the greeting of a fresh client.

use hola_base::text;

use super::Experiment;
use super::roster::{ALL, Setting};
use crate::metric::Metric;
use crate::plan::{Death, Design, Procedure, Task};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "crash",
    question: text(
        "A client's handler panics, aborts or crashes: who goes down with it?",
        "El manejador de un cliente entra en pánico, aborta o falla: ¿a quién arrastra?",
    ),
    changes_mind: text(
        "A model with one process whose other clients are answered after an abort.",
        "Un modelo de un solo proceso cuyos demás clientes reciban respuesta tras un abort.",
    ),
    metrics: &[Metric::OthersFailed, Metric::Survived, Metric::RecoveryTime],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const CONTROL: &str = "thread-per-client";
    let names = setting.choose(&["fork-per-client", CONTROL][..], ALL);
    let mut stage = setting.stage(
        "crash",
        setting.models(EXPERIMENT.name, CONTROL, names, None),
    );
    for (level, death) in [
        ("panic", Death::Panic),
        ("abort", Death::Abort),
        ("segv", Death::Segv),
    ] {
        let crash = Procedure::Crash {
            death,
            window_ms: 400,
        };
        stage = stage.level(level, CONTROL, 1, Task::Procedure(crash));
    }
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage],
        precision: None,
        blocks_min: 5,
        blocks_max: 5,
        budget_s: setting.choose(16.0, 102.0),
    })
}
