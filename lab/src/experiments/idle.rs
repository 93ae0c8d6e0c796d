//! # Idle: how much memory does an idle client take?
//!
//! **Question.** Clients that send half a request head and then nothing cost no CPU time. How much memory does each of
//! them take, in the server and in the kernel, and how many fit?
//!
//! **Measurement.** More and more such clients on a fresh server: the slope of memory over their number, and the
//! highest number at which a fresh client is still greeted within two seconds. The limit that was reached is noted.

use hola_base::text;
use hola_servers::models::{self, Capacity};

use super::Experiment;
use super::roster::{ALL, Setting};
use crate::metric::Metric;
use crate::plan::{Design, Procedure, Task};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "idle",
    question: text(
        "Clients that stay and say nothing: how much memory does each take, and how many fit?",
        "Clientes que se quedan y callan: ¿cuánta memoria ocupa cada uno, y cuántos caben?",
    ),
    changes_mind: text(
        "A thread or a process per idle client that takes no more memory than a task does.",
        "Un hilo o un proceso por cliente inactivo que no ocupe más memoria que una tarea.",
    ),
    metrics: &[
        Metric::MemoryPerClient,
        Metric::KernelMemoryPerClient,
        Metric::ClientsHeld,
    ],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const CONTROL: &str = "tokio";
    let names = setting.choose(&["fork-per-client", "thread-per-client", CONTROL][..], ALL);
    let mut models = setting.models(EXPERIMENT.name, CONTROL, names, None);
    // A pool has its workers with or without clients.
    models.retain(|one| {
        models::find(&one.server).is_some_and(|model| model.capacity == Capacity::Unbounded)
    });
    let (level, clients_max) = setting.choose(("up to 1100", 1_100), ("to the limit", 20_000));
    let stage = setting.stage("idle", models).level(
        level,
        CONTROL,
        1,
        Task::Procedure(Procedure::Idle { clients_max }),
    );
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage],
        precision: None,
        blocks_min: 5,
        blocks_max: 5,
        budget_s: setting.choose(6.0, 95.0),
    })
}
