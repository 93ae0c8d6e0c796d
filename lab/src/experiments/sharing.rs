//! # Sharing: what does it cost to share a counter, or to hand over a message?
//!
//! **Question.** Threads share all memory; processes share only what was set up for it before the fork. Once it is set
//! up, does using it cost more? And what does counting add to a request?
//!
//! **Measurement.** First the operation by itself, in a fresh process. Two threads, or two processes, each add one to a
//! counter five million times. Or one of two sends a number, over a channel (threads) or a socket pair (processes), and
//! waits for it to come back. Then the same rate of requests over kept connections, for `/` and for `/count`; CPU time
//! per request.

use hola_base::text;

use super::Experiment;
use super::roster::{KINDS, Setting};
use crate::metric::Metric;
use crate::plan::{Design, Load, LoadPace, Precision, Procedure, SharedResource, Stage, Task};

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
    let operation = operation_stage(setting, CONTROL);
    if !setting.is_full() {
        return Some(Design {
            experiment: EXPERIMENT.name.into(),
            stages: vec![operation],
            precision: None,
            blocks_min: 5,
            blocks_max: 10,
            budget_s: 12.0,
        });
    }
    let load = |path: &str| Load {
        pace: LoadPace::Open {
            rate_per_s: 2_000.0,
            connections: Some(CLIENTS),
        },
        requests_per_connection: None,
        path: path.into(),
        warmup_ms: 40,
        ..Load::default()
    };
    let models = setting.models(EXPERIMENT.name, CONTROL, KINDS, Some(CLIENTS));
    let stage = setting
        .stage("kept", models)
        .load("greeting", CONTROL, 3, load("/"))
        .load("count", CONTROL, 3, load("/count"));
    Some(Design {
        experiment: EXPERIMENT.name.into(),
        stages: vec![operation, stage],
        precision: Some(Precision {
            metric: Metric::CpuPerRequest,
            levels: vec!["greeting".into(), "count".into()],
            half_width: 0.04,
        }),
        blocks_min: 5,
        blocks_max: 20,
        budget_s: 60.0,
    })
}

fn operation_stage(setting: &Setting<'_>, control: &str) -> Stage {
    let share = |shared, count| Task::Procedure(Procedure::Share { shared, count });
    let names = [control, "fork-per-client"];
    let models = setting.models(EXPERIMENT.name, control, &names, None);
    setting
        .stage("operation", models)
        .level(
            "counter",
            control,
            1,
            share(SharedResource::Counter, 20_000_000),
        )
        .level(
            "message",
            control,
            1,
            share(SharedResource::Message, 40_000),
        )
}
