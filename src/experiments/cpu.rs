//! # CPU: does the model matter when answers have to be computed?
//!
//! **Question.** When each answer takes real work, what is left of the differences between models on one CPU? (How they
//! spread over several is [`scaling`](super::scaling)'s question.)
//!
//! **Measurement.** A closed loop of clients asking for `/compute/N`, a fixed integer loop of about 2 ns a round; CPU
//! time per request and the rate of good answers, against the model that adds nothing.

use hola_servers::models::Bilingual;

use super::{Experiment, FOUR, KINDS, LevelPlan, Levels, Profile};

const SIXTEEN: LevelPlan = LevelPlan {
    clients: 16,
    ..LevelPlan::COMMON
};
const SHORT: LevelPlan = LevelPlan {
    name: "10 000 rounds",
    path: "/compute/10000",
    ..SIXTEEN
};
const LONG: LevelPlan = LevelPlan {
    name: "1 000 000 rounds",
    path: "/compute/1000000",
    ..SIXTEEN
};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "cpu",
    question: Bilingual {
        en: "Answers that have to be computed, on one CPU: does the model still matter?",
        es: "Respuestas que hay que calcular, en una CPU: ¿sigue importando el modelo?",
    },
    changes_mind: Bilingual {
        en: "With 2 ms of computing per answer, a ratio to the control outside the noise floor.",
        es: "Con 2 ms de cálculo por respuesta, una razón con el control fuera del ruido de fondo.",
    },
    profiles: &[
        Profile {
            name: "quick",
            levels: Levels::Named(&[LONG]),
            models: FOUR,
            targets: &[],
            rounds: 5,
            trial_ms: 400,
            warmup_ms: 150,
            extra_ms: 0,
        },
        Profile {
            name: "full",
            levels: Levels::Named(&[SHORT, LONG]),
            models: KINDS,
            targets: &[],
            rounds: 5,
            trial_ms: 600,
            warmup_ms: 200,
            extra_ms: 0,
        },
    ],
    ..Experiment::COMMON
};
