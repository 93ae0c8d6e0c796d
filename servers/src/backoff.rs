//! What a server does while the system is short of a resource: it waits, longer each time, and tries again.

use std::io;
use std::time::Duration;

use nix::errno::Errno;

/// First pause after the system ran short; doubled up to [`PAUSE_MAX`].
pub(crate) const PAUSE_MIN: Duration = Duration::from_millis(5);
/// Longest pause: a server must serve again within a second after the shortage ends.
pub(crate) const PAUSE_MAX: Duration = Duration::from_millis(640);

/// The pauses of one thread of control.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Backoff { next: PAUSE_MIN }
    }

    /// The pause that is due now; the next one is twice as long.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(PAUSE_MAX);
        pause
    }

    /// The shortage has ended: the next pause is the shortest again.
    pub(crate) fn reset(&mut self) {
        self.next = PAUSE_MIN;
    }
}

/// Whether the system is only short of a resource, so that the same call can succeed later.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error().map(Errno::from_raw),
        Some(
            Errno::EAGAIN
                | Errno::EBUSY
                | Errno::EMFILE
                | Errno::ENFILE
                | Errno::ENOBUFS
                | Errno::ENOMEM
                | Errno::ENOSPC
        )
    )
}
