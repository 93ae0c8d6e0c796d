//! What one worker counts, laid out for memory that processes share.

use std::sync::atomic::AtomicU64;

/// What one worker counts. Each count only grows, so it can be read at any moment without a lock.
#[derive(Debug, Default)]
#[repr(C, align(128))]
pub struct Tally {
    /// Clients accepted.
    pub accepted: AtomicU64,
    /// Times that waiting for a client ended, with a client or without.
    pub wakeups: AtomicU64,
    /// Clients whose connection has ended for this server, with or without an error.
    pub closed: AtomicU64,
    /// Clients refused because there was no thread, process, memory or slot in a selector for them; with a 503 if they
    /// had not been served yet.
    pub refused: AtomicU64,
    /// Requests answered in full.
    pub answers: AtomicU64,
    /// Conversations closed at a deadline.
    pub expired: AtomicU64,
    /// Conversations that the client broke off.
    pub broken: AtomicU64,
    /// Conversations that ended in a panic, and processes that died.
    pub crashed: AtomicU64,
    /// Times accepting paused because the system was short of something.
    pub backed_off: AtomicU64,
    /// How often this worker has become ready for clients: 0 while it is starting.
    pub starts: AtomicU64,
}
