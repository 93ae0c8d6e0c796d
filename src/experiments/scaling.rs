//! # Scaling: who uses more than one CPU?
//!
//! **Question.** Processes and threads can run on all CPUs at once, a single loop cannot. How much faster does each model
//! serve with twice the CPUs?
//!
//! **Measurement.** A closed loop of clients asking for a computation of some 2 ms, with the server on 1, 2, 4, … CPUs;
//! the rate of good answers, against a model that cannot use a second CPU. Models with workers start as many for each CPU
//! as they do anywhere. The generator runs on the CPUs that are left; with all of them given to the server it shares the
//! last one, and the level's name says so: what it takes there is missing from the server's rate.
//!
//! **Python beside it.** Its interpreter runs one thread at a time, so one process with threads cannot use a second CPU,
//! and processes can: what is said of threads in general is true of these. It computes more than a hundred times slower,
//! and with as many rounds a trial would see two or three answers. It is asked for a hundredth of them, so that a request
//! takes it some milliseconds, too. Its rates and costs are therefore to be compared from one number of CPUs to the next,
//! and among the two Python servers, but not with the other rows.

use hola_servers::models::Bilingual;

use super::{Experiment, LevelPlan, Levels, Profile};

/// A hundredth of what the models compute.
const FEWER_ROUNDS: &str = "/compute/10000";

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "scaling",
    question: Bilingual {
        en: "Computed answers, with the server on one CPU, two, and so on: who uses them?",
        es: "Respuestas calculadas, con el servidor en una CPU, en dos y así: ¿quién las aprovecha?",
    },
    changes_mind: Bilingual {
        en: "On two CPUs, threads that serve no more than a single loop, while processes do.",
        es: "En dos CPU, hilos que no atiendan más que un único bucle, mientras que los procesos sí.",
    },
    figures: &["good_per_s", "cpu_us_per_request"],
    profiles: &[Profile {
        name: "full",
        levels: Levels::Cpus(LevelPlan {
            clients: 16,
            path: "/compute/1000000",
            instead: &[
                ("python-threads", FEWER_ROUNDS),
                ("python-processes", FEWER_ROUNDS),
            ],
            ..LevelPlan::COMMON
        }),
        models: &[
            "iterative",
            "fork-per-client",
            "pre-forked",
            "thread-per-client",
            "pre-threaded",
            "epoll",
            "epoll-per-core",
            "tokio",
        ],
        targets: &["python-threads", "python-processes", "hyper"],
        rounds: 7,
        trial_ms: 1_000,
        warmup_ms: 200,
        extra_ms: 0,
    }],
    ..Experiment::COMMON
};
