//! **Question.** Loads differ in the number of clients, whether they stay, and how long an answer waits for something
//! else. Which kind of model costs least for which load?
//!
//! **Measurement.** All models get the same rate of requests in each combination: 16 or 512 clients, which stay or open
//! a new connection for each request, with answers at once or after 10 ms. CPU time per request.

use super::{Design, Experiment, Load, Metric, Setting, StageDraft, text};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "grid",
    question: text(
        "Few clients or many, new or kept, answers at once or after 10 ms: which model costs least where?",
        "Pocos clientes o muchos, nuevos o que se quedan, respuestas inmediatas o tras 10 ms: ¿qué modelo cuesta menos en cada caso?",
    ),
    changes_mind: text(
        "One model that costs least in every corner.",
        "Un modelo que cueste menos en todas las esquinas.",
    ),
    metrics: &[Metric::CpuPerRequest],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    setting.only_full()?;
    let stages = [stage(setting, 16, 500.0), stage(setting, 512, 2_000.0)];
    Some(Design::new(&EXPERIMENT, stages, 5..=7, 52.0))
}

fn stage<'s>(setting: &'s Setting<'_>, clients: u32, rate_per_s: f64) -> StageDraft<'s> {
    const NAMES: &[&str] = &[
        "fork-per-client",
        "thread-per-client",
        "pre-threaded",
        "tokio",
    ];
    let mut stage = setting
        .stage(&EXPERIMENT, &format!("{clients} clients"), "epoll")
        .models(NAMES, Some(clients));
    for wait_ms in [0, 10] {
        for (name, load) in [
            ("new", Load::with_rate(rate_per_s)),
            ("kept", Load::with_kept(rate_per_s, clients)),
        ] {
            let load = Load {
                path: format!("/wait/{wait_ms}"),
                warmup_ms: 40 + wait_ms + clients / 10,
                ..load
            };
            stage = stage.load(&format!("{clients} clients, {name}, {wait_ms} ms"), 1, load);
        }
    }
    stage
}
