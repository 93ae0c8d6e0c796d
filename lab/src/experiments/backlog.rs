//! **Question.** It is said that `listen(5)` admits five clients at most. How many does it admit, and what becomes of
//! the others?
//!
//! **Measurement.** A server that serves one client at a time is kept busy, and more clients connect than its backlog:
//! how many are connected at once, and how many a second or more later, when their kernel tries again.

use super::{Design, Experiment, Metric, Procedure, Setting, text};

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
    let mut stage = setting
        .stage(&EXPERIMENT, "backlog", CONTROL)
        .models(&[CONTROL], None)
        .retain(|one| one.name == CONTROL);
    let backlogs: &[u32] = setting.choose(&[5], &[5, 128, 1_024]);
    for &backlog in backlogs {
        stage = stage.procedure(
            &format!("backlog {backlog}"),
            Procedure::Backlog { backlog },
        );
    }
    let (blocks, budget_s) = setting.choose((3..=3, 5.0), (5..=5, 20.0));
    Some(Design::new(&EXPERIMENT, [stage], blocks, budget_s))
}
