//! One reading of a server: what it has counted so far, and what its processes use.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use hola_lab::process_tree::TreeUsage;
use hola_servers::counters::{Counters, Snapshot, Tally};

/// Most processes whose memory is read each second: the kernel walks over the pages of each.
const MEASURED_PROCESSES_MAX: usize = 64;

/// A server whose processes this process can see.
#[derive(Debug)]
pub(crate) struct LiveServer {
    /// Its first process.
    pub(crate) pid: i32,
    /// Its counters; `None` if this process cannot read them, and then all counts are 0.
    pub(crate) counters: Option<Counters>,
}

/// What one worker has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WorkerCounts {
    /// Clients it holds.
    pub(super) clients: u64,
    /// Requests it has answered.
    pub(super) answers: u64,
    /// Times it has become ready for clients.
    pub(super) starts: u64,
}

impl WorkerCounts {
    fn of(tally: &Tally) -> Self {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        WorkerCounts {
            clients: tally.active(),
            answers: count(&tally.answers),
            starts: count(&tally.starts),
        }
    }
}

/// A server at one moment.
#[derive(Clone, Debug)]
pub(super) struct LiveReading {
    pub(super) at: Instant,
    pub(super) usage: TreeUsage,
    pub(super) counts: Snapshot,
    pub(super) workers: Vec<WorkerCounts>,
}

impl LiveServer {
    /// Reads it now.
    pub(super) fn read(&self) -> LiveReading {
        let usage = TreeUsage::of(self.pid, MEASURED_PROCESSES_MAX);
        let counters = self.counters.as_ref();
        let tallies = counters.map_or(&[][..], Counters::tallies);
        LiveReading {
            at: Instant::now(),
            usage,
            counts: counters.map(Counters::snapshot).unwrap_or_default(),
            workers: tallies.iter().map(WorkerCounts::of).collect(),
        }
    }
}
