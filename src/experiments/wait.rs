//! # Wait: who can afford clients whose answers take their time?
//!
//! **Question.** When an answer waits for something else (a disk, another server), does a model pay for the waiting, and
//! does async win because of it?
//!
//! **Measurement.** A closed loop of clients asking for `/wait/MS`, which uses no CPU; the rate of good answers, and CPU
//! time per request. Pools are the control arm: they get as many workers as there are clients, since a smaller pool
//! measures Little's law, not the model. A model that attends to one client at a time is left out for the same reason.

use hola_servers::models::Bilingual;

use super::{Experiment, Held, LevelPlan, Levels, Profile};

const SIXTY_FOUR: LevelPlan = LevelPlan {
    clients: 64,
    held: Held::All,
    ..LevelPlan::COMMON
};
const NONE: LevelPlan = LevelPlan {
    name: "0 ms",
    path: "/wait/0",
    ..SIXTY_FOUR
};
const ONE_MS: LevelPlan = LevelPlan {
    name: "1 ms",
    path: "/wait/1",
    ..SIXTY_FOUR
};
const TEN_MS: LevelPlan = LevelPlan {
    name: "10 ms",
    path: "/wait/10",
    ..SIXTY_FOUR
};
const HUNDRED_MS: LevelPlan = LevelPlan {
    name: "100 ms",
    path: "/wait/100",
    ..SIXTY_FOUR
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "wait",
    question: Bilingual {
        en: "Answers that wait 0, 1, 10 or 100 ms without using a CPU: which model pays for the waiting?",
        es: "Respuestas que esperan 0, 1, 10 o 100 ms sin usar la CPU: ¿qué modelo paga la espera?",
    },
    changes_mind: Bilingual {
        en: "An async model that beats threads as clearly without waiting as with it, or a pool as large as the clients that falls behind both.",
        es: "Un modelo asíncrono que gane a los hilos igual de claro sin espera que con ella, o un grupo tan grande como los clientes que quede por detrás de ambos.",
    },
    control: "thread-per-client",
    figures: &["good_per_s", "cpu_us_per_request"],
    profiles: &[
        Profile {
            name: "quick",
            levels: Levels::Named(&[NONE, TEN_MS]),
            models: &[
                "fork-per-client",
                "thread-per-client",
                "pre-threaded",
                "tokio",
            ],
            targets: &[],
            rounds: 5,
            trial_ms: 400,
            warmup_ms: 150,
            extra_ms: 0,
        },
        Profile {
            name: "full",
            levels: Levels::Named(&[NONE, ONE_MS, TEN_MS, HUNDRED_MS]),
            models: &[
                "fork-per-client",
                "thread-per-client",
                "pre-threaded",
                "thread-pool",
                "epoll",
                "tokio-current-thread",
                "tokio",
            ],
            targets: &["python-threads", "python-processes", "hyper"],
            rounds: 5,
            trial_ms: 600,
            warmup_ms: 200,
            extra_ms: 0,
        },
    ],
    ..Experiment::COMMON
};
