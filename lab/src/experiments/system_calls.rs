//! # System calls: how many does a model make for a request?
//!
//! **Question.** Most of what a request costs is the kernel's work. How often does each model call the kernel?
//!
//! **Measurement.** strace(1) attaches to a fresh server and counts its system calls, and those of all its threads and
//! children, while it answers a few hundred requests, a new connection each. Counts do not change with the machine's
//! speed: if costs and counts disagree, one of them is wrong.

use hola_base::text;

use super::Experiment;
use super::roster::{ALL, Setting};
use crate::metric::Metric;
use crate::plan::{Design, Procedure, Task};

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
    const CONTROL: &str = "iterative";
    if !setting.is_full() {
        return None;
    }
    let models = setting.models(EXPERIMENT.name, CONTROL, ALL, None);
    if let Some(reason) = setting.system_calls_unavailable() {
        for model in models {
            setting.skip(&model.name, EXPERIMENT.name, reason.clone());
        }
        return None;
    }
    let count = Procedure::SystemCalls { requests: 300 };
    let stage = setting.stage("system calls", models).level(
        "300 requests",
        CONTROL,
        1,
        Task::Procedure(count),
    );
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage],
        precision: None,
        blocks_min: 5,
        blocks_max: 5,
        budget_s: 8.0,
    })
}
