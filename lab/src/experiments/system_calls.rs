//! **Question.** Most of what a request costs is the kernel's work. How often does each model call the kernel?
//!
//! **Measurement.** strace(1) attaches to a fresh server and counts its system calls, and those of all its threads and
//! children, while it answers a few hundred requests, a new connection each. Counts do not change with the machine's
//! speed: if costs and counts disagree, one of them is wrong.

use super::{ALL, Design, Experiment, Metric, Procedure, Setting, text};
use crate::procedures::system_calls::unavailable;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "system-calls",
    question: text(
        "How many system calls does each model make for a request?",
        "¿Cuántas llamadas al sistema hace cada modelo por petición?",
    ),
    changes_mind: text(
        "A model that costs more than another and makes fewer system calls.",
        "Un modelo que cueste más que otro y haga menos llamadas al sistema.",
    ),
    metrics: &[Metric::SystemCalls],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    setting.only_full()?;
    let stage = setting
        .stage(&EXPERIMENT, "system calls", "iterative")
        .models(ALL, None);
    if let Some(reason) = unavailable() {
        for model in stage.names() {
            setting.skip(&model, EXPERIMENT.name, reason.clone());
        }
        return None;
    }
    let stage = stage.procedure("300 requests", Procedure::SystemCalls { requests: 300 });
    Some(Design::new(&EXPERIMENT, [stage], 5..=5, 25.0))
}
