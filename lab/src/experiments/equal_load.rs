//! # Equal load: what does a request cost when all models are asked for the same?
//!
//! **Question.** All models get the same requests at the same instants. What does each model pay for one, how long do
//! clients wait, and what does a server use without requests?
//!
//! **Measurement.** Poisson arrivals at several rates, with a new connection for each request and over kept
//! connections. Cost per request depends on the rate: a server that sleeps between two requests pays for the wake-up.
//! So models are compared only at the same rate. The headline is 2,000 new connections per second, which every model
//! can serve. The control takes part two more times: unchanged, where the figures must not differ, and with a known
//! amount of extra work per request, where they must differ by that amount.

use hola_base::text;

use super::Experiment;
use super::roster::{ALL, Setting, with_again, with_planted};
use crate::metric::Metric;
use crate::plan::{Design, Load, LoadPace, Precision, Stage};

/// The headline level of every report.
pub const HEADLINE: &str = "new, 2000/s";

/// The same load for reference targets.
pub const TARGETS: &str = "targets, new, 2000/s";

/// Models of the quick profile: those of the main question, and others that claims are about.
const QUICK_NEW: &[&str] = &[
    "iterative",
    "fork-per-client",
    "thread-per-client",
    "epoll",
    "tokio",
    "io-uring",
];
const QUICK_KEPT: &[&str] = &[
    "fork-per-client",
    "thread-per-client",
    "epoll",
    "tokio",
    "io-uring",
];

const NEW_CONTROL: &str = "iterative";
const KEPT_CONTROL: &str = "epoll";

/// Kept connections, each used in turn.
const KEPT: u32 = 64;

/// Many short slices: the machine's speed drifts within a second, so a short slice, close to the control's, tells as
/// much as one twice as long. A 99th percentile needs a thousand requests in a block.
const WINDOW_MS: u32 = 100;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "equal-load",
    question: text(
        "The same requests at the same rate for every model: what does one cost, and how long does its client wait?",
        "Las mismas peticiones al mismo ritmo para todos los modelos: ¿qué cuesta una, y cuánto espera su cliente?",
    ),
    changes_mind: text(
        "Models whose intervals all lie within ±5 % of the control.",
        "Modelos cuyos intervalos queden todos a menos de ±5 % del control.",
    ),
    metrics: &[
        Metric::CpuPerRequest,
        Metric::ResponseP50,
        Metric::ResponseP99,
        Metric::ResponseP999,
        Metric::SwitchesPerRequest,
        Metric::StandingCpu,
    ],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    let mut stages = vec![
        new_stage(setting, setting.choose(QUICK_NEW, ALL)),
        kept_stage(setting, setting.choose(QUICK_KEPT, ALL)),
    ];
    stages.extend(targets_stage(
        setting,
        "targets, new",
        TARGETS,
        NEW_CONTROL,
        &new(2_000.0, WINDOW_MS),
    ));
    stages.extend(targets_stage(
        setting,
        "targets, kept",
        "targets, kept, 2000/s",
        KEPT_CONTROL,
        &kept(2_000.0, WINDOW_MS),
    ));
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages,
        precision: Some(Precision {
            metric: Metric::CpuPerRequest,
            levels: vec![HEADLINE.into(), "kept, 2000/s".into()],
            half_width: 0.03,
        }),
        blocks_min: 5,
        blocks_max: 40,
        budget_s: setting.choose(115.0, 915.0),
    })
}

fn new(rate_per_s: f64, window_ms: u32) -> Load {
    Load {
        pace: LoadPace::Open {
            rate_per_s,
            connections: None,
        },
        warmup_ms: 15,
        window_ms,
        ..Load::default()
    }
}

fn kept(rate_per_s: f64, window_ms: u32) -> Load {
    Load {
        pace: LoadPace::Open {
            rate_per_s,
            connections: Some(KEPT),
        },
        requests_per_connection: None,
        warmup_ms: 25,
        window_ms,
        ..Load::default()
    }
}

fn new_stage(setting: &Setting<'_>, names: &[&str]) -> Stage {
    let control = NEW_CONTROL;
    let models = setting.models(EXPERIMENT.name, control, names, None);
    let participants = with_planted(with_again(models, control), control);
    let stage = setting
        .stage("new", participants)
        // The first cycles of a block warm its servers up, too.
        .load("new, 200/s", control, setting.choose(2, 4), new(200.0, 100))
        .load(
            HEADLINE,
            control,
            setting.choose(8, 12),
            new(2_000.0, WINDOW_MS),
        )
        .load(
            "new, 4000/s",
            control,
            setting.choose(1, 4),
            new(4_000.0, 60),
        );
    if !setting.is_full() {
        return stage;
    }
    stage
        .load("new, 50/s", control, 1, new(50.0, 300))
        .load("new, 1000/s", control, 4, new(1_000.0, 60))
        .load("new, 8000/s", control, 2, new(8_000.0, 60))
        .load("rest", control, 1, Load::default())
}

fn kept_stage(setting: &Setting<'_>, names: &[&str]) -> Stage {
    let control = KEPT_CONTROL;
    let models = setting.models(EXPERIMENT.name, control, names, Some(KEPT));
    let stage = setting.stage("kept", with_again(models, control)).load(
        "kept, 2000/s",
        control,
        setting.choose(5, 10),
        kept(2_000.0, WINDOW_MS),
    );
    if !setting.is_full() {
        return stage;
    }
    stage
        .load("kept, 200/s", control, 2, kept(200.0, 80))
        .load("kept, 8000/s", control, 2, kept(8_000.0, 60))
        .load("kept, 16000/s", control, 2, kept(16_000.0, 60))
}

/// A stage with the reference targets and the control, without the models: in a longer cycle each slice would be
/// farther from the control's. `None` if there are no targets.
fn targets_stage(
    setting: &Setting<'_>,
    name: &str,
    level: &str,
    control: &str,
    load: &Load,
) -> Option<Stage> {
    let targets = setting.targets(EXPERIMENT.name, ALL, load);
    if targets.is_empty() {
        return None;
    }
    let held = match load.pace {
        LoadPace::Open { connections, .. } => connections,
        LoadPace::Closed { .. } | LoadPace::Rest => None,
    };
    let control_alone = setting.models(EXPERIMENT.name, control, &[control], held);
    let participants = [control_alone, targets].concat();
    Some(
        setting
            .stage(name, participants)
            .load(level, control, 6, load.clone()),
    )
}
