//! Cost of making one thread, process or task that has nothing to do, and of waiting for its end.

use std::time::Duration;

use hola_servers::models::{self, Attention, Capacity};
use serde::{Deserialize, Serialize};

use super::fresh_process::{printed, word};
use super::{FreshServer, ProcedureResult, percentile_us};
use crate::metric::Metric;

/// What is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum SpawnKind {
    /// A thread of the operating system, as the models make it
    Thread,
    /// A process, forked
    Process,
    /// A task of a work-stealing runtime
    Task,
}

impl SpawnKind {
    /// What a model makes for each client, if it makes anything.
    pub fn from_model(name: &str) -> Option<Self> {
        let model = models::find(name)?;
        if model.capacity != Capacity::Unbounded {
            return None;
        }
        match model.attention {
            Attention::Nothing => None,
            Attention::Task => Some(SpawnKind::Task),
            Attention::Thread => Some(SpawnKind::Thread),
            Attention::Process => Some(SpawnKind::Process),
        }
    }
}

/// What the measuring process prints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spawned {
    /// What was made.
    pub kind: SpawnKind,
    /// How many, one after another.
    pub count: u32,
    /// Memory that the measuring process touched first, in bytes.
    pub ballast_bytes: u64,
    /// Median time of making one and seeing it end, in microseconds.
    pub spawn_us: f64,
    /// Its 99th percentile; `null` with fewer than 1,000, as ten samples must lie beyond it.
    pub spawn_us_p99: Option<f64>,
}

/// Fewest samples for a 99th percentile: ten must lie beyond it.
const P99_SAMPLES_MIN: usize = 1_000;

impl Spawned {
    /// Computes the figures from the measured times.
    pub fn new(kind: SpawnKind, ballast_bytes: u64, times: &[Duration]) -> Self {
        let supports_p99 = times.len() >= P99_SAMPLES_MIN;
        Spawned {
            kind,
            count: u32::try_from(times.len()).unwrap_or(u32::MAX),
            ballast_bytes,
            spawn_us: percentile_us(times, 0.5).unwrap_or(0.0),
            spawn_us_p99: percentile_us(times, 0.99).filter(|_| supports_p99),
        }
    }
}

/// Runs a fresh process that makes `count` of what the participant's model makes for each client, one after another.
pub(super) fn measure(fresh: &FreshServer<'_>, count: u32) -> Result<ProcedureResult, String> {
    let model = &fresh.participant.server;
    let kind = SpawnKind::from_model(model)
        .ok_or_else(|| format!("{model} makes nothing for a client that could be measured"))?;
    let kind = word(&kind);
    let arguments = ["--count", &count.to_string(), &kind];
    let spawned: Spawned = printed(fresh, "spawn", &arguments)?;
    let mut found = ProcedureResult::default();
    found.figure(Metric::SpawnTime, spawned.spawn_us);
    found.note("kind", kind);
    let why = format!("{} of {count} were made and seen to end", spawned.count);
    found.check("spawned_all", spawned.count == count, why);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_each_model_makes_for_a_client() {
        assert_eq!(
            SpawnKind::from_model("thread-per-client"),
            Some(SpawnKind::Thread)
        );
        assert_eq!(
            SpawnKind::from_model("fork-per-client"),
            Some(SpawnKind::Process)
        );
        assert_eq!(SpawnKind::from_model("tokio"), Some(SpawnKind::Task));
        for made_before in ["iterative", "pre-forked", "pre-threaded", "epoll", "none"] {
            assert_eq!(SpawnKind::from_model(made_before), None, "{made_before}");
        }
    }

    #[test]
    fn gives_a_percentile_only_with_ten_samples_beyond_it() {
        let times: Vec<_> = (1..=1_000).map(Duration::from_micros).collect();
        let spawned = Spawned::new(SpawnKind::Thread, 0, &times);
        assert!((spawned.spawn_us - 500.0).abs() < 1e-6);
        assert!((spawned.spawn_us_p99.expect("a percentile") - 990.0).abs() < 1e-6);
        assert_eq!(
            Spawned::new(SpawnKind::Thread, 0, &times[..999]).spawn_us_p99,
            None
        );
    }
}
