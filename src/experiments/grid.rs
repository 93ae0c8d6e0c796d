//! # Grid: which model for my load?
//!
//! **Question.** Loads differ in how many clients there are, how long they stay and how long an answer waits for something
//! else. Where on that map does which kind of model cost least?
//!
//! **Measurement.** The corners of the map that the experiments on one of the three at a time leave open: few clients and
//! many, that stay or come anew for each request, with answers at once or after 10 ms. CPU time per request.

use hola_servers::models::Bilingual;

use super::{Experiment, Held, LevelPlan, Levels, Profile};

const NEW_WAIT_FEW: LevelPlan = LevelPlan {
    name: "new, 10 ms, 16 clients",
    clients: 16,
    path: "/wait/10",
    held: Held::All,
    ..LevelPlan::COMMON
};
const NEW_WAIT_MANY: LevelPlan = LevelPlan {
    name: "new, 10 ms, 256 clients",
    clients: 256,
    ..NEW_WAIT_FEW
};
const STAY_FEW: LevelPlan = LevelPlan {
    name: "stay, at once, 16 clients",
    requests_per_connection: None,
    path: "/",
    ..NEW_WAIT_FEW
};
const STAY_MANY: LevelPlan = LevelPlan {
    name: "stay, at once, 256 clients",
    clients: 256,
    ..STAY_FEW
};
const STAY_WAIT_FEW: LevelPlan = LevelPlan {
    name: "stay, 10 ms, 16 clients",
    requests_per_connection: None,
    ..NEW_WAIT_FEW
};
const STAY_WAIT_MANY: LevelPlan = LevelPlan {
    name: "stay, 10 ms, 256 clients",
    clients: 256,
    ..STAY_WAIT_FEW
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "grid",
    question: Bilingual {
        en: "Few clients or many, new or staying, answered at once or after 10 ms: which kind of model costs least?",
        es: "Pocos clientes o muchos, nuevos o que se quedan, atendidos al momento o a los 10 ms: ¿qué tipo de modelo cuesta menos?",
    },
    changes_mind: Bilingual {
        en: "One model that is the cheapest everywhere on the map.",
        es: "Un modelo que sea el más barato en todo el mapa.",
    },
    control: "thread-per-client",
    profiles: &[Profile {
        name: "full",
        levels: Levels::Named(&[
            NEW_WAIT_FEW,
            NEW_WAIT_MANY,
            STAY_FEW,
            STAY_MANY,
            STAY_WAIT_FEW,
            STAY_WAIT_MANY,
        ]),
        models: &[
            "fork-per-client",
            "thread-per-client",
            "pre-threaded",
            "epoll",
            "tokio",
        ],
        targets: &[],
        rounds: 5,
        trial_ms: 400,
        warmup_ms: 150,
        extra_ms: 0,
    }],
    ..Experiment::COMMON
};
