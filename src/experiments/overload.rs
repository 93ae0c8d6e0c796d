//! # Overload: what becomes of a model that is asked for more than it can do?
//!
//! **Question.** Past its capacity a server can do no better than its capacity. Does it keep that, or does it fall?
//!
//! **Measurement.** First the model's own capacity, by a short closed loop on a server of its own, in the same trial.
//! Then an open loop at multiples of it: good answers within a second, as a share of that capacity, and response times
//! from the instants requests were due. Each answer takes some 0.2 ms of computing, so that the generator can offer three
//! times what one CPU serves.

use hola_servers::models::Bilingual;

use super::{Experiment, LevelPlan, Levels, Profile};

const COMPUTE: LevelPlan = LevelPlan {
    clients: 64,
    path: "/compute/100000",
    timeout_ms: 1_000,
    ..LevelPlan::COMMON
};
const HALF: LevelPlan = LevelPlan {
    name: "0.5 × capacity",
    rate_of_capacity: Some(0.5),
    ..COMPUTE
};
const NEAR: LevelPlan = LevelPlan {
    name: "0.9 × capacity",
    rate_of_capacity: Some(0.9),
    ..COMPUTE
};
const TWICE: LevelPlan = LevelPlan {
    name: "2 × capacity",
    rate_of_capacity: Some(2.0),
    ..COMPUTE
};
const THRICE: LevelPlan = LevelPlan {
    name: "3 × capacity",
    rate_of_capacity: Some(3.0),
    ..COMPUTE
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "overload",
    question: Bilingual {
        en: "Asked for 0.5 to 3 times what it can serve: does a model keep its capacity, or fall?",
        es: "Con de 0,5 a 3 veces lo que puede atender: ¿mantiene un modelo su capacidad, o se hunde?",
    },
    changes_mind: Bilingual {
        en: "At three times their capacity, threads that keep as large a share of it as an event loop does.",
        es: "Al triple de su capacidad, hilos que conserven de ella tanto como un bucle de eventos.",
    },
    control: "epoll",
    figures: &[
        "goodput_of_capacity_share",
        "response_p99_us",
        "response_p50_us",
    ],
    // At three times what a server can do, requests leave in clumps now and then: the generator shares in the kernel's work
    // for connections that nobody takes. What is lost thereby a saturated server would not have served either.
    tolerates: &[
        "arrivals",
        "nothing_answered",
        "failures",
        "server_whole",
        "steady_state",
        "throughput",
        "kernel_evidence",
        "modes",
    ],
    profiles: &[Profile {
        name: "full",
        levels: Levels::Named(&[HALF, NEAR, TWICE, THRICE]),
        models: &["fork-per-client", "thread-per-client", "epoll", "tokio"],
        targets: &[],
        rounds: 7,
        trial_ms: 700,
        warmup_ms: 300,
        extra_ms: 550,
    }],
    ..Experiment::COMMON
};
