//! # Ballast: does a fork cost more the more its parent holds?
//!
//! **Question.** fork(2) shares pages instead of copying them, but the tables that list them are copied. What does a child
//! per client cost when its parent has touched 5, 50 or 500 MB?
//!
//! **Measurement.** A closed loop, one request per connection; CPU time per request of a process per client, against a
//! thread per client, whose making does not ask what else is in memory.

use hola_servers::models::{Attention, Bilingual, Capacity};

use super::{Experiment, LevelPlan, Levels, Profile, TakesPart};

const SIXTEEN: LevelPlan = LevelPlan {
    clients: 16,
    ..LevelPlan::COMMON
};
const SMALL: LevelPlan = LevelPlan {
    name: "5 MB",
    server_options: &["--ballast", "5M"],
    ..SIXTEEN
};
const MIDDLE: LevelPlan = LevelPlan {
    name: "50 MB",
    server_options: &["--ballast", "50M"],
    ..SIXTEEN
};
const LARGE: LevelPlan = LevelPlan {
    name: "500 MB",
    server_options: &["--ballast", "500M"],
    ..SIXTEEN
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "ballast",
    question: Bilingual {
        en: "A server that holds 5, 50 or 500 MB: does a process per client cost more for it?",
        es: "Un servidor que ocupa 5, 50 o 500 MB: ¿cuesta por ello más un proceso por cliente?",
    },
    changes_mind: Bilingual {
        en: "A process per client that costs the same beside 500 MB as beside 5 MB.",
        es: "Un proceso por cliente que cueste lo mismo con 500 MB que con 5 MB.",
    },
    control: "thread-per-client",
    takes_part: TakesPart::Those {
        which: |model| {
            model.capacity == Capacity::Unbounded
                && matches!(model.attention, Attention::Process | Attention::Thread)
        },
        why_not: "it makes neither a process nor a thread for a client",
    },
    profiles: &[Profile {
        name: "full",
        levels: Levels::Named(&[SMALL, MIDDLE, LARGE]),
        models: &["fork-per-client", "thread-per-client"],
        targets: &[],
        rounds: 5,
        trial_ms: 600,
        warmup_ms: 200,
        extra_ms: 180,
    }],
    ..Experiment::COMMON
};
