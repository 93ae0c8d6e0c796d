//! The driver for models that give a client a task: where the readiness driver says what it needs, the task waits for it.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsFd;

use tokio::io::Interest;
use tokio::time::{Instant, sleep, timeout_at};

use super::readiness::{Need, advance};
use super::{Deadline, Limits};
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
    let mut need = advance(conversation, socket)?;
    if need == Need::Nothing {
        return Ok(());
    }
    let registered = sys::register(socket.as_fd(), Interest::READABLE | Interest::WRITABLE)?;
    let now = || Instant::now().into_std();
    let mut deadline = Deadline::new(conversation, limits, now());
    loop {
        let interest = match need {
            Need::Nothing => return Ok(()),
            Need::Readable => Interest::READABLE,
            Need::Writable => Interest::WRITABLE,
            Need::Time(time) => {
                sleep(time).await;
                conversation.waited();
                need = advance(conversation, socket)?;
                continue;
            }
        };
        deadline.follow(conversation, limits, now());
        let mut ready = match deadline.at() {
            Some(at) => timeout_at(at.into(), registered.ready(interest)).await??,
            None => registered.ready(interest).await?,
        };
        need = advance(conversation, socket)?;
        // What it was woken for is used up by now; news that came meanwhile is kept.
        ready.clear_ready();
    }
}
