//! The drivers: the few lines that move octets between a conversation and a socket.
//!
//! [`blocking`] serves every model that gives a client a thread of control, [`readiness`] the loops that ask the kernel
//! who can go on, [`asynchronous`] the models that give a client a task, `completion` the loop that has the kernel do
//! the moving. All read the same match aloud; only the waiting differs.

pub mod asynchronous;
pub mod blocking;
pub(crate) mod completion;
pub mod readiness;

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::conversation::{Conversation, Patience, Spoken, Step};

/// How long a conversation may wait, by what it waits for; `None` is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Limits {
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

impl Limits {
    /// For programs that ask: they know what they want to say.
    const ASKING: Limits = Limits {
        idle_ms: Some(5_000),
        head_ms: Some(5_000),
        body_ms: Some(5_000),
        write_ms: Some(10_000),
        linger_ms: Some(1_000),
    };

    /// For people who type: five minutes of thought.
    const TYPING: Limits = Limits {
        idle_ms: Some(300_000),
        ..Limits::ASKING
    };

    /// What a server starts with, by what it speaks.
    pub fn for_talk(spoken: Spoken) -> Limits {
        match spoken {
            Spoken::Http => Limits::ASKING,
            Spoken::Ack | Spoken::Echo => Limits::TYPING,
        }
    }

    /// The same limit for everything, in milliseconds.
    pub fn all(limit_ms: Option<u32>) -> Limits {
        Limits {
            idle_ms: limit_ms,
            head_ms: limit_ms,
            body_ms: limit_ms,
            write_ms: limit_ms,
            linger_ms: limit_ms,
        }
    }

    /// The longest wait for `patience`; a wait that the conversation itself asked for has no limit but its own.
    pub fn of(&self, patience: Patience) -> Option<Duration> {
        let limit_ms = match patience {
            Patience::Idle => self.idle_ms,
            Patience::Head => self.head_ms,
            Patience::Body => self.body_ms,
            Patience::Write => self.write_ms,
            Patience::Linger => self.linger_ms,
            Patience::Wait | Patience::Nothing => Some(0),
        };
        Some(Duration::from_millis(u64::from(limit_ms?)))
    }
}

impl fmt::Display for Limits {
    /// In a line for people: `idle 5 s, head 5 s`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            ("idle", self.idle_ms),
            ("head", self.head_ms),
            ("body", self.body_ms),
            ("write", self.write_ms),
            ("linger", self.linger_ms),
        ];
        let in_words = named.map(|(name, limit_ms)| match limit_ms {
            Some(limit_ms) => format!("{name} {} s", f64::from(limit_ms) / 1_000.0),
            None => format!("{name} none"),
        });
        formatter.write_str(&in_words.join(", "))
    }
}

/// How long a client that has more to be done may keep others waiting: far more than a request takes that computes
/// nothing, and far less than anybody would notice.
const SHARE: Duration = Duration::from_millis(1);

/// A client's turn among others that one thread serves. Every turn is worth one request; a client that has sent several,
/// or sends without a pause, has its next ones answered until its share is used up.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    began: Option<Instant>,
}

impl Turn {
    /// A turn of one request, for a client whose beginning nobody looked at the clock for.
    pub const ONE_REQUEST: Turn = Turn { began: None };

    /// A turn that began then.
    pub fn new(began: Instant) -> Self {
        Turn { began: Some(began) }
    }

    fn is_over(self) -> bool {
        self.began.is_none_or(|began| began.elapsed() >= SHARE)
    }
}

/// What came of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Performed {
    /// Octets came or went; whether the socket may have more of them at once.
    Moved { may_have_more: bool },
    /// Time is to pass first.
    Wait(Duration),
    /// The conversation is over.
    Over,
}

/// Does on a socket what a conversation asks for next, and reports it.
///
/// # Errors
/// What the socket said: [`io::ErrorKind::WouldBlock`] on a non-blocking one, or where its timeout has passed.
fn perform(conversation: &mut impl Conversation, mut socket: &TcpStream) -> io::Result<Performed> {
    let may_have_more = match conversation.step() {
        Step::Read(space) => {
            let room = space.len();
            let count = socket.read(space)?;
            conversation.received(count);
            count == room
        }
        Step::Write(octets) => {
            let count = socket.write(octets)?;
            conversation.sent(count);
            true
        }
        Step::EndWrite => {
            socket.shutdown(Shutdown::Write)?;
            conversation.write_ended();
            true
        }
        Step::Wait(time) => return Ok(Performed::Wait(time)),
        Step::Close => return Ok(Performed::Over),
    };
    Ok(match conversation.patience() {
        Patience::Nothing => Performed::Over,
        _ => Performed::Moved { may_have_more },
    })
}

/// What a conversation is occupied with: its deadline starts afresh whenever this changes.
type Occupation = (Patience, u64);

fn occupation(conversation: &impl Conversation) -> Occupation {
    (conversation.patience(), conversation.answers())
}

/// When the present patience ends, if ever. Progress does not move it; only turning to something else does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    occupation: Occupation,
    at: Option<Instant>,
}

impl Deadline {
    /// The first one of a conversation that begins `now`.
    pub(crate) fn new(conversation: &impl Conversation, limits: &Limits, now: Instant) -> Self {
        let occupation = occupation(conversation);
        Deadline {
            occupation,
            at: limits.of(occupation.0).map(|limit| now + limit),
        }
    }

    /// Starts afresh if the conversation is occupied with something else than before.
    pub(crate) fn follow(
        &mut self,
        conversation: &impl Conversation,
        limits: &Limits,
        now: Instant,
    ) {
        if occupation(conversation) != self.occupation {
            *self = Deadline::new(conversation, limits, now);
        }
    }

    /// Moves it, for a conversation that waits for nothing but time.
    pub(crate) fn put_off(&mut self, at: Instant) {
        self.at = Some(at);
    }

    /// When it is; `None` is never.
    pub(crate) fn at(&self) -> Option<Instant> {
        self.at
    }
}
