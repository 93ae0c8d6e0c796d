//! The driver for loops that serve whoever can go on: it never waits, it says what for.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::time::Duration;

use super::{Performed, perform};
use crate::conversation::{Conversation, Patience, Step};

/// What a conversation cannot go on without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Octets from the client, or its end of stream.
    Readable,
    /// Room for octets to the client.
    Writable,
    /// Time; then the conversation is to be told.
    Time(Duration),
    /// Nothing: it is over.
    Nothing,
}

/// Takes a conversation as far as its non-blocking socket lets it.
///
/// A read that did not fill its space has emptied the socket: reading again at once would only be told so. Readiness
/// is level-triggered, so whatever arrives meanwhile is not missed.
///
/// # Errors
/// What the socket said.
pub fn advance(conversation: &mut impl Conversation, socket: &TcpStream) -> io::Result<Need> {
    let mut emptied = false;
    loop {
        if emptied && matches!(conversation.step(), Step::Read(_)) {
            return Ok(Need::Readable);
        }
        match perform(conversation, socket) {
            Ok(Performed::Over) => return Ok(Need::Nothing),
            Ok(Performed::Wait(time)) => return Ok(Need::Time(time)),
            Ok(Performed::Moved { may_have_more }) => emptied |= !may_have_more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Ok(match conversation.patience() {
                    Patience::Write => Need::Writable,
                    _ => Need::Readable,
                });
            }
            Err(error) => return Err(error),
        }
    }
}
