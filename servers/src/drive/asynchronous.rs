//! The driver for models that give a client a task: it waits in the runtime.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Deadline, Limits};
use crate::conversation::{Conversation, Step};

/// Carries a conversation to its end, keeping the deadlines with the runtime's timers.
///
/// # Errors
/// What the socket said; [`io::ErrorKind::TimedOut`] when a deadline has passed.
pub async fn converse(
    conversation: &mut impl Conversation,
    socket: &mut TcpStream,
    limits: &Limits,
) -> io::Result<()> {
    let now = || Instant::now().into_std();
    let mut deadline = Deadline::new(conversation, limits, now());
    loop {
        let at = deadline.at().into();
        match conversation.step() {
            Step::Read(space) => {
                let count = timeout_at(at, socket.read(space)).await??;
                conversation.received(count);
            }
            Step::Write(octets) => {
                let count = timeout_at(at, socket.write(octets)).await??;
                conversation.sent(count);
            }
            Step::Wait(time) => {
                sleep(time).await;
                conversation.waited();
            }
            Step::EndWrite => {
                socket.shutdown().await?;
                conversation.write_ended();
            }
            Step::Close => return Ok(()),
        }
        deadline.follow(conversation, limits, now());
    }
}
