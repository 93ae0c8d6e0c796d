//! Loops that serve many clients each: [`readiness`] asks who can go on, [`completion`] asks for things to be done and
//! is told when they are.

mod completion;
mod deadlines;
mod door;
mod readiness;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags};

pub(crate) use self::completion::run as complete;
pub(crate) use self::readiness::{Interest, Selector, run as select};
use crate::context::Context;
use crate::server::Server;
use crate::shortage::{self, Pauses};

/// The kernel's list of sockets for one loop.
///
/// # Errors
/// What epoll_create1(2) said.
pub(crate) fn epoll() -> io::Result<Epoll> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC);
    epoll.context(|| "cannot make an epoll instance".into())
}

/// The time until the earliest of `moments`; `None` if there is none.
fn until_first(moments: [Option<Instant>; 2], now: Instant) -> Option<Duration> {
    let first = moments.into_iter().flatten().min()?;
    Some(first.saturating_duration_since(now))
}

/// What a loop does when its wait is refused.
struct Waits {
    server: &'static Server,
    pauses: Pauses,
}

impl Waits {
    fn new(server: &'static Server) -> Self {
        Waits {
            server,
            pauses: Pauses::new(),
        }
    }

    /// A wait that a signal ended was only short. Where the system is short of something, the loop goes on after a pause:
    /// its clients lose no more than that.
    ///
    /// # Errors
    /// Any other refusal: it would come again.
    fn judge(&mut self, waited: io::Result<()>) -> io::Result<()> {
        match waited {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if shortage::is_shortage(&error) => {
                self.server.note_refused_wait(&error);
                thread::sleep(self.pauses.next());
            }
            Err(error) => return Err(error).context(|| "cannot wait for clients".into()),
            Ok(()) => self.pauses.reset(),
        }
        Ok(())
    }
}
