//! **Question.** A client that has just connected has often sent its request already. A loop or a task that reads at
//! once may save a wait and the registration of the socket; if nothing has come, it has made one call in vain. Which is
//! cheaper, and at which rates?
//!
//! **Measurement.** New connections at several rates, and as many as one CPU serves, for event loops and tasks: each
//! server with `--first-read when-ready`, as textbooks teach it, and with `at-once`, in the same blocks.

use super::equal_load::new;
use super::{Design, Experiment, Load, Metric, Setting, text};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "first-read",
    question: text(
        "A new client: wait until it has sent something, or try to read at once?",
        "Un cliente nuevo: ¿esperar a que envíe algo, o intentar leer enseguida?",
    ),
    changes_mind: text(
        "A first read at once that saves less than a twentieth of the CPU at every rate.",
        "Una primera lectura inmediata que ahorre menos de una vigésima parte de la CPU a todos los ritmos.",
    ),
    metrics: &[
        Metric::CpuPerRequest,
        Metric::ResponseP50,
        Metric::SwitchesPerRequest,
    ],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const LEVELS: [&str; 2] = ["new, 200/s", "new, 2000/s"];
    setting.only_full()?;
    let all_it_can = Load {
        warmup_ms: 30,
        window_ms: 80,
        ..Load::with_clients(64)
    };
    let stage = setting
        .stage(&EXPERIMENT, "new", "epoll")
        .models(&["coroutine-per-client", "tokio"], None)
        .with_variant_of_each("at once", &["--first-read", "at-once"])
        .with_again()
        .load(LEVELS[0], 3, new(200.0, 80))
        .load(LEVELS[1], 6, new(2_000.0, 80))
        .load("new, 8000/s", 3, new(8_000.0, 60))
        .load("new, as many as it can", 2, all_it_can);
    let design = Design::new(&EXPERIMENT, [stage], 5..=30, 85.0);
    Some(design.until_precise(Metric::CpuPerRequest, 0.03, &LEVELS))
}
