//! **Question.** Threads share all memory; processes share only what was set up for it before the fork. Once it is set
//! up, does using it cost more? And what does counting add to a request?
//!
//! **Measurement.** First the operation by itself, in a fresh process. Two threads, or two processes, each add one to a
//! counter five million times. Or one of two sends a number, over a channel (threads) or a socket pair (processes), and
//! waits for it to come back. Then the same rate of requests over kept connections, for `/` and for `/count`; CPU time
//! per request.

use super::{Design, Experiment, KINDS, Load, Metric, Procedure, Setting, text};
use crate::plan::SharedResource;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "sharing",
    question: text(
        "A counter or a message shared by threads or by processes: what does each use of it cost?",
        "Un contador o un mensaje que comparten hilos o procesos: ¿qué cuesta cada uso?",
    ),
    changes_mind: text(
        "A counter in shared memory that costs two processes a tenth more than two threads.",
        "Un contador en memoria compartida que cueste a dos procesos una décima parte más que a dos hilos.",
    ),
    metrics: &[Metric::SharedOperation, Metric::CpuPerRequest],
    design,
};

fn design(setting: &Setting<'_>) -> Option<Design> {
    const CONTROL: &str = "thread-per-client";
    const CLIENTS: u32 = 16;
    let share = |shared, count| Procedure::Share { shared, count };
    let operation = setting
        .stage(&EXPERIMENT, "operation", CONTROL)
        .models(&["fork-per-client"], None)
        .procedure(
            "counter",
            share(
                SharedResource::Counter,
                setting.choose(5_000_000, 20_000_000),
            ),
        )
        .procedure(
            "message",
            share(SharedResource::Message, setting.choose(10_000, 40_000)),
        );
    if !setting.is_full() {
        return Some(Design::new(&EXPERIMENT, [operation], 5..=10, 5.0));
    }
    let load = |path: &str| Load {
        path: path.into(),
        warmup_ms: 40,
        ..Load::with_kept(2_000.0, CLIENTS)
    };
    let stage = setting
        .stage(&EXPERIMENT, "kept", CONTROL)
        .models(KINDS, Some(CLIENTS))
        .load("greeting", 1, load("/"))
        .load("count", 1, load("/count"));
    let design = Design::new(&EXPERIMENT, [operation, stage], 5..=20, 60.0);
    Some(design.until_precise(Metric::CpuPerRequest, 0.04, &["greeting", "count"]))
}
