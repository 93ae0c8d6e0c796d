//! **Question.** Under more load than its capacity, a server can at best keep its capacity. Does it, or does its
//! goodput fall?
//!
//! **Measurement.** On fresh servers: first the model's own capacity in a closed loop, then an open loop at two and
//! three times that for ten seconds, long enough for a queue to grow past the clients' deadline of a second. The number
//! of threads may grow, and the backlog is not the limit. Good answers within the deadline in the second half, as a
//! share of the capacity.

use super::{Design, Experiment, Metric, Procedure, Setting, text};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "overload",
    question: text(
        "Asked for two or three times what it can serve: does a model keep its capacity, or fall?",
        "Con el doble o el triple de lo que puede atender: ¿mantiene un modelo su capacidad, o se hunde?",
    ),
    changes_mind: text(
        "At three times their capacity, threads that keep as large a share of it as an event loop does.",
        "Al triple de su capacidad, hilos que conserven de ella tanto como un bucle de eventos.",
    ),
    metrics: &[Metric::GoodputOfCapacity],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    setting.only_full()?;
    let overload = |of_capacity| Procedure::Overload {
        of_capacity,
        duration_s: 10,
    };
    let stage = setting
        .stage(&EXPERIMENT, "overload", "epoll")
        .models(&["thread-per-client"], None)
        .procedure("2 × capacity", overload(2.0))
        .procedure("3 × capacity", overload(3.0));
    Some(Design::new(&EXPERIMENT, [stage], 5..=8, 285.0))
}
