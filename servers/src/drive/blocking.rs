//! The driver for models that give a client a thread of control: it waits in the kernel.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::{Limits, Occupation, Performed, occupation, perform};
use crate::conversation::{Conversation, Patience};

/// Carries a conversation to its end.
///
/// The kernel keeps the deadlines (`SO_RCVTIMEO`, `SO_SNDTIMEO`, see socket(7)): an accepted socket starts with the
/// listener's, which are [`Limits`]' idle and write limits, so a well-behaved client costs no extra system call and no
/// look at the clock.
///
/// # Errors
/// What the socket said; [`ErrorKind::WouldBlock`] when a deadline has passed.
pub fn converse(
    conversation: &mut impl Conversation,
    socket: &TcpStream,
    limits: &Limits,
) -> io::Result<()> {
    let mut allowed = Allowed::new(conversation, limits);
    loop {
        match perform(conversation, socket) {
            Ok(Performed::Over) => return Ok(()),
            Ok(Performed::Moved { .. }) => {}
            // Other clients have their turn without this one's help: no time is no wait.
            Ok(Performed::Wait(time)) => {
                thread::sleep(time);
                conversation.waited();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        allowed.follow(conversation, socket, limits)?;
    }
}

/// The wait of a call that is only to show what has come: as short as the kernel keeps one.
const LAST_LOOK: Duration = Duration::from_micros(1);

/// The waits the kernel has been told, so that it is told again only when they change.
struct Allowed {
    occupation: Occupation,
    deadline: Option<Instant>,
    /// The deadline has passed, and one last call shows what had come by then.
    is_overdue: bool,
    read: Option<Duration>,
    write: Option<Duration>,
}

impl Allowed {
    fn new(conversation: &impl Conversation, limits: &Limits) -> Self {
        Allowed {
            occupation: occupation(conversation),
            deadline: None,
            is_overdue: false,
            read: limits.of(Patience::Idle),
            write: limits.of(Patience::Write),
        }
    }

    /// Makes the next call end at the deadline of what the conversation is occupied with.
    ///
    /// One call's own timeout is all that most occupations need. Only the rest of a head or a body comes in several
    /// calls as a matter of course; for anything else the clock starts with the first call that did not finish it.
    fn follow(
        &mut self,
        conversation: &impl Conversation,
        socket: &TcpStream,
        limits: &Limits,
    ) -> io::Result<()> {
        let now_occupied = occupation(conversation);
        let patience = now_occupied.0;
        let turned = now_occupied != self.occupation;
        self.occupation = now_occupied;
        self.is_overdue &= !turned;
        let Some(limit) = limits.of(patience) else {
            return self.set(patience, None, socket);
        };
        let wait = match (turned, patience) {
            (_, Patience::Wait | Patience::Nothing) => return Ok(()),
            (true, Patience::Idle | Patience::Write | Patience::Linger) => {
                self.deadline = None;
                limit
            }
            (true, Patience::Head | Patience::Body) => {
                self.deadline = Some(Instant::now() + limit);
                limit
            }
            (false, _) => {
                let now = Instant::now();
                let deadline = *self.deadline.get_or_insert(now + limit);
                match deadline.saturating_duration_since(now) {
                    Duration::ZERO if self.is_overdue => return Err(ErrorKind::WouldBlock.into()),
                    Duration::ZERO => {
                        self.is_overdue = true;
                        LAST_LOOK
                    }
                    left => left,
                }
            }
        };
        self.set(patience, Some(wait), socket)
    }

    fn set(
        &mut self,
        patience: Patience,
        wait: Option<Duration>,
        socket: &TcpStream,
    ) -> io::Result<()> {
        if patience == Patience::Write {
            if self.write != wait {
                self.write = wait;
                socket.set_write_timeout(wait)?;
            }
        } else if self.read != wait {
            self.read = wait;
            socket.set_read_timeout(wait)?;
        }
        Ok(())
    }
}
