//! How a server is told to stop, and how the stop reaches the threads that wait.
//!
//! SIGTERM and SIGINT run one handler. All it does is async-signal-safe (signal-safety(7)), free of races, and free of
//! cost for a server that is not stopping:
//!
//! - It sets [`STOPPING`].
//! - It closes every listener: at once if its accept queue is empty, otherwise only to new clients.
//! - It closes the receiving half of every connection. So no conversation waits for a request that may never come,
//!   while answers under way are still sent.
//! - It wakes the threads and event loops that wait, and tells child processes to stop.
//! - It arms an alarm that ends the process if the drain takes too long.
//!
//! It does not touch the descriptors that this process inherited.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU32, Ordering};

use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::gettid;

use crate::sys;

/// Set by the first SIGTERM or SIGINT, never cleared.
pub(crate) static STOPPING: AtomicBool = AtomicBool::new(false);

/// Set in a forked worker, which shares its listener with the other workers.
pub(crate) static IS_WORKER_PROCESS: AtomicBool = AtomicBool::new(false);

/// The writing end of a pipe whose other end tells event loops to stop; or -1.
pub(crate) static WAKE: AtomicI32 = AtomicI32::new(-1);

/// Largest descriptor of a socket so far: the handler checks the descriptors up to this one.
pub(crate) static LARGEST_SOCKET: AtomicI32 = AtomicI32::new(-1);

/// Seconds until the process gives up a drain.
pub(crate) static DRAIN_S: AtomicU32 = AtomicU32::new(0);

/// When the first signal came, in milliseconds of the monotonic clock; 0 before.
pub(crate) static ASKED_MS: AtomicI64 = AtomicI64::new(0);

/// Descriptors that were open before the server opened any.
static INHERITED: OnceLock<Vec<i32>> = OnceLock::new();

/// Descriptors to check if /proc does not say which are open.
const INHERITED_MAX: i32 = 1024;

/// Most threads of one process that accept.
const ACCEPTORS_MAX: usize = 2048;

/// Ids of the threads of this process that may be waiting in a call until a client comes; 0 for a free slot.
pub(crate) static ACCEPTORS: [AtomicI32; ACCEPTORS_MAX] =
    [const { AtomicI32::new(0) }; ACCEPTORS_MAX];

/// Whether the server has been told to stop.
pub(crate) fn is_asked() -> bool {
    STOPPING.load(Ordering::SeqCst)
}

/// Whether clients may be accepted: always before the stop, and after it those in the accept queue for half of the
/// drain. So the last one has the other half to be served.
pub(crate) fn may_accept() -> bool {
    let half_drain_ms = || i64::from(DRAIN_S.load(Ordering::Relaxed)) * 1_000 / 2;
    !is_asked() || monotonic_ms() < ASKED_MS.load(Ordering::SeqCst) + half_drain_ms()
}

/// Milliseconds of the monotonic clock. Async-signal-safe.
pub(crate) fn monotonic_ms() -> i64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC);
    now.map_or(1, |now| now.num_milliseconds())
}

/// Records all descriptors that are open now as inherited: the handler does not touch their sockets.
pub(crate) fn record_inherited_descriptors(own: &[i32]) {
    let number = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let numbers: Vec<i32> = match std::fs::read_dir("/proc/self/fd") {
        Ok(entries) => entries.flatten().filter_map(number).collect(),
        Err(_no_proc) => (0..INHERITED_MAX).collect(),
    };
    // The list also names the descriptor that it was read from, which is closed by now.
    let left_alone = |descriptor: &i32| sys::is_open(*descriptor) && !own.contains(descriptor);
    INHERITED.get_or_init(|| numbers.into_iter().filter(left_alone).collect());
}

pub(crate) fn is_inherited(descriptor: i32) -> bool {
    INHERITED
        .get()
        .is_some_and(|inherited| inherited.contains(&descriptor))
}

/// Makes the handler reach this socket.
pub(crate) fn watch(descriptor: i32) {
    // Most descriptors have been used before: then nothing is written. In a server that forks, a write copies the page.
    if LARGEST_SOCKET.load(Ordering::SeqCst) < descriptor {
        LARGEST_SOCKET.fetch_max(descriptor, Ordering::SeqCst);
    }
}

/// A thread's entry in [`ACCEPTORS`] for as long as it accepts, so that a stop interrupts it.
#[derive(Debug)]
pub(crate) struct InterruptibleThread(Option<&'static AtomicI32>);

impl InterruptibleThread {
    /// Adds the calling thread.
    pub(crate) fn this_thread() -> Self {
        let id = gettid().as_raw();
        let is_mine = |slot: &&AtomicI32| {
            slot.compare_exchange(0, id, Ordering::SeqCst, Ordering::Relaxed)
                .is_ok()
        };
        // A stop does not interrupt a thread that finds no free slot; its next client does.
        InterruptibleThread(ACCEPTORS.iter().find(is_mine))
    }
}

impl Drop for InterruptibleThread {
    fn drop(&mut self) {
        if let Some(slot) = self.0 {
            slot.store(0, Ordering::SeqCst);
        }
    }
}
