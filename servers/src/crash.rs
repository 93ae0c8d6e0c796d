//! Deaths on request, to see who else dies.

use nix::sys::signal::{Signal, raise};

use crate::conversation::Crash;

/// Dies as asked; only a panic can be survived.
pub(crate) fn crash(how: Crash) {
    match how {
        Crash::Panic => panic!("a client asked for a panic"),
        Crash::Abort => std::process::abort(),
        // The signal that touching the wrong page brings, without touching it.
        Crash::Segv => {
            let _ = raise(Signal::SIGSEGV);
        }
    }
}
