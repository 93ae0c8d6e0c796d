//! **Question.** fork(2) shares pages instead of copying them, but it copies the page tables. What does a child per
//! client cost when its parent has touched 50 or 500 MB?
//!
//! **Measurement.** The same rate of new connections for a process per client beside no ballast, 50 MB and 500 MB, in
//! the same blocks, and for a thread per client, whose cost does not depend on memory.

use super::{Design, Experiment, Load, Metric, Setting, text};

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
    const FORK: &str = "fork-per-client";
    const LEVEL: &str = "new, 20/s";
    let load = Load {
        window_ms: 500,
        // A fork beside 500 MB takes some 20 ms.
        ..Load::with_rate(20.0)
    };
    let mut stage = setting
        .stage(&EXPERIMENT, "new", CONTROL)
        .models(&[FORK], None);
    let loaded: &[(&str, u32)] =
        setting.choose(&[(FORK, 500)], &[(FORK, 50), (FORK, 500), (CONTROL, 500)]);
    for (of, megabytes) in loaded {
        let (suffix, size) = (format!("{megabytes} MB"), format!("{megabytes}M"));
        stage = stage.with_variant(of, &suffix, &["--ballast", &size]);
    }
    let stage = stage.load(LEVEL, 2, load);
    let (blocks, budget_s) = setting.choose((3..=20, 14.0), (5..=20, 40.0));
    let design = Design::new(&EXPERIMENT, [stage], blocks, budget_s);
    Some(design.until_precise(Metric::CpuPerRequest, 0.05, &[LEVEL]))
}
