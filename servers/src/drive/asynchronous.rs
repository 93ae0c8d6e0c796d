//! The driver for models with a task per client: the task awaits each step.

use std::io;
use std::net;
use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout_at};

use super::readiness::{Need, advance};
use super::{Budget, Deadline};
use crate::conversation::{Conversation, Step};
use crate::settings::{FirstRead, Settings};

/// Runs a conversation to its end; the runtime's timers keep its deadlines.
///
/// The socket does not block. With [`FirstRead::AtOnce`] it is registered with the runtime only when the task has to
/// wait: a client whose request is already there may cost no registration. Fails with the error of the socket, or
/// [`io::ErrorKind::TimedOut`] if a deadline has passed.
pub async fn converse(
    conversation: &mut impl Conversation,
    socket: net::TcpStream,
    settings: &Settings,
) -> io::Result<()> {
    let timeouts = &settings.timeouts;
    let mut deadline = Deadline::new(conversation, timeouts, Instant::now());
    if settings.first_read == Some(FirstRead::AtOnce) {
        let budget = Budget::new(Instant::now(), true);
        if advance(conversation, &socket, budget)? == Need::Nothing {
            return Ok(());
        }
    }
    let mut socket = TcpStream::from_std(socket)?;
    loop {
        deadline.follow(conversation, timeouts, Instant::now());
        match conversation.step() {
            Step::Read(space) => {
                let count = in_time(&deadline, socket.read(space)).await?;
                conversation.received(count);
            }
            Step::Write(bytes) => {
                let count = in_time(&deadline, socket.write(bytes)).await?;
                conversation.sent(count);
            }
            Step::Wait(time) => {
                match time {
                    Duration::ZERO => yield_now().await,
                    time => sleep(time).await,
                }
                conversation.waited();
            }
            Step::Work => conversation.work(),
            Step::EndWrite => {
                socket.shutdown().await?;
                conversation.write_ended();
            }
            Step::Close => return Ok(()),
        }
    }
}

async fn in_time(
    deadline: &Deadline,
    operation: impl Future<Output = io::Result<usize>>,
) -> io::Result<usize> {
    let Some(at) = deadline.at() else {
        return operation.await;
    };
    let mut operation = pin!(operation);
    if let Ok(done) = timeout_at(at.into(), operation.as_mut()).await {
        return done;
    }
    // The timer may be told before the runtime has seen that the socket is ready; after a yield it has looked at both.
    yield_now().await;
    timeout_at(at.into(), operation).await?
}
