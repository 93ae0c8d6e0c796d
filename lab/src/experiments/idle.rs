//! **Question.** Clients that send half a request head and then nothing cost no CPU time. How much memory does each of
//! them take, in the server and in the kernel, and how many fit?
//!
//! **Measurement.** More and more such clients on a fresh server: the slope of memory over their number, and the
//! highest number at which a fresh client is still greeted within two seconds. The limit that was reached is noted.
//! Coroutines take part with stacks of three sizes.

use hola_servers::models::{self, Capacity};

use super::{ALL, Design, Experiment, Metric, Procedure, Setting, text};

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
        Metric::ClientEndMemory,
        Metric::SystemMemoryPerClient,
        Metric::ClientsHeld,
    ],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    let names: &[&str] = setting.choose(&["fork-per-client", "thread-per-client"], ALL);
    let (level, clients_max, budget_s) =
        setting.choose(("up to 1100", 1_100, 6.0), ("to the limit", 20_000, 215.0));
    let mut stage = setting
        .stage(&EXPERIMENT, "idle", "tokio")
        .models(names, None)
        // A pool has its workers with or without clients.
        .retain(|one| {
            models::find(&one.server).is_some_and(|model| model.capacity == Capacity::Unbounded)
        });
    if setting.is_full() {
        for (suffix, bytes) in [("16 KiB", "16K"), ("1 MiB", "1M")] {
            stage = stage.with_variant("coroutine-per-client", suffix, &["--stack", bytes]);
        }
    }
    let stage = stage.procedure(level, Procedure::Idle { clients_max });
    Some(Design::new(&EXPERIMENT, [stage], 3..=5, budget_s))
}
