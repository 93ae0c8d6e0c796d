//! # Mixed: what does one heavy request do to the light ones?
//!
//! **Question.** One request in a hundred computes for some 10 ms. Do the others wait for it?
//!
//! **Measurement.** An open loop of light requests, a thousand a second, alone; then beside a second load of heavy ones,
//! ten a second; then beside a heavy one that is always under way. The response times of the light ones, from the
//! instants they were due: an open loop, because waiting clients would ask less just when it matters.

use hola_servers::models::Bilingual;

use super::{Experiment, FOUR, KINDS, LevelPlan, Levels, Profile};
use crate::lab::beside::Disturbance;

const HEAVY: &str = "/compute/5000000";

const ALONE: LevelPlan = LevelPlan {
    name: "alone",
    clients: 16,
    rate_per_s: Some(1_000.0),
    ..LevelPlan::COMMON
};
const ONE_IN_A_HUNDRED: LevelPlan = LevelPlan {
    name: "1 % heavy",
    beside: Some(Disturbance::HeavyNowAndThen {
        path: HEAVY,
        rate_per_s: 10.0,
    }),
    ..ALONE
};
const ALWAYS: LevelPlan = LevelPlan {
    name: "always a heavy one",
    beside: Some(Disturbance::HeavyAlways { path: HEAVY }),
    ..ALONE
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "mixed",
    question: Bilingual {
        en: "One request in a hundred computes for 10 ms: do the others wait for it?",
        es: "Una petición de cada cien calcula durante 10 ms: ¿la esperan las demás?",
    },
    changes_mind: Bilingual {
        en: "A single loop whose 99th percentile beside heavy requests ties with a thread per client.",
        es: "Un único bucle cuyo percentil 99 junto a peticiones pesadas empate con un hilo por cliente.",
    },
    control: "thread-per-client",
    figures: &["response_p99_us", "response_p50_us"],
    // A thousand requests are a short history, and heavy ones come in clusters.
    tolerates: &["steady_state", "throughput"],
    profiles: &[
        Profile {
            name: "quick",
            levels: Levels::Named(&[ALONE, ONE_IN_A_HUNDRED]),
            models: FOUR,
            targets: &[],
            rounds: 5,
            // A 99th percentile needs a thousand requests.
            trial_ms: 1_100,
            warmup_ms: 150,
            extra_ms: 0,
        },
        Profile {
            name: "full",
            levels: Levels::Named(&[ALONE, ONE_IN_A_HUNDRED, ALWAYS]),
            models: KINDS,
            targets: &[],
            rounds: 7,
            trial_ms: 1_100,
            warmup_ms: 200,
            extra_ms: 0,
        },
    ],
    ..Experiment::COMMON
};
