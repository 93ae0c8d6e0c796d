//! # Backlog: how many clients can connect while none is accepted?
//!
//! **Question.** It is said that `listen(5)` admits five clients at most. How many does it admit, and what becomes of
//! the others?
//!
//! **Measurement.** A server that serves one client at a time is kept busy, and more clients connect than its backlog:
//! how many are connected at once, and how many a second or more later, when their kernel tries again.

use hola_base::text;

use super::Experiment;
use super::roster::Setting;
use crate::metric::Metric;
use crate::plan::{Design, Procedure, Task};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "backlog",
    question: text(
        "A queue for 5, 128 or 1024 clients, of which none is accepted: how many get in?",
        "Una cola para 5, 128 o 1024 clientes, de los que no se acepta a ninguno: ¿cuántos entran?",
    ),
    changes_mind: text(
        "With listen(5), a sixth client that is refused for good.",
        "Con listen(5), un sexto cliente rechazado para siempre.",
    ),
    metrics: &[Metric::ClientsConnected, Metric::ConnectsAfter1S],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    // Only a server that serves one client at a time can be kept from accepting.
    const CONTROL: &str = "iterative";
    let mut stage = setting.stage(
        "backlog",
        setting.models(EXPERIMENT.name, CONTROL, &[CONTROL], None),
    );
    stage.participants.retain(|one| one.name == CONTROL);
    for (level, backlog) in setting.choose(
        &[("backlog 5", 5)][..],
        &[
            ("backlog 5", 5),
            ("backlog 128", 128),
            ("backlog 1024", 1_024),
        ][..],
    ) {
        stage = stage.level(
            level,
            CONTROL,
            1,
            Task::Procedure(Procedure::Backlog { backlog: *backlog }),
        );
    }
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage],
        precision: None,
        blocks_min: setting.choose(3, 5),
        blocks_max: setting.choose(3, 5),
        budget_s: setting.choose(5.0, 20.0),
    })
}
