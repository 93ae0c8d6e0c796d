//! **Question.** On loopback a packet is handed over within one network stack, mostly by the process that sends it. Do
//! models compare otherwise when their clients come over a link?
//!
//! **Measurement.** The usual loads, 2,000 requests per second over new and over kept connections, once over loopback
//! and once with every server in a network namespace of its own, behind a pair of virtual Ethernet devices. Both in
//! turn, in the same run: what is compared is each model's ratio to `epoll` with that on loopback. It needs root.

use super::equal_load::{self, KEPT};
use super::{Design, Experiment, Metric, Setting, StageDraft, text};
use crate::namespace::NetworkNamespace;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "network",
    question: text(
        "How much of a difference between models is loopback's?",
        "¿Cuánto de una diferencia entre modelos es de la interfaz de bucle local?",
    ),
    changes_mind: text(
        "A ratio between two models that is another one over a link, beyond both intervals.",
        "Una razón entre dos modelos que sea otra a través de un enlace, más allá de ambos intervalos.",
    ),
    metrics: &[
        Metric::CpuPerRequest,
        Metric::ResponseP50,
        Metric::ResponseP90,
        Metric::SwitchesPerRequest,
    ],
    design,
};

const MODELS: &[&str] = &["fork-per-client", "thread-per-client", "tokio"];
const CONTROL: &str = "epoll";

fn design(setting: &Setting<'_>) -> Option<Design> {
    setting.only_full()?;
    if let Err(reason) = NetworkNamespace::new() {
        let reason = format!("no network namespace can be made here: {reason}");
        setting.skip(CONTROL, EXPERIMENT.name, reason);
        return None;
    }
    let stage = |name| {
        let stage = setting.stage(&EXPERIMENT, name, CONTROL);
        stage.models(MODELS, Some(KEPT))
    };
    let stages = [
        with_loads(stage("loopback"), "loopback"),
        with_loads(stage("veth").over_veth(), "veth"),
    ];
    let design = Design::new(&EXPERIMENT, stages, 5..=20, 45.0);
    Some(design.until_precise(Metric::CpuPerRequest, 0.03, &["new, 2000/s, veth"]))
}

fn with_loads<'s>(stage: StageDraft<'s>, network: &str) -> StageDraft<'s> {
    let new = equal_load::new(2_000.0, equal_load::WINDOW_MS);
    let kept = equal_load::kept(2_000.0, equal_load::WINDOW_MS);
    stage.load(&format!("new, 2000/s, {network}"), 6, new).load(
        &format!("kept, 2000/s, {network}"),
        4,
        kept,
    )
}
