//! # Crash: who goes down with a client's handler?
//!
//! **Question.** A client has its handler panic, abort or touch memory that is not there, ten times a second. Which other
//! clients lose their answers, and how soon is anybody served again?
//!
//! **Measurement.** An open loop of clients with short waits, so that some are always under way, beside one that asks for
//! `/crash/…`; the share of the others' requests that failed, and the time from a death to the greeting of a fresh
//! client. A server that dies leaves nobody to answer: that is the finding, not an invalid trial.

use std::time::Duration;

use hola_servers::models::Bilingual;

use super::{Experiment, FOUR, LevelPlan, Levels, Profile};
use crate::lab::beside::Disturbance;
use crate::lab::procedures::crashes::Death;

const INTERVAL: Duration = Duration::from_millis(100);

const OTHERS: LevelPlan = LevelPlan {
    clients: 4,
    path: "/wait/2",
    rate_per_s: Some(200.0),
    server_options: &["--allow-crash"],
    ..LevelPlan::COMMON
};
const PANIC: LevelPlan = LevelPlan {
    name: "panic",
    beside: Some(Disturbance::Crashes {
        death: Death::Panic,
        interval: INTERVAL,
    }),
    ..OTHERS
};
const ABORT: LevelPlan = LevelPlan {
    name: "abort",
    beside: Some(Disturbance::Crashes {
        death: Death::Abort,
        interval: INTERVAL,
    }),
    ..OTHERS
};
const SEGV: LevelPlan = LevelPlan {
    name: "segv",
    beside: Some(Disturbance::Crashes {
        death: Death::Segv,
        interval: INTERVAL,
    }),
    ..OTHERS
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "crash",
    question: Bilingual {
        en: "A client's handler panics, aborts or faults ten times a second: who else loses their answer?",
        es: "El que atiende a un cliente entra en pánico, aborta o falla diez veces por segundo: ¿quién más se queda sin respuesta?",
    },
    changes_mind: Bilingual {
        en: "Other clients of a process each that fail, or a server of threads that goes on after an abort.",
        es: "Otros clientes con un proceso cada uno que fallen, o un servidor de hilos que siga tras un aborto.",
    },
    figures: &["others_failed_share", "recovery_us"],
    tolerates: &[
        "nothing_answered",
        "failures",
        "back_off",
        "server_whole",
        "steady_state",
        "throughput",
        "kernel_evidence",
        "modes",
    ],
    profiles: &[
        Profile {
            name: "quick",
            levels: Levels::Named(&[ABORT]),
            models: FOUR,
            targets: &[],
            rounds: 5,
            trial_ms: 700,
            warmup_ms: 100,
            // A client that finds the server dead asks again for a while.
            extra_ms: 600,
        },
        Profile {
            name: "full",
            levels: Levels::Named(&[PANIC, ABORT, SEGV]),
            models: &[
                "iterative",
                "fork-per-client",
                "pre-forked",
                "thread-per-client",
                "pre-threaded",
                "epoll",
                "tokio",
            ],
            targets: &[],
            rounds: 5,
            trial_ms: 1_000,
            warmup_ms: 100,
            extra_ms: 600,
        },
    ],
    ..Experiment::COMMON
};
