//! Taking turns, as `ack` and `echo` do: the client says something, is answered, and says something more.
//!
//! ```text
//! client ──message──▶ reply ──answer──▶ client ──message──▶ …   until it closes, takes its leave, or the server stops
//! ```
//!
//! TCP keeps no borders between messages: what one read brings is one message here. Octets are opaque, so a character
//! that arrives in two halves is none of our business.

use std::sync::atomic::Ordering;

use super::{Conversation, LINGER_OCTETS_MAX, Patience, Site, Step};

/// Most octets of one message, as in the programs this conversation comes from.
pub const MESSAGE_OCTETS_MAX: usize = 1024;

/// What a conversation of turns says; the turns themselves are the same for all.
pub trait Reply: Default {
    /// Turns a message, the first `heard` octets of `message`, into its answer, which takes the message's place.
    fn reply(&mut self, message: &mut [u8; MESSAGE_OCTETS_MAX], heard: usize) -> Answer;
}

/// How a reply ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// That many octets, and it is the client's turn again.
    Next(usize),
    /// That many octets, and nothing more.
    Last(usize),
}

/// One conversation of turns.
#[derive(Debug)]
pub struct Turns<'s, R> {
    site: &'s Site,
    reply: R,
    /// The client's message, then the answer to it.
    message: [u8; MESSAGE_OCTETS_MAX],
    turn: Turn,
    answers: u64,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// The client's: it is to say something.
    Client,
    /// Ours: `message[sent..end]` is still to be sent.
    Server { sent: usize, end: usize, last: bool },
    /// Nobody's: about to close the sending half, because the client may still be sending.
    EndWrite,
    /// Nobody's: reading until the client closes, so that a reset cannot overtake the last answer.
    Linger { octets_left: usize },
    /// Over.
    Over,
}

impl<'s, R: Reply> Turns<'s, R> {
    /// A conversation with a client that has just connected.
    pub fn new(site: &'s Site) -> Self {
        Turns {
            site,
            reply: R::default(),
            message: [0; MESSAGE_OCTETS_MAX],
            turn: Turn::Client,
            answers: 0,
        }
    }

    fn after_answer(&self, last: bool) -> Turn {
        if last || self.site.stopping.load(Ordering::Relaxed) {
            Turn::EndWrite
        } else {
            Turn::Client
        }
    }
}

impl<R: Reply> Conversation for Turns<'_, R> {
    fn step(&mut self) -> Step<'_> {
        match self.turn {
            Turn::Client | Turn::Linger { .. } => Step::Read(&mut self.message),
            Turn::Server { sent, end, .. } => Step::Write(&self.message[sent..end]),
            Turn::EndWrite => Step::EndWrite,
            Turn::Over => Step::Close,
        }
    }

    fn received(&mut self, count: usize) {
        if count == 0 {
            self.turn = Turn::Over;
            return;
        }
        self.site.hear(&self.message[..count]);
        self.turn = match self.turn {
            Turn::Client => {
                let (end, last) = match self.reply.reply(&mut self.message, count) {
                    Answer::Next(octets) => (octets, false),
                    Answer::Last(octets) => (octets, true),
                };
                match end {
                    0 => self.after_answer(last),
                    _ => Turn::Server { sent: 0, end, last },
                }
            }
            Turn::Linger { octets_left } if octets_left > count => Turn::Linger {
                octets_left: octets_left - count,
            },
            _ => Turn::Over,
        };
    }

    fn sent(&mut self, count: usize) {
        let Turn::Server { sent, end, last } = self.turn else {
            return;
        };
        let sent = sent + count;
        self.turn = if sent < end {
            Turn::Server { sent, end, last }
        } else {
            self.answers += 1;
            self.after_answer(last)
        };
    }

    fn waited(&mut self) {}

    fn write_ended(&mut self) {
        self.turn = Turn::Linger {
            octets_left: LINGER_OCTETS_MAX,
        };
    }

    fn patience(&self) -> Patience {
        match self.turn {
            Turn::Client => Patience::Idle,
            Turn::Server { .. } => Patience::Write,
            Turn::EndWrite | Turn::Linger { .. } => Patience::Linger,
            Turn::Over => Patience::Nothing,
        }
    }

    fn answers(&self) -> u64 {
        self.answers
    }
}
