//! The driver for a loop over completions: it submits what a conversation asks for.

use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::conversation::{Conversation, Step};
use crate::sys::ring::Ring;

/// What has been asked for a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Octets, in or out: a completion will tell.
    Octets,
    /// Time to pass.
    Wait(Duration),
    /// Nothing: it is over.
    Nothing,
}

/// Submits what a conversation needs next, under the number of its place.
pub(crate) fn ask(
    ring: &mut Ring,
    place: usize,
    socket: &TcpStream,
    conversation: &mut impl Conversation,
) -> Asked {
    loop {
        match conversation.step() {
            Step::Read(space) => ring.receive(place, socket, space.len()),
            Step::Write(octets) => ring.send(place, socket, octets),
            Step::Wait(time) => return Asked::Wait(time),
            Step::EndWrite => {
                // Whether the client is still there shows when it is read from.
                let _ = socket.shutdown(Shutdown::Write);
                conversation.write_ended();
                continue;
            }
            Step::Close => return Asked::Nothing,
        }
        return Asked::Octets;
    }
}

/// Reports octets that came in a buffer of the ring's, as if they had been read into the conversation's own space.
pub(crate) fn received(conversation: &mut impl Conversation, octets: &[u8]) {
    if let Step::Read(space) = conversation.step() {
        space[..octets.len()].copy_from_slice(octets);
        conversation.received(octets.len());
    }
}
