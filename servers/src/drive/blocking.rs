//! The driver for models that give a client a thread of control: it waits in the kernel.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use super::{Deadline, Limits};
use crate::conversation::{Conversation, Patience, Step};

/// Carries a conversation to its end.
///
/// The kernel keeps the deadlines (`SO_RCVTIMEO`, `SO_SNDTIMEO`, see socket(7)): an accepted socket starts with the
/// listener's, which are [`Limits`]' idle and write limits, so a well-behaved client costs no extra system call.
///
/// # Errors
/// What the socket said; [`ErrorKind::WouldBlock`] when a deadline has passed.
pub fn converse(
    conversation: &mut impl Conversation,
    mut socket: &TcpStream,
    limits: &Limits,
) -> io::Result<()> {
    let mut deadline = Deadline::new(conversation.patience(), limits);
    let mut allowed = Allowed {
        read: limits.of(Patience::Idle),
        write: limits.of(Patience::Write),
    };
    loop {
        let outcome = match conversation.step() {
            Step::Read(space) => socket.read(space).map(|count| conversation.received(count)),
            Step::Write(octets) => socket.write(octets).map(|count| conversation.sent(count)),
            Step::Wait(time) => {
                thread::sleep(time);
                conversation.waited();
                Ok(())
            }
            Step::EndWrite => socket
                .shutdown(Shutdown::Write)
                .map(|()| conversation.write_ended()),
            Step::Close => return Ok(()),
        };
        match outcome {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let patience = conversation.patience();
        if patience == Patience::Nothing {
            return Ok(());
        }
        if patience == Patience::Wait {
            continue;
        }
        let wait = match deadline.follow(patience, limits) {
            true => limits.of(patience),
            false => deadline.left().ok_or(ErrorKind::WouldBlock)?,
        };
        allowed.at_most(wait, patience, socket)?;
    }
}

/// The waits the kernel has been told, so that it is told again only when they change.
struct Allowed {
    read: Duration,
    write: Duration,
}

impl Allowed {
    fn at_most(
        &mut self,
        wait: Duration,
        patience: Patience,
        socket: &TcpStream,
    ) -> io::Result<()> {
        if patience == Patience::Write {
            if self.write != wait {
                self.write = wait;
                socket.set_write_timeout(Some(wait))?;
            }
        } else if self.read != wait {
            self.read = wait;
            socket.set_read_timeout(Some(wait))?;
        }
        Ok(())
    }
}
