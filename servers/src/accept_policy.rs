//! What a failed accept means: a lost connection, a shortage in the system, or a closed listener.

use std::io;
use std::time::Duration;

use nix::errno::Errno;

use crate::backoff::{Backoff, PAUSE_MIN};

/// Connections lost one after another before there is a pause. An error that persists does not come from a connection.
/// An acceptor that only retried would use up a core and, in an event loop, serve none of its clients.
const LOST_MAX: u32 = 64;

/// What to do about a failed accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AcceptError {
    /// That connection is gone; the next may be fine.
    Retry,
    /// The accept queue is empty.
    Empty,
    /// The listener is closed: no client will come any more.
    Closed,
    /// The system is short of a resource: wait, then try again.
    Pause(Duration),
}

/// The accept policy of one acceptor.
#[derive(Debug)]
pub(crate) struct AcceptPolicy {
    backoff: Backoff,
    /// Connections lost since the last client.
    lost: u32,
}

impl AcceptPolicy {
    /// For a listener at which nothing has happened yet.
    pub(crate) fn new() -> Self {
        AcceptPolicy {
            backoff: Backoff::new(),
            lost: 0,
        }
    }

    /// A client was accepted.
    pub(crate) fn succeeded(&mut self) {
        self.backoff.reset();
        self.lost = 0;
    }

    /// Judges an error of accept(2), whose man page lists the errors that can be pending on a new connection.
    pub(crate) fn failed(&mut self, error: &io::Error) -> AcceptError {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EAGAIN) => AcceptError::Empty,
            // The stop has closed it, perhaps in another process that shares it.
            Some(Errno::EINVAL) => AcceptError::Closed,
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
            // EMFILE, ENFILE, ENOBUFS, ENOMEM, and any unknown error: retrying at once would only make it worse.
            _ => AcceptError::Pause(self.backoff.next()),
        }
    }

    /// The pause that is due after another call of the acceptor has failed.
    pub(crate) fn next_pause(&mut self) -> Duration {
        self.backoff.next()
    }

    /// The shortest pause is enough: the clients behind many lost connections must not wait long.
    fn connection_lost(&mut self) -> AcceptError {
        self.lost += 1;
        if self.lost < LOST_MAX {
            return AcceptError::Retry;
        }
        self.lost = 0;
        AcceptError::Pause(PAUSE_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backoff::PAUSE_MAX;

    fn judge(accept_policy: &mut AcceptPolicy, errno: Errno) -> AcceptError {
        accept_policy.failed(&io::Error::from_raw_os_error(errno as i32))
    }

    #[test]
    fn retries_at_once_when_only_one_connection_is_lost() {
        let mut accept_policy = AcceptPolicy::new();
        for errno in [
            Errno::ECONNABORTED,
            Errno::EINTR,
            Errno::EPROTO,
            Errno::EHOSTUNREACH,
        ] {
            assert_eq!(
                judge(&mut accept_policy, errno),
                AcceptError::Retry,
                "{errno}"
            );
        }
    }

    #[test]
    fn pauses_for_a_moment_when_connection_after_connection_is_lost() {
        let mut accept_policy = AcceptPolicy::new();
        for _ in 0..3 {
            let verdicts: Vec<_> = (0..LOST_MAX)
                .map(|_| judge(&mut accept_policy, Errno::ECONNABORTED))
                .collect();
            let (last, others) = verdicts.split_last().expect("some");
            assert_eq!(*last, AcceptError::Pause(PAUSE_MIN));
            assert!(others.iter().all(|verdict| *verdict == AcceptError::Retry));
        }
    }

    #[test]
    fn pauses_ever_longer_while_the_system_is_short_and_forgets_it_after_a_success() {
        let mut accept_policy = AcceptPolicy::new();
        let backoff: Vec<_> = [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM]
            .map(|errno| judge(&mut accept_policy, errno))
            .into();
        let expected = [5, 10, 20, 40].map(|ms| AcceptError::Pause(Duration::from_millis(ms)));
        assert_eq!(backoff, expected);
        for _ in 0..20 {
            judge(&mut accept_policy, Errno::EMFILE);
        }
        assert_eq!(
            judge(&mut accept_policy, Errno::EMFILE),
            AcceptError::Pause(PAUSE_MAX)
        );
        accept_policy.succeeded();
        assert_eq!(
            judge(&mut accept_policy, Errno::EMFILE),
            AcceptError::Pause(PAUSE_MIN)
        );
    }
}
