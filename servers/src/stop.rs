//! How a server is told to stop, and how that reaches whoever is waiting.
//!
//! SIGTERM and SIGINT run one handler that does five things, each async-signal-safe (signal-safety(7)) and each free
//! of races and of cost to a server that is not stopping: it raises [`STOPPING`]; it makes every listener
//! non-blocking, so that an accept about to block returns instead; it closes the receiving half of every connection,
//! so that nobody waits for a request that may never come while answers under way still go out; it interrupts the
//! threads that wait for clients already; and it arms an alarm that ends the process if draining takes too long.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

use nix::unistd::gettid;

/// Raised by the first SIGTERM or SIGINT, never lowered.
pub(crate) static STOPPING: AtomicBool = AtomicBool::new(false);

/// Raised in a forked worker: its listener is its siblings' too.
pub(crate) static IS_WORKER_PROCESS: AtomicBool = AtomicBool::new(false);

/// The writing end of a pipe whose other end tells event loops to stop; or -1.
pub(crate) static WAKE: AtomicI32 = AtomicI32::new(-1);

/// Largest descriptor of a socket so far: the handler goes up to here.
pub(crate) static LARGEST_SOCKET: AtomicI32 = AtomicI32::new(-1);

/// Seconds until a drain is given up.
pub(crate) static DRAIN_S: AtomicU32 = AtomicU32::new(0);

/// Most threads of one process that accept.
const ACCEPTORS_MAX: usize = 1024;

/// Ids of the threads of this process that may be waiting in a call until a client comes; 0 where a place is free.
pub(crate) static ACCEPTORS: [AtomicI32; ACCEPTORS_MAX] =
    [const { AtomicI32::new(0) }; ACCEPTORS_MAX];

/// Whether the server has been told to stop.
pub(crate) fn is_asked() -> bool {
    STOPPING.load(Ordering::SeqCst)
}

/// The handler is to reach this socket.
pub(crate) fn watch(descriptor: i32) {
    // Most descriptors have been used before. A write would cost a server that forks a copy of the page each time.
    if LARGEST_SOCKET.load(Ordering::SeqCst) < descriptor {
        LARGEST_SOCKET.fetch_max(descriptor, Ordering::SeqCst);
    }
}

/// A thread's entry among those that a stop interrupts, for as long as it accepts.
#[derive(Debug)]
pub(crate) struct Interruptible(Option<&'static AtomicI32>);

impl Interruptible {
    /// Enters the calling thread.
    pub(crate) fn this_thread() -> Self {
        let id = gettid().as_raw();
        let is_mine = |place: &&AtomicI32| {
            place
                .compare_exchange(0, id, Ordering::SeqCst, Ordering::Relaxed)
                .is_ok()
        };
        // A thread that finds no place is interrupted by its next client.
        Interruptible(ACCEPTORS.iter().find(is_mine))
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        if let Some(place) = self.0 {
            place.store(0, Ordering::SeqCst);
        }
    }
}
