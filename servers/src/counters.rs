//! What a server counts, in memory that forked children share.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Counts since the server started. Each only grows, so they can be read at any moment without a lock.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Counters {
    /// Clients accepted.
    pub accepted: AtomicU64,
    /// Clients whose connection this server is done with, well or badly.
    pub closed: AtomicU64,
    /// Clients sent away with a 503 for want of a thread, a process or memory.
    pub refused: AtomicU64,
    /// Requests answered in full.
    pub answers: AtomicU64,
    /// Conversations closed at a deadline.
    pub expired: AtomicU64,
    /// Conversations that the client broke off.
    pub broken: AtomicU64,
    /// Conversations that ended in a panic, or whose process died.
    pub crashed: AtomicU64,
    /// Times accepting paused because the system was short of something.
    pub backed_off: AtomicU64,
    /// What the clients themselves count, at `/count`.
    pub count: AtomicU64,
}

impl Counters {
    /// Counts `event` once more. Relaxed is enough: nothing is published through a counter.
    pub fn count(event: &AtomicU64) {
        event.fetch_add(1, Ordering::Relaxed);
    }

    /// Clients held at this moment.
    pub fn active(&self) -> u64 {
        // Read in this order the difference can be too large for an instant, never negative.
        let closed = self.closed.load(Ordering::Acquire);
        self.accepted.load(Ordering::Acquire).saturating_sub(closed)
    }

    /// All counts, as plain numbers.
    pub fn snapshot(&self) -> Snapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        Snapshot {
            accepted: read(&self.accepted),
            closed: read(&self.closed),
            refused: read(&self.refused),
            answers: read(&self.answers),
            expired: read(&self.expired),
            broken: read(&self.broken),
            crashed: read(&self.crashed),
            backed_off: read(&self.backed_off),
        }
    }
}

/// [`Counters`] at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[allow(missing_docs, reason = "each field is its namesake's value")]
pub struct Snapshot {
    pub accepted: u64,
    pub closed: u64,
    pub refused: u64,
    pub answers: u64,
    pub expired: u64,
    pub broken: u64,
    pub crashed: u64,
    pub backed_off: u64,
}
