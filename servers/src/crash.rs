//! Deaths on request, to see who else dies.

use crate::conversation::Crash;
use crate::sys;

/// Dies as asked; only a panic can be survived.
pub(crate) fn crash(how: Crash) {
    match how {
        Crash::Panic => panic!("a client asked for a panic"),
        Crash::Abort => std::process::abort(),
        Crash::Segv => sys::segfault(),
    }
}
