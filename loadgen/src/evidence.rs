//! What the checks know of a run besides what was recorded.

use crate::schedule::Schedule;
use crate::summary::KernelEvidence;
use crate::throttling::Throttling;
use crate::workload::Engine;

/// What a run knows besides its recorder and its counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Evidence {
    /// Requests of the whole plan, counted from the schedule.
    pub(crate) planned: u64,
    /// Planned requests whose instant came before the window ended (open loop).
    pub(crate) offered: Option<u64>,
    /// Planned instants of an open loop, and when its window opened.
    pub(crate) schedule: Option<(Schedule, u64)>,
    /// How the system calls were made.
    pub(crate) engine: Engine,
    /// Worker threads.
    pub(crate) threads: u32,
    /// CPU share of the busiest worker thread.
    pub(crate) cpu_share: f64,
    /// Whether the run was stopped early.
    pub(crate) stopped: bool,
    /// Increase of the kernel's counters during the run.
    pub(crate) kernel: Option<KernelEvidence>,
    /// Time that a CPU quota took from this process.
    pub(crate) throttling: Option<Throttling>,
}

/// `a / b`; `None` if `b` is zero.
#[allow(clippy::cast_precision_loss)] // counts and spans of nanoseconds stay far below 2^53
pub(crate) fn ratio(a: u64, b: u64) -> Option<f64> {
    (b > 0).then(|| a as f64 / b as f64)
}
