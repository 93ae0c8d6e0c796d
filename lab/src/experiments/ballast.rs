//! # Ballast: does a fork cost more if its parent holds more memory?
//!
//! **Question.** fork(2) shares pages instead of copying them, but it copies the page tables. What does a child per
//! client cost when its parent has touched 50 or 500 MB?
//!
//! **Measurement.** The same rate of new connections for a process per client beside no ballast, 50 MB and 500 MB, in
//! the same blocks, and for a thread per client, whose cost does not depend on memory.

use hola_base::text;

use super::Experiment;
use super::roster::{Setting, with_variant};
use crate::metric::Metric;
use crate::plan::{Design, Load, LoadPace, Precision};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "ballast",
    question: text(
        "A server that holds 50 or 500 MB: does a process per client cost more for it?",
        "Un servidor que ocupa 50 o 500 MB: ¿cuesta por ello más un proceso por cliente?",
    ),
    changes_mind: text(
        "A process per client that costs the same beside 500 MB as beside none.",
        "Un proceso por cliente que cueste lo mismo con 500 MB que sin ellos.",
    ),
    metrics: &[Metric::CpuPerRequest],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const CONTROL: &str = "thread-per-client";
    const LEVEL: &str = "new, 20/s";
    let load = Load {
        pace: LoadPace::Open {
            // A fork beside 500 MB takes some 20 ms.
            rate_per_s: 20.0,
            connections: None,
        },
        window_ms: 500,
        ..Load::default()
    };
    let mut participants = setting.models(
        EXPERIMENT.name,
        CONTROL,
        &["fork-per-client", CONTROL],
        None,
    );
    let loaded = setting.choose(
        &[("fork-per-client", "500")][..],
        &[
            ("fork-per-client", "50"),
            ("fork-per-client", "500"),
            (CONTROL, "500"),
        ][..],
    );
    for &(of, megabytes) in loaded {
        let (suffix, size) = (format!("{megabytes} MB"), format!("{megabytes}M"));
        participants = with_variant(participants, of, &suffix, &["--ballast", &size]);
    }
    let stage = setting
        .stage("new", participants)
        .load(LEVEL, CONTROL, 2, load);
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![stage],
        precision: Some(Precision {
            metric: Metric::CpuPerRequest,
            levels: vec![LEVEL.into()],
            half_width: 0.05,
        }),
        blocks_min: setting.choose(3, 5),
        blocks_max: 20,
        budget_s: setting.choose(14.0, 40.0),
    })
}
