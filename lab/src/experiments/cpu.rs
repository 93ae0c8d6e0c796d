//! **Question.** When each answer takes real work, what is left of the differences between models on one CPU?
//! ([`scaling`](super::scaling) asks how they use several.)
//!
//! **Measurement.** The same rate of requests for `/compute/N`, a fixed integer loop of about 2 ns a round. They need
//! 30 to 40 % of the CPU.

use super::{Design, Experiment, KINDS, Load, Metric, Setting, text};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "cpu",
    question: text(
        "Answers that have to be computed, on one CPU: does the model still matter?",
        "Respuestas que hay que calcular, en una CPU: ¿sigue importando el modelo?",
    ),
    changes_mind: text(
        "With 2 ms of computing per answer, a model that costs more than 5 % more than the control.",
        "Con 2 ms de cálculo por respuesta, un modelo que cueste más de un 5 % más que el control.",
    ),
    metrics: &[Metric::CpuPerRequest, Metric::ResponseP50],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const LEVEL: &str = "2 ms of computing";
    let load = |rounds: u32, rate_per_s| Load {
        path: format!("/compute/{rounds}"),
        window_ms: 250,
        ..Load::with_rate(rate_per_s)
    };
    let few: &[&str] = &["fork-per-client", "thread-per-client", "epoll", "tokio"];
    let mut stage = setting
        .stage(&EXPERIMENT, "computing", "iterative")
        .models(setting.choose(few, KINDS), None)
        .own_targets(&load(1_000_000, 200.0))
        .with_again();
    if setting.is_full() {
        stage = stage.load("0.2 ms of computing", 2, load(100_000, 1_500.0));
    }
    let stage = stage.load(LEVEL, 2, load(1_000_000, 200.0));
    let design = Design::new(&EXPERIMENT, [stage], 5..=30, setting.choose(17.0, 56.0));
    Some(design.until_precise(Metric::CpuPerRequest, 0.02, &[LEVEL]))
}
