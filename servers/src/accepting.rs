//! What a failed accept means: the client's trouble, the system's, or the end.

use std::io;
use std::time::Duration;

use nix::errno::Errno;

use crate::shortage::{PAUSE_MIN, Pauses};

/// Connections lost one after another before there is a pause. An error that stays is not that of a connection, and an
/// acceptor that only retried would use up a core and, in a loop, serve no client that it has.
const LOST_MAX: u32 = 64;

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
    pauses: Pauses,
    /// Connections lost since the last client.
    lost: u32,
}

impl Accepting {
    /// For a listener at which nothing has happened yet.
    pub(crate) fn new() -> Self {
        Accepting {
            pauses: Pauses::new(),
            lost: 0,
        }
    }

    /// A client was let in.
    pub(crate) fn succeeded(&mut self) {
        self.pauses.reset();
        self.lost = 0;
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
            ) => self.connection_lost(),
            // EMFILE, ENFILE, ENOBUFS, ENOMEM, and whatever nobody foresaw: spinning on it would only make it worse.
            _ => Verdict::Pause(self.pauses.next()),
        }
    }

    /// The pause that is due after some other call of the acceptor was refused.
    pub(crate) fn next_pause(&mut self) -> Duration {
        self.pauses.next()
    }

    /// The shortest pause is enough: the clients behind many lost connections are not to wait for long.
    fn connection_lost(&mut self) -> Verdict {
        self.lost += 1;
        if self.lost < LOST_MAX {
            return Verdict::Retry;
        }
        self.lost = 0;
        Verdict::Pause(PAUSE_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shortage::PAUSE_MAX;

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
    fn pauses_for_a_moment_when_connection_after_connection_is_lost() {
        let mut accepting = Accepting::new();
        for _ in 0..3 {
            let verdicts: Vec<_> = (0..LOST_MAX)
                .map(|_| judge(&mut accepting, Errno::ECONNABORTED))
                .collect();
            let (last, others) = verdicts.split_last().expect("some");
            assert_eq!(*last, Verdict::Pause(PAUSE_MIN));
            assert!(others.iter().all(|verdict| *verdict == Verdict::Retry));
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
