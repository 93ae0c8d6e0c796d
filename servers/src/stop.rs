//! How a server is told to stop, and how that reaches whoever is waiting.
//!
//! SIGTERM and SIGINT run one handler that does four things, each async-signal-safe (signal-safety(7)) and each free
//! of races and of cost to a server that is not stopping:
//! it raises [`STOPPING`]; it makes the listener non-blocking, so that an accept about to block returns instead; it
//! closes the receiving half of every connection, so that nobody waits for a request that may never come while answers
//! under way still go out; and it arms an alarm that ends the process if draining takes too long.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

/// Raised by the first SIGTERM or SIGINT, never lowered.
pub(crate) static STOPPING: AtomicBool = AtomicBool::new(false);

/// The listener, or -1 where this process has none.
pub(crate) static LISTENER: AtomicI32 = AtomicI32::new(-1);

/// The writing end of a pipe whose other end tells event loops to stop; or -1.
pub(crate) static WAKE: AtomicI32 = AtomicI32::new(-1);

/// Largest descriptor of a client so far: the handler closes up to here.
pub(crate) static LARGEST_CLIENT: AtomicI32 = AtomicI32::new(-1);

/// Seconds until a drain is given up.
pub(crate) static DRAIN_S: AtomicU32 = AtomicU32::new(0);

/// Whether the server has been told to stop.
pub(crate) fn is_asked() -> bool {
    STOPPING.load(Ordering::SeqCst)
}
