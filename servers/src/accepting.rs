//! What a failed accept means: the client's trouble, the system's, or the end.

use std::io;
use std::time::Duration;

use nix::errno::Errno;

/// First pause after the system ran short; doubled up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(5);
/// Longest pause: a server must serve again within a second of relief.
const PAUSE_MAX: Duration = Duration::from_millis(640);

/// What to do about a failed accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// That connection is gone; the next may be fine.
    Retry,
    /// Nobody is waiting.
    Empty,
    /// Nobody will come any more: the listener is closed.
    Closed,
    /// The system is short of something: wait, then try again.
    Pause(Duration),
}

/// The accept policy of one acceptor.
#[derive(Debug)]
pub(crate) struct Accepting {
    pause: Duration,
}

impl Accepting {
    /// For a listener at which nothing has happened yet.
    pub(crate) fn new() -> Self {
        Accepting { pause: PAUSE_MIN }
    }

    /// A client was let in.
    pub(crate) fn succeeded(&mut self) {
        self.pause = PAUSE_MIN;
    }

    /// Judges an error of accept(2), whose page lists what can be pending on a new connection.
    pub(crate) fn failed(&mut self, error: &io::Error) -> Verdict {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EAGAIN) => Verdict::Empty,
            // The stop has closed it, perhaps in another process that shares it.
            Some(Errno::EINVAL) => Verdict::Closed,
            Some(
                Errno::EINTR
                | Errno::ECONNABORTED
                | Errno::EPROTO
                | Errno::EPERM
                | Errno::ENETDOWN
                | Errno::ENOPROTOOPT
                | Errno::EHOSTDOWN
                | Errno::ENONET
                | Errno::EHOSTUNREACH
                | Errno::EOPNOTSUPP
                | Errno::ENETUNREACH
                | Errno::ETIMEDOUT,
            ) => Verdict::Retry,
            // EMFILE, ENFILE, ENOBUFS, ENOMEM, and whatever nobody foresaw: spinning on it would only make it worse.
            _ => Verdict::Pause(self.next_pause()),
        }
    }

    /// The pause that is due now; the next one is twice as long.
    pub(crate) fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE_MAX);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(accepting: &mut Accepting, errno: Errno) -> Verdict {
        accepting.failed(&io::Error::from_raw_os_error(errno as i32))
    }

    #[test]
    fn retries_at_once_when_only_one_connection_is_lost() {
        let mut accepting = Accepting::new();
        for errno in [
            Errno::ECONNABORTED,
            Errno::EINTR,
            Errno::EPROTO,
            Errno::EHOSTUNREACH,
        ] {
            assert_eq!(judge(&mut accepting, errno), Verdict::Retry, "{errno}");
        }
    }

    #[test]
    fn pauses_ever_longer_while_the_system_is_short_and_forgets_it_after_a_success() {
        let mut accepting = Accepting::new();
        let pauses: Vec<_> = [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM]
            .map(|errno| judge(&mut accepting, errno))
            .into();
        let expected = [5, 10, 20, 40].map(|ms| Verdict::Pause(Duration::from_millis(ms)));
        assert_eq!(pauses, expected);
        for _ in 0..20 {
            judge(&mut accepting, Errno::EMFILE);
        }
        assert_eq!(
            judge(&mut accepting, Errno::EMFILE),
            Verdict::Pause(PAUSE_MAX)
        );
        accepting.succeeded();
        assert_eq!(
            judge(&mut accepting, Errno::EMFILE),
            Verdict::Pause(PAUSE_MIN)
        );
    }
}
