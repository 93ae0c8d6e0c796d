//! What the checks know of a run besides what was recorded.

use crate::rank::Rank;
use crate::schedule::Schedule;
use crate::summary::{KernelEvidence, PlannedStart};
use crate::throttling::Throttling;
use crate::workload::{Engine, Pacing};

/// What a run knows besides its recorder and its counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// Which share of the plan the figures are of.
    pub(crate) rank: Rank,
    /// Requests of that share, counted from the schedule.
    pub(crate) planned: u64,
    /// Planned requests whose instant came before the window ended (open loop).
    pub(crate) offered: Option<u64>,
    /// Planned instants of an open loop, and when its window opened.
    pub(crate) schedule: Option<(Schedule, u64)>,
    /// How the system calls were made; `None` if ranks made them in different ways.
    pub(crate) engine: Option<Engine>,
    /// How the worker threads waited for planned instants.
    pub(crate) pacing: Pacing,
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
    /// The instant at which the run was to start, if it was planned.
    pub(crate) start: Option<PlannedStart>,
}

impl Evidence {
    /// Adds that of another rank of the same run. What is no sum is that of the worst rank. What depends on the share of the
    /// plan or on the machine is the caller's to set: `rank`, `offered`, `schedule` and `kernel`.
    pub(crate) fn add(&mut self, other: &Self) {
        self.planned += other.planned;
        self.engine = self.engine.filter(|_| self.engine == other.engine);
        // One thread that slept is enough to judge the CPU time.
        if other.pacing == Pacing::Sleep {
            self.pacing = Pacing::Sleep;
        }
        self.threads += other.threads;
        self.cpu_share = self.cpu_share.max(other.cpu_share);
        self.stopped |= other.stopped;
        let throttlings = [self.throttling, other.throttling].into_iter().flatten();
        self.throttling = throttlings.max_by_key(|throttling| throttling.throttled_ns);
        if let (Some(mine), Some(theirs)) = (&mut self.start, &other.start) {
            mine.late_us = mine.late_us.max(theirs.late_us);
            let errors = mine.clock_error_us.zip(theirs.clock_error_us);
            mine.clock_error_us = errors.map(|(mine, theirs)| mine.max(theirs));
        }
    }
}

/// `a / b`; `None` if `b` is zero.
#[allow(clippy::cast_precision_loss)] // counts and spans of nanoseconds stay far below 2^53
pub(crate) fn ratio(a: u64, b: u64) -> Option<f64> {
    (b > 0).then(|| a as f64 / b as f64)
}
