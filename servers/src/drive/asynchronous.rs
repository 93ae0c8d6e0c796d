//! The driver for models with a task per client: the task awaits what the readiness driver needs.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;

use tokio::io::Interest;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout_at};

use super::readiness::{Need, advance};
use super::{Budget, Deadline, Timeouts};
use crate::conversation::Conversation;
use crate::sys;

/// Runs a conversation to its end; the runtime's timers keep its deadlines.
///
/// The socket does not block. It is registered with the runtime only when the task first has to wait. So a client whose
/// request is already there costs no registration. Fails with the error of the socket, or [`io::ErrorKind::TimedOut`]
/// if a deadline has passed.
pub async fn converse(
    conversation: &mut impl Conversation,
    socket: &TcpStream,
    timeouts: &Timeouts,
) -> io::Result<()> {
    let mut need = advance(conversation, socket, Budget::ONE_REQUEST)?;
    if need == Need::Nothing {
        return Ok(());
    }
    let registered = sys::register(socket.as_fd(), Interest::READABLE | Interest::WRITABLE)?;
    let clock = || Instant::now().into_std();
    // Read only after each wait: nothing here needs a more exact time.
    let mut now = clock();
    let mut deadline = Deadline::new(conversation, timeouts, now);
    loop {
        let interest = match need {
            Need::Nothing => return Ok(()),
            Need::Readable => Interest::READABLE,
            Need::Writable => Interest::WRITABLE,
            Need::Budget | Need::Time(_) => {
                if let Need::Time(time) = need {
                    sleep(time).await;
                    conversation.waited();
                } else {
                    yield_now().await;
                }
                now = clock();
                need = advance(conversation, socket, Budget::new(now))?;
                continue;
            }
        };
        deadline.follow(conversation, timeouts, now);
        let ready = registered.ready(interest);
        let waited = match deadline.at() {
            Some(at) => timeout_at(at.into(), ready).await,
            None => Ok(ready.await),
        };
        now = clock();
        need = advance(conversation, socket, Budget::new(now))?;
        match waited {
            // `advance` has used up this readiness; `clear_ready` keeps an event that came after it.
            Ok(ready) if need != Need::Budget => ready?.clear_ready(),
            Ok(ready) => drop(ready?),
            // The timer was first, but bytes may have come in time: the deadline is checked after a read.
            Err(elapsed) if need != Need::Nothing => {
                deadline.follow(conversation, timeouts, now);
                if deadline.at().is_some_and(|at| at <= now) {
                    return Err(elapsed.into());
                }
            }
            Err(_elapsed) => {}
        }
    }
}
