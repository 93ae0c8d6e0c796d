//! What requests make a server do for an experiment: work of a known size before each answer, which a comparison has to
//! find, and crashes, which show what other clients they affect.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::conversation::Crash;
use crate::sys;

/// How long the work takes, in nanoseconds. It is set once, before serving.
static NS: AtomicU64 = AtomicU64::new(0);

/// Sets how long the work takes, and returns the function that does it; `None` for no time.
pub(crate) fn set_extra_work(ns: u64) -> Option<fn()> {
    NS.store(ns, Ordering::Relaxed);
    (ns > 0).then_some(work)
}

/// Keeps the CPU busy for that long. The clock measures it, so its size does not depend on the speed of the CPU.
fn work() {
    let end = Duration::from_nanos(NS.load(Ordering::Relaxed));
    let begun = Instant::now();
    while begun.elapsed() < end {
        std::hint::spin_loop();
    }
}

/// Crashes as requested; only a panic leaves the process alive.
pub(crate) fn crash(how: Crash) {
    match how {
        Crash::Panic => panic!("a client asked for a panic"),
        Crash::Abort => std::process::abort(),
        Crash::Segv => sys::segfault(),
    }
}
