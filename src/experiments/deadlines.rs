//! # Deadlines: what does it cost to lose patience in time?
//!
//! **Question.** A server that never gives up on a client is easily brought to a stop. What does each model pay for
//! the deadline of every wait: a socket option that the kernel minds, an alarm in a loop's heap, a timer of a task?
//!
//! **Measurement.** A closed loop of clients on connections that stay, so that every request is a wait with a deadline;
//! CPU time per request of the same server with its usual deadlines and with none.

use hola_servers::models::Bilingual;

use super::{Experiment, Held, LevelPlan, Levels, Profile};

const KEPT: LevelPlan = LevelPlan {
    name: "kept",
    clients: 64,
    requests_per_connection: None,
    held: Held::All,
    ..LevelPlan::COMMON
};
const NONE: LevelPlan = LevelPlan {
    name: "none",
    server_options: &["--deadlines", "off"],
    ..KEPT
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "deadlines",
    question: Bilingual {
        en: "A deadline for every wait, or none: what does it cost each model to lose patience in time?",
        es: "Un plazo para cada espera, o ninguno: ¿qué le cuesta a cada modelo perder la paciencia a tiempo?",
    },
    changes_mind: Bilingual {
        en: "A task that costs less than a thread without deadlines, and more with them.",
        es: "Una tarea que cueste menos que un hilo sin plazos, y más con ellos.",
    },
    control: "thread-per-client",
    profiles: &[Profile {
        name: "full",
        levels: Levels::Named(&[NONE, KEPT]),
        models: &[
            "thread-per-client",
            "epoll",
            "tokio-current-thread",
            "tokio",
        ],
        targets: &[],
        rounds: 5,
        trial_ms: 500,
        warmup_ms: 200,
        extra_ms: 0,
    }],
    ..Experiment::COMMON
};
