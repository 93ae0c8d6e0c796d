//! What a server does while the system is short of something: it waits, ever longer, and tries again.

use std::io;
use std::time::Duration;

use nix::errno::Errno;

/// First pause after the system ran short; doubled up to [`PAUSE_MAX`].
pub(crate) const PAUSE_MIN: Duration = Duration::from_millis(5);
/// Longest pause: a server must serve again within a second of relief.
pub(crate) const PAUSE_MAX: Duration = Duration::from_millis(640);

/// The pauses of one thread of control.
#[derive(Debug)]
pub(crate) struct Pauses {
    next: Duration,
}

impl Pauses {
    pub(crate) fn new() -> Self {
        Pauses { next: PAUSE_MIN }
    }

    /// The pause that is due now; the next one is twice as long.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(PAUSE_MAX);
        pause
    }

    /// The system has what it lacked: the next pause is a short one again.
    pub(crate) fn reset(&mut self) {
        self.next = PAUSE_MIN;
    }
}

/// Whether the system is only short of something, so that the same call can succeed later.
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
