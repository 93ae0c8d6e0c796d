//! **Question.** All models get the same requests at the same instants. What does each model pay for one, how long do
//! clients wait, and what does a server use without requests?
//!
//! **Measurement.** Poisson arrivals at several rates, with a new connection for each request and over kept
//! connections. Cost per request depends on the rate: a server that sleeps between two requests pays for the wake-up.
//! So models are compared only at the same rate. The headline is 2,000 new connections per second, which every model
//! can serve. The control takes part two more times: unchanged, where the figures must not differ, and with a known
//! amount of extra work per request, where they must differ by that amount.

use super::{ALL, Design, Experiment, Load, Metric, QUICK, Setting, StageDraft, text};

/// The headline level of every report.
pub const HEADLINE: &str = "new, 2000/s";

const KEPT_LEVEL: &str = "kept, 2000/s";

pub(super) const NEW_CONTROL: &str = "iterative";
pub(super) const KEPT_CONTROL: &str = "epoll";

/// Kept connections, each used in turn.
pub(super) const KEPT: u32 = 64;

/// Many short slices: the machine's speed drifts within a second, so a short slice, close to the control's, tells as
/// much as one twice as long. A 99th percentile needs a thousand requests in a block.
pub(super) const WINDOW_MS: u32 = 100;

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
        Metric::ResponseP90,
        Metric::ResponseP99,
        Metric::ResponseP999,
        Metric::SwitchesPerRequest,
        Metric::StandingCpu,
    ],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    let stages = [
        new_stage(setting, setting.choose(QUICK, ALL)),
        // Without `iterative`, which holds one client.
        kept_stage(setting, setting.choose(&QUICK[1..], ALL)),
    ];
    let design = Design::new(&EXPERIMENT, stages, 5..=40, setting.choose(115.0, 680.0));
    Some(design.until_precise(Metric::CpuPerRequest, 0.03, &[HEADLINE, KEPT_LEVEL]))
}

pub(super) fn new(rate_per_s: f64, window_ms: u32) -> Load {
    Load {
        warmup_ms: 15,
        window_ms,
        ..Load::with_rate(rate_per_s)
    }
}

pub(super) fn kept(rate_per_s: f64, window_ms: u32) -> Load {
    Load {
        window_ms,
        ..Load::with_kept(rate_per_s, KEPT)
    }
}

fn new_stage<'s>(setting: &'s Setting<'_>, names: &[&str]) -> StageDraft<'s> {
    let stage = setting
        .stage(&EXPERIMENT, "new", NEW_CONTROL)
        .models(names, None)
        .with_again()
        .with_planted()
        // The first cycles of a block warm its servers up, too.
        .load("new, 200/s", 2, new(200.0, 100))
        .load(HEADLINE, setting.choose(6, 8), new(2_000.0, WINDOW_MS))
        .load("new, 4000/s", setting.choose(1, 2), new(4_000.0, 60));
    if !setting.is_full() {
        return stage;
    }
    stage
        .load("new, 50/s", 1, new(50.0, 300))
        .load("new, 1000/s", 2, new(1_000.0, 60))
        .load("new, 8000/s", 1, new(8_000.0, 60))
        .load("rest", 1, Load::default())
}

fn kept_stage<'s>(setting: &'s Setting<'_>, names: &[&str]) -> StageDraft<'s> {
    let stage = setting
        .stage(&EXPERIMENT, "kept", KEPT_CONTROL)
        .models(names, Some(KEPT))
        .with_again()
        .load(KEPT_LEVEL, setting.choose(4, 7), kept(2_000.0, WINDOW_MS));
    if !setting.is_full() {
        return stage;
    }
    stage
        .load("kept, 200/s", 1, kept(200.0, 80))
        .load("kept, 8000/s", 1, kept(8_000.0, 60))
        .load("kept, 16000/s", 1, kept(16_000.0, 60))
}
