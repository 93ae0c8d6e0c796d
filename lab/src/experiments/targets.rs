//! **Question.** Servers in other languages and of other makes get the same requests at the same instants as our
//! models. What does each pay for one, and how long do clients wait?
//!
//! **Measurement.** As in `equal-load`, and with ten requests per connection, beside the same control, but in blocks of their own: in a longer cycle each slice
//! would be farther from the control's, and virtual machines need seconds to warm up before each block.

use super::equal_load::{KEPT_CONTROL, NEW_CONTROL, WINDOW_MS, kept, new};
use super::{ALL, Design, Experiment, Load, Metric, Setting, text};

/// The headline level of the reference targets.
pub const TARGETS: &str = "new, 2000/s";

/// Time for the blocks of one target, in seconds.
const TARGET_S: f64 = 26.0;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "targets",
    question: text(
        "The same requests for servers in other languages and of other makes: what does one cost?",
        "Las mismas peticiones para servidores en otros lenguajes y de otros fabricantes: ¿qué cuesta una?",
    ),
    changes_mind: text(
        "Servers whose intervals all lie within ±5 % of the control.",
        "Servidores cuyos intervalos queden todos a menos de ±5 % del control.",
    ),
    metrics: &[
        Metric::CpuPerRequest,
        Metric::ResponseP50,
        Metric::ResponseP90,
        Metric::ResponseP99,
        Metric::SwitchesPerRequest,
    ],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    let mut stages = Vec::new();
    let mut targets = 0;
    for (name, level, control, load) in [
        ("new", TARGETS, NEW_CONTROL, new(2_000.0, WINDOW_MS)),
        (
            "kept",
            "kept, 2000/s",
            KEPT_CONTROL,
            kept(2_000.0, WINDOW_MS),
        ),
    ] {
        let stage = setting
            .stage(&EXPERIMENT, name, control)
            .targets(ALL, &load)
            .own_targets(&load);
        if stage.count_targets() > 0 {
            let stage = stage.models(&[control], load.kept_connections());
            targets += stage.count_targets();
            let mut stage = stage.load(level, 6, load.clone());
            if load.requests_per_connection.is_none() {
                let ten = Load {
                    requests_per_connection: Some(10),
                    ..load
                };
                stage = stage.load("10 requests, 2000/s", 2, ten);
            }
            stages.push(stage);
        }
    }
    let budget_s = TARGET_S * f64::from(targets) / 2.0;
    (!stages.is_empty()).then(|| Design::new(&EXPERIMENT, stages, 5..=12, budget_s))
}
