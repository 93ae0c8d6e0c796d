//! The drivers: the few lines that move octets between a conversation and a socket.
//!
//! [`blocking`] serves every model that gives a client a thread of control, [`asynchronous`] the ones that give it a
//! task. Both read the same match aloud; only the waiting differs.

pub mod asynchronous;
pub mod blocking;

use std::time::{Duration, Instant};

use crate::conversation::{Patience, Spoken};

/// How long a conversation may wait, by what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Limits {
    /// For the first byte of a request, in milliseconds.
    pub idle_ms: u32,
    /// For the rest of a head, in milliseconds.
    pub head_ms: u32,
    /// For the rest of a body, in milliseconds.
    pub body_ms: u32,
    /// For the client to take an answer, in milliseconds.
    pub write_ms: u32,
    /// For the client to close after an answer it may not have read, in milliseconds.
    pub linger_ms: u32,
}

impl Limits {
    /// For programs that ask: they know what they want to say.
    const ASKING: Limits = Limits {
        idle_ms: 5_000,
        head_ms: 5_000,
        body_ms: 5_000,
        write_ms: 10_000,
        linger_ms: 1_000,
    };

    /// For people who type: five minutes of thought.
    const TYPING: Limits = Limits {
        idle_ms: 300_000,
        ..Limits::ASKING
    };

    /// What a server starts with, by what it speaks.
    pub fn for_talk(spoken: Spoken) -> Limits {
        match spoken {
            Spoken::Http => Limits::ASKING,
            Spoken::Ack | Spoken::Echo => Limits::TYPING,
        }
    }

    /// The longest wait for `patience`; a wait that the conversation itself asked for has no limit but its own.
    pub fn of(&self, patience: Patience) -> Duration {
        Duration::from_millis(u64::from(match patience {
            Patience::Idle => self.idle_ms,
            Patience::Head => self.head_ms,
            Patience::Body => self.body_ms,
            Patience::Write => self.write_ms,
            Patience::Linger => self.linger_ms,
            Patience::Wait | Patience::Nothing => 0,
        }))
    }
}

/// When the present patience ends. Progress does not move it; only turning to something else does.
#[derive(Debug)]
struct Deadline {
    patience: Patience,
    at: Instant,
}

impl Deadline {
    fn new(patience: Patience, limits: &Limits) -> Self {
        Deadline {
            patience,
            at: Instant::now() + limits.of(patience),
        }
    }

    /// Starts afresh if the conversation waits for something else than before; says whether it did.
    fn follow(&mut self, patience: Patience, limits: &Limits) -> bool {
        let turned = patience != self.patience;
        if turned {
            *self = Deadline::new(patience, limits);
        }
        turned
    }

    /// The time left, `None` once there is none.
    fn left(&self) -> Option<Duration> {
        self.at
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }
}
