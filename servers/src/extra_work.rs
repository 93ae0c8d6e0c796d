//! A known piece of work for each request, so that a comparison can show that it finds a difference of known size.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long the work takes, in nanoseconds. It is set once, before serving.
static NS: AtomicU64 = AtomicU64::new(0);

/// Sets how long the work takes, and returns the function that does it; `None` for no time.
pub(crate) fn set_duration(ns: u64) -> Option<fn()> {
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
