//! **Question.** Under more load than its capacity, a server can at best keep its capacity. Does it, or does its
//! goodput fall? And is that the model, or the queue before it?
//!
//! **Measurement.** On fresh servers: first the model's own capacity in a closed loop, then an open loop at two and
//! three times that. Up to 1,024 clients are served at once, and as many more wait to be accepted. Clients either wait
//! twice as long as a full queue takes, or half as long: then a server that serves first who came first works for
//! clients who have gone. Good answers within that deadline in the second half of the time, as a share of the capacity.

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
    let overload = |of_capacity, deadline_of_queue| Procedure::Overload {
        of_capacity,
        duration_s: 6,
        deadline_of_queue,
    };
    let stage = setting
        .stage(&EXPERIMENT, "overload", "epoll")
        .models(&["thread-per-client"], None)
        .procedure("2 × capacity, patient clients", overload(2.0, 2.0))
        .procedure("3 × capacity, patient clients", overload(3.0, 2.0))
        .procedure("3 × capacity, impatient clients", overload(3.0, 0.5));
    Some(Design::new(&EXPERIMENT, [stage], 5..=8, 255.0))
}
