//! # Idle: what does a client take that only stays?
//!
//! **Question.** Clients that have sent half a head and fallen silent cost no CPU time. How much memory does each of them
//! take, and how many fit?
//!
//! **Measurement.** Plateaus of such clients on one fresh server, four times as many each time, up to the model's cap or
//! this host's limit: the slope of the process tree's memory over their number, and the most beside whom a fresh client
//! is still greeted within a second. What ended the climb is a remark of the trial.

use hola_servers::models::{Bilingual, Capacity};

use super::{Experiment, LevelPlan, Levels, Profile, TakesPart};
use crate::lab::procedures::idle;
use crate::lab::recipe::Kind;

/// As many as a model with a cap on threads lets in, and a little more.
const A_THOUSAND: LevelPlan = LevelPlan {
    name: "up to 1100",
    clients: 1_100,
    ..LevelPlan::NO_LOAD
};
/// More than this host lets anybody hold, most likely: the climb ends where the limit is.
const TO_THE_LIMIT: LevelPlan = LevelPlan {
    name: "to the limit",
    clients: 60_000,
    ..LevelPlan::NO_LOAD
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "idle",
    question: Bilingual {
        en: "Clients that stay and say nothing: how much memory does each take, and how many fit?",
        es: "Clientes que se quedan y callan: ¿cuánta memoria ocupa cada uno, y cuántos caben?",
    },
    changes_mind: Bilingual {
        en: "A thread or a process per idle client that takes no more memory than a task does.",
        es: "Un hilo o un proceso por cliente inactivo que no ocupe más memoria que una tarea.",
    },
    control: "tokio",
    figures: &["pss_kib_per_client", "clients_most"],
    kind: Kind::Procedure(|setting| {
        idle::measure(
            setting.hola,
            setting.model,
            setting.level.clients as usize,
            setting.server_cpus(),
            setting.interrupted,
        )
    }),
    takes_part: TakesPart::Those {
        which: |model| model.capacity == Capacity::Unbounded,
        why_not: "its workers are there with or without clients",
    },
    profiles: &[
        Profile {
            name: "quick",
            levels: Levels::Named(&[A_THOUSAND]),
            models: &["fork-per-client", "thread-per-client", "tokio"],
            targets: &[],
            rounds: 5,
            trial_ms: 0,
            warmup_ms: 0,
            extra_ms: 600,
        },
        Profile {
            name: "full",
            levels: Levels::Named(&[TO_THE_LIMIT]),
            models: &[
                "fork-per-client",
                "thread-per-client",
                "epoll",
                "tokio",
                "io-uring",
            ],
            targets: &[],
            rounds: 5,
            trial_ms: 0,
            warmup_ms: 0,
            extra_ms: 5_600,
        },
    ],
    ..Experiment::COMMON
};
