//! What a server does about calls that fail: it tries again at once, waits while the system is short of a resource, or
//! gives up.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use nix::errno::Errno;

use crate::client::Client;
use crate::server::Server;

/// First pause after the system ran short; doubled up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(5);
/// Longest pause: a server must serve again within a second after the shortage ends.
const PAUSE_MAX: Duration = Duration::from_millis(640);

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
    use Errno::{EAGAIN, EBUSY, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC};
    let errno = error.raw_os_error().map(Errno::from_raw);
    let shortages = [EAGAIN, EBUSY, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC];
    errno.is_some_and(|errno| shortages.contains(&errno))
}

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

    /// The client that an accept has brought, or what to do about an accept that failed. A shortage is also reported.
    pub(crate) fn judge(
        &mut self,
        server: &'static Server,
        accepted: io::Result<TcpStream>,
    ) -> Result<Client, AcceptError> {
        match accepted {
            Ok(socket) => {
                self.succeeded();
                Ok(server.admit(socket))
            }
            Err(error) => {
                let failure = self.failed(&error);
                if let AcceptError::Pause(_) = failure {
                    server.on_shortage("cannot accept", &error);
                }
                Err(failure)
            }
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

    fn judge(accept_policy: &mut AcceptPolicy, errno: Errno) -> AcceptError {
        accept_policy.failed(&io::Error::from_raw_os_error(errno as i32))
    }

    #[test]
    fn retries_at_once_when_only_one_connection_is_lost() {
        use Errno::{ECONNABORTED, EHOSTUNREACH, EINTR, EPROTO};
        let mut accept_policy = AcceptPolicy::new();
        for errno in [ECONNABORTED, EINTR, EPROTO, EHOSTUNREACH] {
            let judged = judge(&mut accept_policy, errno);
            assert_eq!(judged, AcceptError::Retry, "{errno}");
        }
    }

    #[test]
    fn pauses_for_a_moment_when_connection_after_connection_is_lost() {
        let mut accept_policy = AcceptPolicy::new();
        for lost in 1..=3 * LOST_MAX {
            let expected = match lost % LOST_MAX {
                0 => AcceptError::Pause(PAUSE_MIN),
                _ => AcceptError::Retry,
            };
            let judged = judge(&mut accept_policy, Errno::ECONNABORTED);
            assert_eq!(judged, expected, "{lost}");
        }
    }

    #[test]
    fn pauses_ever_longer_while_the_system_is_short_and_forgets_it_after_a_success() {
        let mut accept_policy = AcceptPolicy::new();
        let errors = [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM].into_iter();
        let pauses_ms = [5, 10, 20, 40, 80, 160, 320, 640, 640];
        for (errno, ms) in errors.cycle().zip(pauses_ms) {
            let pause = AcceptError::Pause(Duration::from_millis(ms));
            assert_eq!(judge(&mut accept_policy, errno), pause, "{errno}");
        }
        accept_policy.succeeded();
        let pause = AcceptError::Pause(PAUSE_MIN);
        assert_eq!(judge(&mut accept_policy, Errno::EMFILE), pause);
    }
}
