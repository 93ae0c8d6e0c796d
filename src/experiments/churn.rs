//! # Churn: what does it cost to take on a client?
//!
//! **Question.** Each request brings a new connection, so the server pays for each client in full: accept, attend,
//! answer, close. What does a loop turn, a thread, a process or a task add?
//!
//! **Measurement.** A closed loop of clients, one request per connection; the server's CPU time per request, children
//! included, against the model that adds nothing (`iterative`). Throughput and response times come with it.

use hola_servers::models::Bilingual;

use super::{Experiment, Levels, Profile};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "churn",
    question: Bilingual {
        en: "One request per connection: what does it cost to take on a client?",
        es: "Una petición por conexión: ¿qué cuesta recibir a un cliente?",
    },
    changes_mind: Bilingual {
        en: "A ratio to the control whose interval contains 1, or lies within the noise floor.",
        es: "Una razón con el control cuyo intervalo contenga 1, o que quede dentro del ruido de fondo.",
    },
    profiles: &[
        // Seven trials: with fewer, 36 comparisons (12 models with the control, 3 levels) cannot all reach a corrected
        // 5 % (exact Mann-Whitney, Holm). 256 clients: as many as the cap on processes lets in at once.
        Profile {
            name: "quick",
            levels: Levels::Clients(&[1, 64, 256]),
            models: &[],
            rounds: 7,
            trial_ms: 700,
            warmup_ms: 250,
            extra_ms: 0,
        },
        Profile {
            name: "full",
            levels: Levels::Clients(&[1, 4, 16, 64, 256]),
            models: &[],
            rounds: 15,
            trial_ms: 3_000,
            warmup_ms: 500,
            extra_ms: 0,
        },
    ],
    ..Experiment::COMMON
};
