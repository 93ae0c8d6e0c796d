//! # Floor: how much more does each model cost than its bare server?
//!
//! **Question.** A bare server makes only the system calls that its model needs, and sends a fixed answer. It has no
//! HTTP parser, no deadline and no cap. What does all that cost, and is it the same for every model?
//!
//! **Measurement.** The same rate of new connections for each model and for its bare server, in the same blocks.

use hola_base::text;

use super::Experiment;
use super::roster::{Setting, with_again};
use crate::metric::Metric;
use crate::plan::{Design, Load, LoadPace, Precision};

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
    const CONTROL: &str = "iterative";
    const LEVEL: &str = "new, 2000/s";
    if !setting.is_full() {
        return None;
    }
    let load = Load {
        pace: LoadPace::Open {
            rate_per_s: 2_000.0,
            connections: None,
        },
        warmup_ms: 15,
        window_ms: 80,
        ..Load::default()
    };
    let floors = setting
        .targets
        .specs
        .iter()
        .filter(|spec| spec.floor_of.is_some());
    let (names, models): (Vec<&str>, Vec<&str>) = floors
        .filter_map(|spec| Some((spec.name.as_str(), spec.floor_of.as_deref()?)))
        .unzip();
    let models = setting.models(EXPERIMENT.name, CONTROL, &models, None);
    let floors = setting.targets(EXPERIMENT.name, &names, &load);
    if floors.is_empty() {
        return None;
    }
    let stage = setting
        .stage("new", with_again([models, floors].concat(), CONTROL))
        .load(LEVEL, CONTROL, 4, load);
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage],
        precision: Some(Precision {
            metric: Metric::CpuPerRequest,
            levels: vec![LEVEL.into()],
            half_width: 0.04,
        }),
        blocks_min: 5,
        blocks_max: 30,
        budget_s: 51.0,
    })
}
