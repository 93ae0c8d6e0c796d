//! # Backlog: how many clients does listen(2) let in while nobody accepts?
//!
//! **Question.** It is said that `listen(5)` admits five clients at most. How many does it admit, and what becomes of the
//! others?
//!
//! **Measurement.** A server that serves one client at a time is kept busy, and more clients come than its queue is asked
//! to hold: how many are connected at once, and how many a second or three later, when their kernel asks again.

use hola_servers::models::{Bilingual, Capacity};

use super::{Experiment, LevelPlan, Levels, Profile, TakesPart};
use crate::lab::procedures::backlog;
use crate::lab::recipe::Kind;

const FIVE: LevelPlan = LevelPlan {
    name: "backlog 5",
    clients: 5,
    ..LevelPlan::NO_LOAD
};
const STANDARD: LevelPlan = LevelPlan {
    name: "backlog 128",
    clients: 128,
    ..LevelPlan::NO_LOAD
};
const LARGE: LevelPlan = LevelPlan {
    name: "backlog 1024",
    clients: 1_024,
    ..LevelPlan::NO_LOAD
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "backlog",
    question: Bilingual {
        en: "A queue for 5, 128 or 1024 clients and nobody to accept them: how many get in?",
        es: "Una cola para 5, 128 o 1024 clientes y nadie que los acepte: ¿cuántos entran?",
    },
    changes_mind: Bilingual {
        en: "With listen(5), a sixth client that is refused for good.",
        es: "Con listen(5), un sexto cliente rechazado para siempre.",
    },
    takes_part: TakesPart::Those {
        which: |model| model.capacity == Capacity::One,
        why_not: "several clients at once cannot keep its acceptor busy",
    },
    figures: &["clients_connected", "connects_after_1s"],
    kind: Kind::Procedure(|setting| {
        backlog::measure(
            setting.hola,
            setting.model,
            setting.level.clients,
            setting.server_cpus(),
            setting.interrupted,
        )
    }),
    profiles: &[Profile {
        name: "full",
        levels: Levels::Named(&[FIVE, STANDARD, LARGE]),
        models: &["iterative"],
        targets: &[],
        rounds: 5,
        trial_ms: 0,
        warmup_ms: 0,
        extra_ms: 2_000,
    }],
    ..Experiment::COMMON
};
