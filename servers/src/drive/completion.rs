//! The driver for a completion loop: it submits the operations that a conversation asks for.

use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::conversation::{Conversation, Step};
use crate::sys::ring::Ring;

/// What the driver has submitted for a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Submitted {
    /// A receive or a send: its completion will come.
    Transfer,
    /// No operation: the conversation waits for this long.
    Wait(Duration),
    /// No operation: the conversation is over.
    Nothing,
}

/// Submits what a conversation needs next, marked with its slot.
pub(crate) fn ask(
    ring: &mut Ring,
    slot: usize,
    socket: &TcpStream,
    conversation: &mut impl Conversation,
) -> Submitted {
    loop {
        match conversation.step() {
            Step::Read(space) => ring.receive(slot, socket, space.len()),
            Step::Write(bytes) => ring.send(slot, socket, bytes),
            Step::Wait(time) => return Submitted::Wait(time),
            Step::EndWrite => {
                // If the client has gone, the next read reports it.
                let _ = socket.shutdown(Shutdown::Write);
                conversation.write_ended();
                continue;
            }
            Step::Close => return Submitted::Nothing,
        }
        return Submitted::Transfer;
    }
}

/// Copies bytes from a buffer of the ring into the conversation's own space, and reports them as read.
pub(crate) fn received(conversation: &mut impl Conversation, bytes: &[u8]) {
    if let Step::Read(space) = conversation.step() {
        space[..bytes.len()].copy_from_slice(bytes);
        conversation.received(bytes.len());
    }
}
