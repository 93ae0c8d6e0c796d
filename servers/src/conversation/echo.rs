//! `echo`: whatever arrives goes back (RFC 862), until the client closes.

use super::{Conversation, Patience, Site, Step};

/// Most octets taken at once.
const MESSAGE_OCTETS_MAX: usize = 1024;

/// One conversation of echoes.
#[derive(Debug)]
pub struct Echo<'s> {
    site: &'s Site,
    message: [u8; MESSAGE_OCTETS_MAX],
    /// The octets still to go back are `message[sent..end]`.
    sent: usize,
    end: usize,
    ended: bool,
    answers: u64,
}

impl<'s> Echo<'s> {
    /// A conversation with a client that has just connected.
    pub fn new(site: &'s Site) -> Self {
        Echo {
            site,
            message: [0; MESSAGE_OCTETS_MAX],
            sent: 0,
            end: 0,
            ended: false,
            answers: 0,
        }
    }
}

impl Conversation for Echo<'_> {
    fn step(&mut self) -> Step<'_> {
        if self.ended {
            Step::Close
        } else if self.sent == self.end {
            Step::Read(&mut self.message)
        } else {
            Step::Write(&self.message[self.sent..self.end])
        }
    }

    fn received(&mut self, count: usize) {
        self.site.hear(&self.message[..count]);
        self.ended = count == 0;
        self.sent = 0;
        self.end = count;
    }

    fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent == self.end {
            self.answers += 1;
        }
    }

    fn waited(&mut self) {}

    fn write_ended(&mut self) {}

    fn patience(&self) -> Patience {
        if self.ended {
            Patience::Nothing
        } else if self.sent == self.end {
            Patience::Idle
        } else {
            Patience::Write
        }
    }

    fn answers(&self) -> u64 {
        self.answers
    }
}
