//! # Slow client: whom does a client keep waiting that does not finish its request?
//!
//! **Question.** Some clients send half a head and stay, until the server's deadline for it (5 s). What becomes of the
//! others?
//!
//! **Measurement.** Fast clients come at a planned rate that every model can serve, one request per connection, and wait
//! for a second at most, beside none, one and eight slow ones; the rate of good answers and the response times of the fast
//! ones. A closed loop would stop asking while nobody answers, and beside the cheap models show the generator. That a model with one place, or with few workers,
//! answers nothing at all is a finding here, not a failure.

use hola_servers::models::Bilingual;

use super::{Experiment, FOUR, KINDS, LevelPlan, Levels, Profile};
use crate::lab::beside::Disturbance;

const NONE: LevelPlan = LevelPlan {
    name: "no slow client",
    clients: 16,
    rate_per_s: Some(1_000.0),
    timeout_ms: 1_000,
    ..LevelPlan::COMMON
};
const ONE: LevelPlan = LevelPlan {
    name: "1 slow client",
    beside: Some(Disturbance::Slow { clients: 1 }),
    ..NONE
};
const EIGHT: LevelPlan = LevelPlan {
    name: "8 slow clients",
    beside: Some(Disturbance::Slow { clients: 8 }),
    ..NONE
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "slow-client",
    question: Bilingual {
        en: "Clients that send half a head and stay: whom do they keep waiting?",
        es: "Clientes que envían media cabecera y se quedan: ¿a quién hacen esperar?",
    },
    changes_mind: Bilingual {
        en: "Fast clients of a model with a thread, a process or a task for each that fall behind what they reach without slow ones.",
        es: "Clientes rápidos de un modelo con hilo, proceso o tarea para cada uno que queden por debajo de lo que alcanzan sin los lentos.",
    },
    control: "thread-per-client",
    figures: &["good_per_s", "response_p99_us"],
    tolerates: &[
        "nothing_answered",
        "failures",
        "littles_law",
        "back_off",
        "steady_state",
        "throughput",
        "kernel_evidence",
        "modes",
    ],
    profiles: &[
        Profile {
            name: "quick",
            levels: Levels::Named(&[NONE, EIGHT]),
            models: FOUR,
            targets: &[],
            rounds: 5,
            trial_ms: 500,
            warmup_ms: 150,
            extra_ms: 0,
        },
        Profile {
            name: "full",
            levels: Levels::Named(&[NONE, ONE, EIGHT]),
            models: KINDS,
            targets: &[],
            rounds: 7,
            // A 99th percentile needs a thousand requests.
            trial_ms: 1_100,
            warmup_ms: 200,
            extra_ms: 0,
        },
    ],
    ..Experiment::COMMON
};
