//! **Question.** Courses on sockets have a server acknowledge or repeat what a client says. Nothing is parsed there, so
//! more of a message's cost is the model's. Do models then differ more than over HTTP?
//!
//! **Measurement.** 2,000 messages per second for every model. It repeats them, 16 bytes long with a connection for each,
//! with ten on a connection, and over kept connections, and 1,024 bytes long; and it acknowledges them. There is no row
//! for `chat`: in it only the operator answers, so there is no answer to time.

use hola_loadgen::workload::ClientProtocol;

use super::{Design, Experiment, Load, Metric, Setting, text};
use crate::plan::Messages;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "messages",
    question: text(
        "A message that is repeated or acknowledged, without HTTP: what does it cost?",
        "Un mensaje que se repite o del que se acusa recibo, sin HTTP: ¿qué cuesta?",
    ),
    changes_mind: text(
        "Ratios between models that are those over HTTP, within both intervals.",
        "Razones entre modelos que sean las de HTTP, dentro de ambos intervalos.",
    ),
    metrics: &[
        Metric::CpuPerRequest,
        Metric::ResponseP50,
        Metric::ResponseP90,
        Metric::SwitchesPerRequest,
    ],
    design,
};

/// Connections at once.
const CLIENTS: u32 = 64;

const CYCLES: u32 = 2;

const MODELS: &[&str] = &[
    "fork-per-client",
    "thread-per-client",
    "selector-threads",
    "tokio",
];

fn design(setting: &Setting<'_>) -> Option<Design> {
    setting.only_full()?;
    let stage = |name| {
        let stage = setting.stage(&EXPERIMENT, name, "epoll");
        let stage = stage.models(MODELS, Some(CLIENTS));
        stage.with_conversation(name)
    };
    let echo = |per_connection, bytes| load(ClientProtocol::Echo, per_connection, bytes);
    let repeated = stage("echo")
        .load("echo, 1 × 16 B", CYCLES, echo(Some(1), 16))
        .load("echo, 10 × 16 B", CYCLES, echo(Some(10), 16))
        .load("echo, kept, 16 B", CYCLES, echo(None, 16))
        .load("echo, kept, 1024 B", CYCLES, echo(None, 1024));
    let acknowledged = load(ClientProtocol::Ack, None, 16);
    let acknowledged = stage("ack").load("ack, kept, 16 B", CYCLES, acknowledged);
    let stages = [repeated, acknowledged];
    Some(Design::new(&EXPERIMENT, stages, 5..=10, 30.0))
}

fn load(conversation: ClientProtocol, requests_per_connection: Option<u64>, bytes: u32) -> Load {
    Load {
        requests_per_connection,
        messages: Some(Messages {
            conversation,
            bytes,
        }),
        warmup_ms: 20,
        window_ms: 60,
        ..Load::with_kept(2_000.0, CLIENTS)
    }
}
