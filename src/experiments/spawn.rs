//! # Spawn: what does it take to make one thread, process or task, and to end it?
//!
//! **Question.** It is said that a process costs several times what a thread costs. How many times, with nothing else
//! around it?
//!
//! **Measurement.** A fresh process makes and ends a few thousand of what the model makes for a client, one after another;
//! the median time of one.

use hola_servers::models::{Bilingual, Capacity};

use super::{Experiment, LevelPlan, Levels, Profile, TakesPart};
use crate::lab::procedures::spawn;
use crate::lab::recipe::Kind;

const TWO_THOUSAND: LevelPlan = LevelPlan {
    name: "2000 in turn",
    clients: 2_000,
    ..LevelPlan::NO_LOAD
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "spawn",
    question: Bilingual {
        en: "One thread, process or task, made and ended with nothing to do: how long does it take?",
        es: "Un hilo, un proceso o una tarea, creado y terminado sin nada que hacer: ¿cuánto tarda?",
    },
    changes_mind: Bilingual {
        en: "A process that takes less than twice as long as a thread.",
        es: "Un proceso que tarde menos del doble que un hilo.",
    },
    control: "thread-per-client",
    takes_part: TakesPart::Those {
        which: |model| {
            model.capacity == Capacity::Unbounded && spawn::Kind::of_model(model.name).is_some()
        },
        why_not: "it makes nothing for a client",
    },
    figures: &["spawn_us"],
    kind: Kind::Procedure(|setting| {
        spawn::measure(
            setting.hola,
            setting.model,
            setting.level.clients,
            0,
            setting.server_cpus(),
            setting.interrupted,
        )
    }),
    profiles: &[
        Profile {
            name: "quick",
            levels: Levels::Named(&[TWO_THOUSAND]),
            models: &["fork-per-client", "thread-per-client", "tokio"],
            targets: &[],
            rounds: 5,
            trial_ms: 0,
            warmup_ms: 0,
            extra_ms: 300,
        },
        Profile {
            name: "full",
            levels: Levels::Named(&[TWO_THOUSAND]),
            models: &["fork-per-client", "thread-per-client", "tokio"],
            targets: &[],
            rounds: 5,
            trial_ms: 0,
            warmup_ms: 0,
            extra_ms: 300,
        },
    ],
    ..Experiment::COMMON
};
