//! # Churn: what does it cost to take on a client?
//!
//! **Question.** Each request brings a new connection, so the server pays for each client in full: accept, attend,
//! answer, close. What does a loop turn, a thread, a process or a task add?
//!
//! **Measurement.** A closed loop of clients, one request per connection; the server's CPU time per request, children
//! included, against the model that adds nothing (`iterative`). Throughput and response times come with it. Servers that
//! people use stand beside the models where they are installed: what a model costs is to be seen against what is paid
//! in practice.

use hola_servers::models::Bilingual;

use super::{Experiment, FOUR, Levels, Profile, TARGETS};

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
        Profile {
            name: "quick",
            levels: Levels::Clients(&[1, 64, 256]),
            models: FOUR,
            targets: &[],
            rounds: 5,
            trial_ms: 500,
            warmup_ms: 200,
            extra_ms: 0,
        },
        // Seven trials: with fewer, 76 comparisons (12 models and 7 targets with the control, 4 levels) cannot all reach a
        // corrected 5 % (exact Mann-Whitney, Holm). 256 clients: as many as the cap on processes lets in at once.
        Profile {
            name: "full",
            levels: Levels::Clients(&[1, 16, 64, 256]),
            models: &[],
            targets: TARGETS,
            rounds: 7,
            trial_ms: 500,
            warmup_ms: 200,
            extra_ms: 0,
        },
    ],
    ..Experiment::COMMON
};
