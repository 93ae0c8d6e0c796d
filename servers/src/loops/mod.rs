//! Event loops, each for many clients: [`readiness`] asks the kernel which sockets are ready, [`completion`] submits
//! operations and is told when they are done.

mod acceptor;
mod completion;
mod deadlines;
mod readiness;
mod resumable;
mod stackful;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags};

pub(crate) use self::completion::run as complete;
pub(crate) use self::readiness::{Interest, Selector, run as select};
pub(crate) use self::resumable::StateMachine;
pub(crate) use self::stackful::Stackful;
use crate::accept_policy::{Backoff, is_shortage};
use crate::context::ErrorContext;
use crate::server::Server;

/// The kernel's list of sockets for one event loop. Fails with the error of epoll_create1(2).
pub(crate) fn epoll() -> io::Result<Epoll> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC);
    epoll.context(|| "cannot make an epoll instance".into())
}

/// The time until the earliest of `moments`; `None` if there is none.
fn until_first(moments: [Option<Instant>; 2], now: Instant) -> Option<Duration> {
    let first = moments.into_iter().flatten().min()?;
    Some(first.saturating_duration_since(now))
}

/// Judges the result of a wait. A signal only shortens a wait. If the system is short of a resource, the loop pauses and
/// then continues, so its clients lose no more than that pause. Any other error would come again: it is returned.
fn judge_wait(
    server: &'static Server,
    backoff: &mut Backoff,
    waited: io::Result<()>,
) -> io::Result<()> {
    match waited {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) if is_shortage(&error) => {
            server.on_shortage("cannot wait for clients", &error);
            thread::sleep(backoff.next());
        }
        Err(error) => return Err(error).context(|| "cannot wait for clients".into()),
        Ok(()) => backoff.reset(),
    }
    Ok(())
}
