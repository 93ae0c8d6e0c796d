//! # Sharing: what does it cost that clients share something?
//!
//! **Question.** Threads share memory for nothing, processes have to arrange for it. Here the arrangement is one atomic
//! counter in a page that all of a server's processes map. What does using it add to a request, and does it count right?
//!
//! **Measurement.** Clients that stay, asking for `/` and for `/count`; CPU time per request of each. At the end the
//! count is asked for once more and compared with the server's own books: `count_missing`.

use hola_servers::models::Bilingual;

use super::{Experiment, Held, KINDS, LevelPlan, Levels, Profile};

const GREETING: LevelPlan = LevelPlan {
    name: "greeting",
    clients: 16,
    requests_per_connection: None,
    held: Held::All,
    ..LevelPlan::COMMON
};
const COUNT: LevelPlan = LevelPlan {
    name: "count",
    path: "/count",
    ..GREETING
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "sharing",
    question: Bilingual {
        en: "One counter shared by all clients: what does it add to a request, and is it right?",
        es: "Un contador compartido por todos los clientes: ¿qué añade a una petición, y cuenta bien?",
    },
    changes_mind: Bilingual {
        en: "A count that misses a request, or a model of processes whose requests cost more with it by more than the noise floor.",
        es: "Una cuenta a la que le falte una petición, o un modelo de procesos cuyas peticiones cuesten con ella más de lo que permite el ruido de fondo.",
    },
    control: "thread-per-client",
    profiles: &[Profile {
        name: "full",
        levels: Levels::Named(&[GREETING, COUNT]),
        models: KINDS,
        targets: &[],
        rounds: 7,
        trial_ms: 500,
        warmup_ms: 200,
        extra_ms: 0,
    }],
    ..Experiment::COMMON
};
