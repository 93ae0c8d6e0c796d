//! The driver for models that give a client a stack of its own: where a thread would block, the coroutine is suspended.

use std::io;
use std::net::TcpStream;

use super::readiness::{Need, Wait, advance};
use super::{Budget, Deadline, Timeouts};
use crate::conversation::Conversation;

/// Runs a conversation to its end. `suspend` returns once what the conversation waits for has come, with a new budget.
///
/// The socket does not block. Fails with the error of the socket, or [`io::ErrorKind::TimedOut`] if a deadline has
/// passed.
pub fn converse(
    conversation: &mut impl Conversation,
    socket: &TcpStream,
    timeouts: &Timeouts,
    mut deadline: Deadline,
    mut budget: Budget,
    suspend: impl Fn(Wait) -> Budget,
) -> io::Result<()> {
    loop {
        let need = advance(conversation, socket, budget)?;
        if need == Need::Nothing {
            return Ok(());
        }
        budget = suspend(deadline.wait(need, conversation, timeouts, budget.began())?);
        if matches!(need, Need::Time(_)) {
            conversation.waited();
        }
    }
}
