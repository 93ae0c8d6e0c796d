//! # Keep-alive: what does a request cost when its client stays?
//!
//! **Question.** Taking on a client is paid for once per connection. Where it is spread over ten requests, or over all of
//! them, what is left of the difference between a thread, a process and a task?
//!
//! **Measurement.** A closed loop of clients with 1, 10 and unlimited requests per connection; CPU time per request and
//! the rate of good answers. Workers that hold a client each are as many as there are clients.

use hola_servers::models::Bilingual;

use super::{Experiment, FOUR, Held, LevelPlan, Levels, Profile};

const STAY: LevelPlan = LevelPlan {
    clients: 64,
    held: Held::All,
    ..LevelPlan::COMMON
};
const ONE: LevelPlan = LevelPlan {
    name: "1 request",
    requests_per_connection: Some(1),
    ..STAY
};
const TEN: LevelPlan = LevelPlan {
    name: "10 requests",
    requests_per_connection: Some(10),
    ..STAY
};
const UNLIMITED: LevelPlan = LevelPlan {
    name: "unlimited",
    requests_per_connection: None,
    ..STAY
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "keep-alive",
    question: Bilingual {
        en: "1, 10 or unlimited requests per connection: what does a request cost when its client stays?",
        es: "1, 10 o ilimitadas peticiones por conexión: ¿qué cuesta una petición cuando el cliente se queda?",
    },
    changes_mind: Bilingual {
        en: "Ratios to a thread per client that do not shrink towards 1 as requests per connection grow.",
        es: "Razones con un hilo por cliente que no se acerquen a 1 al crecer las peticiones por conexión.",
    },
    control: "thread-per-client",
    profiles: &[
        Profile {
            name: "quick",
            levels: Levels::Named(&[UNLIMITED]),
            models: FOUR,
            targets: &[],
            rounds: 5,
            trial_ms: 400,
            warmup_ms: 150,
            extra_ms: 0,
        },
        Profile {
            name: "full",
            levels: Levels::Named(&[ONE, TEN, UNLIMITED]),
            models: &[
                "fork-per-client",
                "pre-forked",
                "thread-per-client",
                "pre-threaded",
                "thread-pool",
                "epoll",
                "tokio-current-thread",
                "tokio",
                "io-uring",
            ],
            targets: &["nginx", "apache-event", "hyper"],
            rounds: 5,
            trial_ms: 500,
            warmup_ms: 200,
            extra_ms: 0,
        },
    ],
    ..Experiment::COMMON
};
