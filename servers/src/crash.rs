//! Crashes on request, to show which other clients they affect.

use crate::conversation::Crash;
use crate::sys;

/// Crashes as requested; only a panic leaves the process alive.
pub(crate) fn crash(how: Crash) {
    match how {
        Crash::Panic => panic!("a client asked for a panic"),
        Crash::Abort => std::process::abort(),
        Crash::Segv => sys::segfault(),
    }
}
