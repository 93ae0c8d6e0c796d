//! **Question.** One request in a hundred computes for 10 ms, or blocks its thread for as long. Do the others wait for
//! it?
//!
//! **Measurement.** An open loop of light requests alone, then beside a second load of a hundredth as many requests
//! that compute (`/compute`), then beside as many that sleep on their serving thread (`/block`), like a handler that
//! makes a slow blocking call. The response times of the light ones, from the instants they were due. Beside the loops
//! stands their remedy, a loop that hands such requests to helper threads.

use super::{Design, Experiment, Load, Metric, Setting, text};
use crate::plan::Disturbance;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "mixed",
    question: text(
        "One request in a hundred computes for 10 ms, or blocks its thread: do the others wait for it?",
        "Una petición de cada cien calcula durante 10 ms, o bloquea su hilo: ¿la esperan las demás?",
    ),
    changes_mind: text(
        "A single loop whose 99th percentile beside blocking requests is no longer than that of a thread per client.",
        "Un único bucle cuyo percentil 99 junto a peticiones que bloquean no sea mayor que el de un hilo por cliente.",
    ),
    metrics: &[Metric::ResponseP99, Metric::ResponseP50],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const RATE_PER_S: f64 = 2_000.0;
    let load = |other: Option<&str>| Load {
        beside: other.map(|path| Disturbance::OtherRequests {
            path: path.into(),
            rate_per_s: RATE_PER_S / 100.0,
        }),
        warmup_ms: 40,
        // Thirty requests beyond the 99th percentile need three thousand in a block.
        window_ms: 500,
        ..Load::with_rate(RATE_PER_S)
    };
    let names: &[&str] = setting.choose(
        &["epoll"],
        &["loop-and-pool", "epoll", "tokio-current-thread", "tokio"],
    );
    let mut stage = setting
        .stage(&EXPERIMENT, "new", "thread-per-client")
        .models(names, None)
        .load("alone", 3, load(None));
    if setting.is_full() {
        stage = stage.load("1 % compute", 3, load(Some("/compute/5000000")));
    }
    let stage = stage.load("1 % block", 3, load(Some("/block/10")));
    let (blocks, budget_s) = setting.choose((3..=3, 20.0), (8..=8, 200.0));
    Some(Design::new(&EXPERIMENT, [stage], blocks, budget_s))
}
