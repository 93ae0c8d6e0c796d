//! **Question.** A bare server makes only the system calls that its model needs, and sends a fixed answer. It has no
//! HTTP parser, no deadline and no cap. What does all that cost, and is it the same for every model?
//!
//! **Measurement.** The same rate of new connections for each model and for its bare server, in the same blocks.

use super::equal_load::new;
use super::{Design, Experiment, Metric, Setting, text};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "floor",
    question: text(
        "Each model beside the barest server of its kind: what does all the rest cost?",
        "Cada modelo junto al servidor más escueto de su clase: ¿qué cuesta todo lo demás?",
    ),
    changes_mind: text(
        "A model that costs more than a quarter more than its bare server.",
        "Un modelo que cueste más de una cuarta parte más que su servidor más escueto.",
    ),
    metrics: &[Metric::CpuPerRequest],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const LEVEL: &str = "new, 2000/s";
    setting.only_full()?;
    let load = new(2_000.0, 80);
    let specs = setting.targets.specs.iter();
    let (names, models): (Vec<&str>, Vec<&str>) = specs
        .filter_map(|spec| Some((spec.name.as_str(), spec.floor_of.as_deref()?)))
        .unzip();
    let stage = setting
        .stage(&EXPERIMENT, "new", "iterative")
        .models(&models, None)
        .targets(&names, &load);
    if stage.count_targets() == 0 {
        return None;
    }
    let stage = stage.with_again().load(LEVEL, 4, load);
    let design = Design::new(&EXPERIMENT, [stage], 5..=30, 51.0);
    Some(design.until_precise(Metric::CpuPerRequest, 0.04, &[LEVEL]))
}
