//! The driver for models that give a client a task: where the readiness driver says what it needs, the task waits for it.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;

use tokio::io::Interest;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout_at};

use super::readiness::{Need, advance};
use super::{Deadline, Limits, Turn};
use crate::conversation::Conversation;
use crate::sys;

/// Carries a conversation to its end, keeping the deadlines with the runtime's timers.
///
/// The socket does not block. It is registered with the runtime the first time it makes the task wait, so a client
/// whose request is there already costs no registration.
///
/// # Errors
/// What the socket said; [`io::ErrorKind::TimedOut`] when a deadline has passed.
pub async fn converse(
    conversation: &mut impl Conversation,
    socket: &TcpStream,
    limits: &Limits,
) -> io::Result<()> {
    let mut need = advance(conversation, socket, Turn::ONE_REQUEST)?;
    if need == Need::Nothing {
        return Ok(());
    }
    let registered = sys::register(socket.as_fd(), Interest::READABLE | Interest::WRITABLE)?;
    let clock = || Instant::now().into_std();
    // Read once a turn: nothing here needs to know better.
    let mut now = clock();
    let mut deadline = Deadline::new(conversation, limits, now);
    loop {
        let interest = match need {
            Need::Nothing => return Ok(()),
            Need::Readable => Interest::READABLE,
            Need::Writable => Interest::WRITABLE,
            Need::Turn => {
                yield_now().await;
                now = clock();
                need = advance(conversation, socket, Turn::new(now))?;
                continue;
            }
            Need::Time(time) => {
                sleep(time).await;
                now = clock();
                conversation.waited();
                need = advance(conversation, socket, Turn::new(now))?;
                continue;
            }
        };
        deadline.follow(conversation, limits, now);
        let ready = registered.ready(interest);
        let waited = match deadline.at() {
            Some(at) => timeout_at(at.into(), ready).await,
            None => Ok(ready.await),
        };
        now = clock();
        need = advance(conversation, socket, Turn::new(now))?;
        match waited {
            // What it was woken for is used up by now; news that came meanwhile is kept.
            Ok(ready) if need != Need::Turn => ready?.clear_ready(),
            Ok(ready) => drop(ready?),
            // The time was up before the runtime saw what had come; so it is judged after a look of its own.
            Err(elapsed) if need != Need::Nothing => {
                deadline.follow(conversation, limits, now);
                if deadline.at().is_some_and(|at| at <= now) {
                    return Err(elapsed.into());
                }
            }
            Err(_elapsed) => {}
        }
    }
}
