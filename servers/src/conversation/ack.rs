//! `ack`: whatever arrives is acknowledged with `Mensaje recibido`, as the simplest of servers does.
//!
//! TCP keeps no borders between messages: what one read brings is one message here, and a long one may be acknowledged
//! more than once.

use super::{Conversation, Patience, Site, Step};

/// The acknowledgement, without a line end: 16 octets.
pub const ACKNOWLEDGEMENT: &[u8] = b"Mensaje recibido";

/// Most octets of one message.
const MESSAGE_OCTETS_MAX: usize = 1024;

/// One conversation of acknowledgements.
#[derive(Debug)]
pub struct Ack<'s> {
    site: &'s Site,
    message: [u8; MESSAGE_OCTETS_MAX],
    /// Octets of the acknowledgement still to be sent; 0 while listening.
    unsent: usize,
    ended: bool,
    answers: u64,
}

impl<'s> Ack<'s> {
    /// A conversation with a client that has just connected.
    pub fn new(site: &'s Site) -> Self {
        Ack {
            site,
            message: [0; MESSAGE_OCTETS_MAX],
            unsent: 0,
            ended: false,
            answers: 0,
        }
    }
}

impl Conversation for Ack<'_> {
    fn step(&mut self) -> Step<'_> {
        match self.unsent {
            _ if self.ended => Step::Close,
            0 => Step::Read(&mut self.message),
            unsent => Step::Write(&ACKNOWLEDGEMENT[ACKNOWLEDGEMENT.len() - unsent..]),
        }
    }

    fn received(&mut self, count: usize) {
        self.site.hear(&self.message[..count]);
        if count == 0 {
            self.ended = true;
        } else {
            self.unsent = ACKNOWLEDGEMENT.len();
        }
    }

    fn sent(&mut self, count: usize) {
        self.unsent -= count;
        if self.unsent == 0 {
            self.answers += 1;
        }
    }

    fn waited(&mut self) {}

    fn write_ended(&mut self) {}

    fn patience(&self) -> Patience {
        match self.unsent {
            _ if self.ended => Patience::Nothing,
            0 => Patience::Idle,
            _ => Patience::Write,
        }
    }

    fn answers(&self) -> u64 {
        self.answers
    }
}
