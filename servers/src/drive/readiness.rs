//! The driver for loops that serve whoever can go on: it never waits, it says what for.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::time::Duration;

use super::{Performed, Turn, perform};
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
    /// Its next turn: it could go on at once, but others have waited long enough.
    Turn,
    /// Nothing: it is over.
    Nothing,
}

/// Takes a conversation as far as its non-blocking socket, and its turn, let it.
///
/// A read that did not fill its space has emptied the socket: reading again at once would only be told so. Readiness
/// is level-triggered, so whatever arrives meanwhile is not missed. Only a client that has more to be done than that
/// costs a look at the clock.
///
/// # Errors
/// What the socket said.
pub fn advance(
    conversation: &mut impl Conversation,
    socket: &TcpStream,
    turn: Turn,
) -> io::Result<Need> {
    let mut emptied = false;
    let mut has_read = false;
    let mut has_moved = false;
    loop {
        let step = conversation.step();
        let reads = matches!(step, Step::Read(_));
        if reads && emptied {
            return Ok(Need::Readable);
        }
        let has_more = reads && has_read || step == Step::Wait(Duration::ZERO) && has_moved;
        if has_more && turn.is_over() {
            return Ok(Need::Turn);
        }
        match perform(conversation, socket) {
            Ok(Performed::Over) => return Ok(Need::Nothing),
            Ok(Performed::Wait(Duration::ZERO)) => {
                conversation.waited();
                has_moved = true;
            }
            Ok(Performed::Wait(time)) => return Ok(Need::Time(time)),
            Ok(Performed::Moved { may_have_more }) => {
                emptied |= !may_have_more;
                has_read |= reads;
                has_moved = true;
            }
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
