//! The driver for models that give a client a thread of control: it waits in blocking system calls.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::{Activity, StepResult, Timeouts, activity, perform};
use crate::conversation::{Conversation, TimeoutKind};

/// Runs a conversation to its end.
///
/// The kernel keeps the deadlines (`SO_RCVTIMEO`, `SO_SNDTIMEO`, see socket(7)). An accepted socket starts with the
/// timeouts of the listener, which are the idle and write limits of [`Timeouts`]. So a well-behaved client costs no
/// extra system call and no reading of the clock. Fails with the error of the socket, or [`ErrorKind::WouldBlock`] if a
/// deadline has passed.
pub fn converse(
    conversation: &mut impl Conversation,
    socket: &TcpStream,
    timeouts: &Timeouts,
) -> io::Result<()> {
    let mut socket_timeouts = SocketTimeouts::new(conversation, timeouts);
    loop {
        match perform(conversation, socket) {
            Ok(StepResult::Over) => return Ok(()),
            Ok(StepResult::Moved { .. }) => {}
            // The kernel's scheduler serves other clients without this driver's help, so a wait of zero does nothing.
            Ok(StepResult::Wait(time)) => {
                thread::sleep(time);
                conversation.waited();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        socket_timeouts.follow(conversation, socket, timeouts)?;
    }
}

/// Timeout of a last call that only takes what has already come: the shortest that the kernel keeps.
const LAST_READ_TIMEOUT: Duration = Duration::from_micros(1);

/// The timeouts that the socket has, so that a system call sets them only when they change.
struct SocketTimeouts {
    activity: Activity,
    deadline: Option<Instant>,
    /// The deadline has passed, and one last call takes what came before it.
    is_overdue: bool,
    read: Option<Duration>,
    write: Option<Duration>,
}

impl SocketTimeouts {
    fn new(conversation: &impl Conversation, timeouts: &Timeouts) -> Self {
        SocketTimeouts {
            activity: activity(conversation),
            deadline: None,
            is_overdue: false,
            read: timeouts.limit(TimeoutKind::Idle),
            write: timeouts.limit(TimeoutKind::Write),
        }
    }

    /// Sets the socket's timeout so that the next call ends at the deadline of the conversation's activity.
    ///
    /// For most activities the timeout of one call is enough. Only the rest of a head or a body often needs several
    /// calls. For any other activity the clock starts after the first call that did not finish it.
    fn follow(
        &mut self,
        conversation: &impl Conversation,
        socket: &TcpStream,
        timeouts: &Timeouts,
    ) -> io::Result<()> {
        let new_activity = activity(conversation);
        let timeout_kind = new_activity.0;
        let has_changed = new_activity != self.activity;
        self.activity = new_activity;
        self.is_overdue &= !has_changed;
        let Some(limit) = timeouts.limit(timeout_kind) else {
            return self.set(timeout_kind, None, socket);
        };
        let wait = match (has_changed, timeout_kind) {
            (_, TimeoutKind::Wait | TimeoutKind::Nothing) => return Ok(()),
            (true, TimeoutKind::Idle | TimeoutKind::Write | TimeoutKind::Linger) => {
                self.deadline = None;
                limit
            }
            (true, TimeoutKind::Head | TimeoutKind::Body) => {
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
                        LAST_READ_TIMEOUT
                    }
                    left => left,
                }
            }
        };
        self.set(timeout_kind, Some(wait), socket)
    }

    fn set(
        &mut self,
        timeout_kind: TimeoutKind,
        wait: Option<Duration>,
        socket: &TcpStream,
    ) -> io::Result<()> {
        if timeout_kind == TimeoutKind::Write {
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
