//! # Overload: what happens to a model under more load than it can serve?
//!
//! **Question.** Under more load than its capacity, a server can at best keep its capacity. Does it, or does its
//! goodput fall?
//!
//! **Measurement.** On fresh servers: first the model's own capacity in a closed loop, then an open loop at two and
//! three times that for six seconds, long enough for a queue to grow past the clients' deadline of a second. The number
//! of threads may grow, and the backlog is not the limit. Good answers within the deadline in the second half, as a
//! share of the capacity.

use hola_base::text;

use super::Experiment;
use super::roster::Setting;
use crate::metric::Metric;
use crate::plan::{Design, Procedure, Task};

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
    const CONTROL: &str = "epoll";
    if !setting.is_full() {
        return None;
    }
    let names = ["thread-per-client", CONTROL];
    let mut stage = setting.stage(
        "overload",
        setting.models(EXPERIMENT.name, CONTROL, &names, None),
    );
    for (level, of_capacity) in [("2 × capacity", 2.0), ("3 × capacity", 3.0)] {
        let overload = Procedure::Overload {
            of_capacity,
            duration_s: 6,
        };
        stage = stage.level(level, CONTROL, 1, Task::Procedure(overload));
    }
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage],
        precision: None,
        blocks_min: 5,
        blocks_max: 8,
        budget_s: 245.0,
    })
}
