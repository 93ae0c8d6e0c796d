//! # Equal load: what does a request cost when all models are asked for the same?
//!
//! **Question.** The same requests at the same instants, whatever the server does: what does each model pay for one, how long
//! do clients wait, and what does a server use that nobody asks?
//!
//! **Measurement.** Poisson arrivals at several rates, with a new connection for each request and over connections that
//! stay. Cost per request depends on the pace (a server that rests between two requests pays for waking up), so that models
//! can be compared only at the same rate; the headline is 2,000 new connections per second, which every model can serve.
//! The control stands in the comparison a second time, and once more with a known piece of work in each request: the first
//! must not differ, the second must differ by what was added.

use hola_base::text;

use super::Experiment;
use super::roster::{ALL, Setting, with_again, with_planted};
use crate::metric::Metric;
use crate::plan::{Design, Load, Pace, Precision, Stage};

/// The level that headlines every report.
pub const HEADLINE: &str = "new, 2000/s";

/// Models of the quick profile: those of the question in one sentence, and those of which claims speak besides.
const QUICK_NEW: &[&str] = &[
    "iterative",
    "fork-per-client",
    "thread-per-client",
    "selector-threads",
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

/// Connections that stay, each used in turn.
const KEPT: u32 = 64;

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
    let new = new_stage(setting, setting.choose(QUICK_NEW, ALL));
    let kept = kept_stage(setting, setting.choose(QUICK_KEPT, ALL));
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![new, kept],
        precision: Some(Precision {
            metric: Metric::CpuPerRequest,
            levels: vec![HEADLINE.into(), "kept, 2000/s".into()],
            half_width: 0.03,
        }),
        blocks_min: 5,
        blocks_max: 40,
        budget_s: setting.choose(110.0, 800.0),
    })
}

fn at(rate_per_s: f64, window_ms: u32) -> Load {
    Load {
        pace: Pace::Open {
            rate_per_s,
            connections: None,
        },
        window_ms,
        ..Load::default()
    }
}

fn new_stage(setting: &Setting<'_>, names: &[&str]) -> Stage {
    const CONTROL: &str = "iterative";
    let models = setting.models(EXPERIMENT.name, CONTROL, names, None);
    let targets = setting.targets(EXPERIMENT.name, ALL, &Load::default());
    let participants = [models, targets.clone()].concat();
    let participants = with_planted(with_again(participants, CONTROL), CONTROL);
    let stage = setting
        .stage("new", participants)
        // The first cycles of a block warm its servers up, too; they are at the rate of which nothing is claimed to a few percent.
        .load("new, 200/s", CONTROL, 2, at(200.0, 150))
        .load(
            HEADLINE,
            CONTROL,
            4,
            // A 99th percentile takes a thousand requests in a block.
            at(2_000.0, setting.choose(140, 200)),
        )
        .load(
            "new, 4000/s",
            CONTROL,
            setting.choose(1, 2),
            at(4_000.0, 100),
        );
    if !setting.is_full() {
        return stage;
    }
    stage
        .load("new, 50/s", CONTROL, 1, at(50.0, 400))
        .load("new, 1000/s", CONTROL, 2, at(1_000.0, 100))
        .load("new, 8000/s", CONTROL, 2, at(8_000.0, 100))
        .load("rest", CONTROL, 1, Load::default())
        .with_targets_at(&[HEADLINE], &targets)
}

fn kept_stage(setting: &Setting<'_>, names: &[&str]) -> Stage {
    const CONTROL: &str = "epoll";
    let kept = |rate_per_s: f64, window_ms| Load {
        pace: Pace::Open {
            rate_per_s,
            connections: Some(KEPT),
        },
        requests_per_connection: None,
        warmup_ms: 40,
        window_ms,
        ..Load::default()
    };
    let models = setting.models(EXPERIMENT.name, CONTROL, names, Some(KEPT));
    let targets = setting.targets(EXPERIMENT.name, ALL, &kept(1.0, 1));
    let participants = with_again([models, targets.clone()].concat(), CONTROL);
    let stage = setting.stage("kept", participants).load(
        "kept, 2000/s",
        CONTROL,
        4,
        kept(2_000.0, setting.choose(140, 200)),
    );
    if !setting.is_full() {
        return stage;
    }
    stage
        .load("kept, 200/s", CONTROL, 2, kept(200.0, 150))
        .load("kept, 8000/s", CONTROL, 2, kept(8_000.0, 100))
        .load("kept, 16000/s", CONTROL, 2, kept(16_000.0, 100))
        .with_targets_at(&["kept, 2000/s"], &targets)
}
