//! One reading of a server: what it has counted so far, and what its processes use.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use hola_lab::process_tree::TreeUsage;
use hola_servers::counters::{Counters, Snapshot, Tally};

/// Most processes whose memory is read each second: the kernel walks over the pages of each.
const MEASURED_PROCESSES_MAX: usize = 64;

/// A server whose counters this process can read.
#[derive(Debug)]
pub(crate) struct LiveServer {
    /// Its first process.
    pub(crate) pid: i32,
    /// Its counters.
    pub(crate) counters: Counters,
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
        let tallies = self.counters.tallies().iter();
        LiveReading {
            at: Instant::now(),
            usage,
            counts: self.counters.snapshot(),
            workers: tallies.map(WorkerCounts::of).collect(),
        }
    }
}
