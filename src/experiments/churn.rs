//! # Churn: what does it cost to take on a client?
//!
//! **Question.** Each request brings a new connection, so the server pays for each client in full: accept, attend,
//! answer, close. What does a loop turn, a thread, a process or a task add?
//!
//! **Measurement.** A closed loop of clients, one request per connection; the server's CPU time per request, children
//! included, against the model that adds nothing (`iterative`). Throughput and response times come with it.
//!
//! **What would change our mind.** A ratio to the control whose interval contains 1, or lies within the noise floor.

use super::{Experiment, Profile};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "churn",
    question: "One request per connection: what does it cost to take on a client?",
    requests_per_connection: Some(1),
    control: "iterative",
    profiles: &[
        // Seven trials: with fewer, 36 comparisons (12 models with the control, 3 levels) cannot all reach a corrected
        // 5 % (exact Mann-Whitney, Holm). 256 clients: as many as the cap on processes lets in at once.
        Profile {
            name: "quick",
            clients: &[1, 64, 256],
            rounds: 7,
            trial_ms: 700,
            warmup_ms: 250,
        },
        Profile {
            name: "full",
            clients: &[1, 4, 16, 64, 256],
            rounds: 15,
            trial_ms: 3_000,
            warmup_ms: 500,
        },
    ],
};
