//! Cost of a counter or a message that two threads, or two processes, share.

use std::time::Duration;

use clap::ValueEnum;
use hola_servers::models::{self, Attention};
use serde::{Deserialize, Serialize};

use super::fresh_process::{printed, word};
use super::{FreshServer, ProcedureResult, microseconds};
use crate::metric::Metric;
use crate::plan::SharedResource;

/// Whether two threads or two processes share something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Partner {
    /// Threads of one process
    Thread,
    /// Processes, one forked from the other
    Process,
}

impl Partner {
    /// What a model has for each client, if that is a thread or a process.
    fn from_model(name: &str) -> Option<Self> {
        match models::find(name)?.attention {
            Attention::Thread => Some(Partner::Thread),
            Attention::Process => Some(Partner::Process),
            Attention::Nothing | Attention::Task => None,
        }
    }
}

/// What the measuring process prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// How many additions each made, or messages one sent.
    pub count: u32,
    /// Mean time of one addition or message, in microseconds.
    pub shared_operation_us: f64,
}

impl Operation {
    /// Computes the mean from `count` and the total time.
    pub fn new(shared: SharedResource, count: u32, took: Duration) -> Self {
        let each_of_both = match shared {
            SharedResource::Counter => 2.0,
            SharedResource::Message => 1.0,
        };
        Operation {
            count,
            shared_operation_us: microseconds(took) / (f64::from(count) * each_of_both),
        }
    }
}

/// Runs a fresh process in which two threads or processes, as the participant's model has for clients, share the
/// resource `count` times.
pub(super) fn measure(
    fresh: &FreshServer<'_>,
    shared: SharedResource,
    count: u32,
) -> Result<ProcedureResult, String> {
    let model = &fresh.participant.server;
    let partner = Partner::from_model(model)
        .ok_or_else(|| format!("{model} has neither threads nor processes for its clients"))?;
    let count = count.to_string();
    let arguments = ["--count", &count, &word(&partner), &word(&shared)];
    let operation: Operation = printed(fresh, "share", &arguments)?;
    let mut found = ProcedureResult::default();
    found.figure(Metric::SharedOperation, operation.shared_operation_us);
    Ok(found)
}

/// Estimated time of one addition or message, in seconds.
pub(super) fn estimate_s(shared: SharedResource) -> f64 {
    match shared {
        SharedResource::Counter => 20e-9,
        SharedResource::Message => 20e-6,
    }
}
