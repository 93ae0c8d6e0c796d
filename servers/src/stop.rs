//! How a server is told to stop, and how that reaches whoever is waiting.
//!
//! SIGTERM and SIGINT run one handler that does five things, each async-signal-safe (signal-safety(7)) and each free
//! of races and of cost to a server that is not stopping: it raises [`STOPPING`]; it closes every listener, at once
//! where nobody waits in its queue, and to newcomers where somebody does; it closes the receiving half of every
//! connection, so that nobody waits for a request that may never come while answers under way still go out; it
//! interrupts the threads that wait for clients already; and it arms an alarm that ends the process if draining takes
//! too long. Descriptors that this process inherited are none of its business.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};

use nix::unistd::gettid;

use crate::sys;

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

/// When the first signal came, in milliseconds of the monotonic clock; 0 before.
pub(crate) static ASKED_MS: AtomicU64 = AtomicU64::new(0);

/// Descriptors that were open before the server had any.
static INHERITED: OnceLock<Vec<i32>> = OnceLock::new();

/// Descriptors that are looked at where /proc does not say which are open.
const INHERITED_MAX: i32 = 1024;

/// Most threads of one process that accept.
const ACCEPTORS_MAX: usize = 2048;

/// Ids of the threads of this process that may be waiting in a call until a client comes; 0 where a place is free.
pub(crate) static ACCEPTORS: [AtomicI32; ACCEPTORS_MAX] =
    [const { AtomicI32::new(0) }; ACCEPTORS_MAX];

/// Whether the server has been told to stop.
pub(crate) fn is_asked() -> bool {
    STOPPING.load(Ordering::SeqCst)
}

/// Whether to let in clients: until the stop, and after it those who were already waiting, for half of the drain. So the
/// last one who is let in has as much time as that to be served.
pub(crate) fn lets_in() -> bool {
    let half_drain_ms = || u64::from(DRAIN_S.load(Ordering::Relaxed)) * 1_000 / 2;
    !is_asked() || sys::monotonic_ms() < ASKED_MS.load(Ordering::SeqCst) + half_drain_ms()
}

/// Takes all descriptors that are open now for somebody else's, whose sockets the handler leaves alone.
pub(crate) fn note_inherited() {
    let number = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let numbers: Vec<i32> = match std::fs::read_dir("/proc/self/fd") {
        Ok(entries) => entries.flatten().filter_map(number).collect(),
        Err(_no_proc) => (0..INHERITED_MAX).collect(),
    };
    // The list names its own descriptor too, which is closed by now.
    let open = |&descriptor: &i32| sys::is_open(descriptor);
    INHERITED.get_or_init(|| numbers.into_iter().filter(open).collect());
}

/// Whether that descriptor is somebody else's.
pub(crate) fn is_inherited(descriptor: i32) -> bool {
    INHERITED
        .get()
        .is_some_and(|inherited| inherited.contains(&descriptor))
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
