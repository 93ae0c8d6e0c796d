//! The drivers: the few lines that move bytes between a conversation and a socket.
//!
//! [`blocking`] serves every model that gives a client a thread of control, [`readiness`] the loops that ask the kernel
//! which sockets are ready, [`asynchronous`] the models that give a client a task, [`coroutine`] those that give it a
//! stack. All handle the same steps; only the waiting differs. The loop over io_uring has no driver, because the kernel
//! moves the bytes.

pub mod asynchronous;
pub mod blocking;
pub mod coroutine;
pub mod readiness;

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use self::readiness::{Need, Wait};
use crate::conversation::{Conversation, Protocol, Step, TimeoutKind};

/// How long a conversation may wait, by what it waits for; `None` is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// For the first byte of a request, in milliseconds.
    pub idle_ms: Option<u32>,
    /// For the rest of a head, in milliseconds.
    pub head_ms: Option<u32>,
    /// For the rest of a body, in milliseconds.
    pub body_ms: Option<u32>,
    /// For the client to take an answer, in milliseconds.
    pub write_ms: Option<u32>,
    /// For the client to close after an answer it may not have read, in milliseconds.
    pub linger_ms: Option<u32>,
}

impl Timeouts {
    /// For clients that are programs: they send their request at once.
    const PROGRAM: Timeouts = Timeouts {
        idle_ms: Some(5_000),
        head_ms: Some(5_000),
        body_ms: Some(5_000),
        write_ms: Some(10_000),
        linger_ms: Some(1_000),
    };

    /// For clients that are people at a keyboard: five minutes to type.
    const INTERACTIVE: Timeouts = Timeouts {
        idle_ms: Some(300_000),
        ..Timeouts::PROGRAM
    };

    /// The default timeouts of a protocol.
    pub fn for_protocol(protocol: Protocol) -> Timeouts {
        match protocol {
            Protocol::Http => Timeouts::PROGRAM,
            Protocol::Ack | Protocol::Echo => Timeouts::INTERACTIVE,
            // A client that only reads what the operator writes may stay.
            Protocol::Chat => Timeouts {
                idle_ms: None,
                ..Timeouts::INTERACTIVE
            },
        }
    }

    /// The same limit for everything, in milliseconds.
    pub fn with_all(timeout_ms: Option<u32>) -> Timeouts {
        Timeouts {
            idle_ms: timeout_ms,
            head_ms: timeout_ms,
            body_ms: timeout_ms,
            write_ms: timeout_ms,
            linger_ms: timeout_ms,
        }
    }

    /// The longest wait for `timeout_kind`; zero for a [`Step::Wait`], whose time the driver keeps.
    pub fn limit(&self, timeout_kind: TimeoutKind) -> Option<Duration> {
        let timeout_ms = match timeout_kind {
            TimeoutKind::Idle => self.idle_ms,
            TimeoutKind::Head => self.head_ms,
            TimeoutKind::Body => self.body_ms,
            TimeoutKind::Write => self.write_ms,
            TimeoutKind::Linger => self.linger_ms,
            TimeoutKind::Wait | TimeoutKind::Nothing => Some(0),
        };
        Some(Duration::from_millis(u64::from(timeout_ms?)))
    }
}

impl fmt::Display for Timeouts {
    /// In one line for people: `idle 5 s, head 5 s`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            ("idle", self.idle_ms),
            ("head", self.head_ms),
            ("body", self.body_ms),
            ("write", self.write_ms),
            ("linger", self.linger_ms),
        ];
        let in_words = named.map(|(name, timeout_ms)| match timeout_ms {
            Some(timeout_ms) => format!("{name} {} s", f64::from(timeout_ms) / 1_000.0),
            None => format!("{name} none"),
        });
        formatter.write_str(&in_words.join(", "))
    }
}

/// How long a client with more to do may keep others waiting: much longer than a request without computation takes, and
/// too short for a person to notice.
const BUDGET: Duration = Duration::from_millis(1);

/// How long one thread works for a client before it serves the others. Every budget allows one request. A client that
/// has sent several, or sends without a pause, gets its next answers until the time of the budget is used up.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    began: Instant,
    allows_long_work: bool,
}

impl Budget {
    /// A budget that starts at `began`. With or without long work: without it, another thread has to do that.
    pub fn new(began: Instant, allows_long_work: bool) -> Self {
        Budget {
            began,
            allows_long_work,
        }
    }

    /// When it started: the present moment, as exactly as its owner needs.
    pub fn began(self) -> Instant {
        self.began
    }

    fn is_over(self) -> bool {
        self.began.elapsed() >= BUDGET
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StepResult {
    /// The step is done; whether the socket may be ready for the next one at once.
    Moved { may_have_more: bool },
    /// The conversation waits for this long.
    Wait(Duration),
    /// The conversation is over.
    Over,
}

/// Does the next step of a conversation on its socket, and reports the result to the conversation. Fails with the error
/// of the socket: [`io::ErrorKind::WouldBlock`] if it is not ready, or if its timeout has passed.
fn perform(conversation: &mut impl Conversation, mut socket: &TcpStream) -> io::Result<StepResult> {
    let may_have_more = match conversation.step() {
        Step::Read(space) => {
            let room = space.len();
            let count = socket.read(space)?;
            conversation.received(count);
            count == room
        }
        Step::Write(bytes) => {
            let count = socket.write(bytes)?;
            conversation.sent(count);
            true
        }
        Step::Work => {
            conversation.work();
            true
        }
        Step::EndWrite => {
            socket.shutdown(Shutdown::Write)?;
            conversation.write_ended();
            true
        }
        Step::Wait(time) => return Ok(StepResult::Wait(time)),
        Step::Close => return Ok(StepResult::Over),
    };
    Ok(match conversation.timeout_kind() {
        TimeoutKind::Nothing => StepResult::Over,
        _ => StepResult::Moved { may_have_more },
    })
}

/// What a conversation is doing: its deadline starts again whenever this changes.
type Activity = (TimeoutKind, u64);

fn activity(conversation: &impl Conversation) -> Activity {
    (conversation.timeout_kind(), conversation.answers())
}

/// The deadline of the present activity, if it has one. Progress does not move the deadline; only a new activity does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    activity: Activity,
    at: Option<Instant>,
}

impl Deadline {
    /// The deadline of an activity that begins `now`.
    pub(crate) fn new(conversation: &impl Conversation, timeouts: &Timeouts, now: Instant) -> Self {
        let activity = activity(conversation);
        Deadline {
            activity,
            at: timeouts.limit(activity.0).map(|limit| now + limit),
        }
    }

    /// Starts again if the activity of the conversation has changed.
    pub(crate) fn follow(
        &mut self,
        conversation: &impl Conversation,
        timeouts: &Timeouts,
        now: Instant,
    ) {
        if activity(conversation) != self.activity {
            *self = Deadline::new(conversation, timeouts, now);
        }
    }

    /// Moves the deadline of a conversation that only waits for time to pass.
    pub(crate) fn postpone_to(&mut self, at: Instant) {
        self.at = Some(at);
    }

    /// The moment of the deadline; `None` is never.
    pub(crate) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// What a conversation with that need waits for. Fails with [`io::ErrorKind::TimedOut`] if its deadline has passed.
    pub(crate) fn wait(
        &mut self,
        need: Need,
        conversation: &impl Conversation,
        timeouts: &Timeouts,
        now: Instant,
    ) -> io::Result<Wait> {
        self.follow(conversation, timeouts, now);
        let until = match need {
            Need::Readable | Need::Writable => self.at,
            Need::Time(time) => Some(now + time),
            Need::Budget | Need::Work | Need::Nothing => None,
        };
        match (need, until) {
            (Need::Readable | Need::Writable, Some(at)) if at <= now => {
                Err(io::ErrorKind::TimedOut.into())
            }
            _ => Ok(Wait { need, until }),
        }
    }
}
