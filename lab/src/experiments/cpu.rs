//! # CPU: does the model matter when answers have to be computed?
//!
//! **Question.** When each answer takes real work, what is left of the differences between models on one CPU?
//! ([`scaling`](super::scaling) asks how they use several.)
//!
//! **Measurement.** The same rate of requests for `/compute/N`, a fixed integer loop of about 2 ns a round. They need
//! 30 to 40 % of the CPU.

use hola_base::text;

use super::Experiment;
use super::roster::{FEW, KINDS, Setting, with_again};
use crate::metric::Metric;
use crate::plan::{Design, Load, LoadPace, Precision};

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
    const CONTROL: &str = "iterative";
    let load = |rounds: u32, rate_per_s| Load {
        pace: LoadPace::Open {
            rate_per_s,
            connections: None,
        },
        path: format!("/compute/{rounds}"),
        window_ms: 250,
        ..Load::default()
    };
    let models = setting.models(EXPERIMENT.name, CONTROL, setting.choose(FEW, KINDS), None);
    let stage = setting.stage("computing", with_again(models, CONTROL));
    let stage = match setting.is_full() {
        true => stage.load("0.2 ms of computing", CONTROL, 2, load(100_000, 1_500.0)),
        false => stage,
    };
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage.load("2 ms of computing", CONTROL, 2, load(1_000_000, 200.0))],
        precision: Some(Precision {
            metric: Metric::CpuPerRequest,
            levels: vec!["2 ms of computing".into()],
            half_width: 0.02,
        }),
        blocks_min: 5,
        blocks_max: 30,
        budget_s: setting.choose(17.0, 56.0),
    })
}
