//! **Question.** It is said that a process costs several times what a thread costs. How many times, with nothing else
//! around it?
//!
//! **Measurement.** A fresh process makes and ends two thousand of what the model makes for a client, one after
//! another; the median time of one.

use super::{Design, Experiment, Metric, Procedure, Setting, text};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "spawn",
    question: text(
        "One thread, process or task, made and ended with nothing to do: how long does it take?",
        "Un hilo, un proceso o una tarea, creado y terminado sin nada que hacer: ¿cuánto tarda?",
    ),
    changes_mind: text(
        "A process that takes less than twice as long as a thread.",
        "Un proceso que tarde menos del doble que un hilo.",
    ),
    metrics: &[Metric::SpawnTime],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    let stage = setting
        .stage(&EXPERIMENT, "spawn", "thread-per-client")
        .models(&["fork-per-client", "tokio"], None)
        .procedure("2000 in turn", Procedure::Spawn { count: 2_000 });
    Some(Design::new(&EXPERIMENT, [stage], 5..=5, 2.0))
}
