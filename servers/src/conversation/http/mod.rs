//! HTTP/1.1 as a minimal origin server speaks it (RFC 9110, RFC 9112): heads in, one greeting out.
//!
//! The order of checks is head, Host, framing, method, target: a server that judged the method before the framing could
//! be made to disagree with a proxy about where a request ends.

mod body;
mod input;
mod request;
mod response;

use std::sync::atomic::Ordering;

use self::body::{Body, Drained};
use self::input::Input;
use self::request::Request;
use self::response::{Answer, Persistence};
pub use self::response::{Date, UNAVAILABLE};
use super::{Conversation, Patience, Site, Step};

/// The body of a greeting, 14 octets.
pub const GREETING: &[u8] = b"Hola, cliente!";

/// Octets a lingering close reads, and throws away, before it gives up on the client.
const LINGER_OCTETS_MAX: usize = 64 * 1024;

/// One HTTP conversation.
#[derive(Debug)]
pub struct Http<'s> {
    site: &'s Site,
    state: State,
    input: Input,
    answer: Answer,
    answer_sent: usize,
    answers: u64,
}

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Collecting a request's head.
    Head,
    /// Throwing away a request's body; its answer is ready.
    Body { body: Body, then: After },
    /// Giving the answer.
    Answer { then: After },
    /// About to close the sending half, because the client may still be sending.
    EndWrite,
    /// Reading until the client closes, so that a reset cannot overtake the answer (RFC 9112 §9.6).
    Linger { octets_left: usize },
    /// Over.
    Closed,
}

/// What follows an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// The next request on this connection.
    NextRequest,
    /// Close at once: the client has sent all it will.
    Close,
    /// Close in stages: the client may still be sending.
    Linger,
}

impl<'s> Http<'s> {
    /// A conversation with a client that has just connected.
    pub fn new(site: &'s Site) -> Self {
        Http {
            site,
            state: State::Head,
            input: Input::new(),
            answer: Answer::new(),
            answer_sent: 0,
            answers: 0,
        }
    }

    /// Acts on a head as soon as it is whole, and answers what can never become one.
    fn continue_head(&mut self) {
        let request = match self.input.head() {
            Ok(None) => return,
            Ok(Some(head)) => request::parse(head),
            Err(too_large) => Err(too_large),
        };
        match request {
            Ok(request) => self.accept(&request),
            Err(status) => {
                self.answer
                    .render(status, true, Persistence::Close, (self.site.date)());
                self.state = State::Answer {
                    then: After::Linger,
                };
            }
        }
    }

    fn accept(&mut self, request: &Request) {
        self.input.consume_head();
        let persistence = match request.persistence {
            _ if self.site.stopping.load(Ordering::Relaxed) || !request.body.is_drainable() => {
                Persistence::Close
            }
            asked => asked,
        };
        self.answer.render(
            request.status,
            request.wants_content,
            persistence,
            (self.site.date)(),
        );
        let then = match persistence {
            Persistence::Close if !request.body.is_drainable() => After::Linger,
            Persistence::Close => After::Close,
            Persistence::KeepAlive | Persistence::AnnouncedKeepAlive => After::NextRequest,
        };
        // A body too long to drain, or one the client holds back for our word (Expect), is answered unread.
        if request.body.is_drainable() && !request.body.is_empty() {
            self.state = State::Body {
                body: request.body,
                then,
            };
            self.continue_body();
        } else {
            self.state = State::Answer { then };
        }
    }

    fn continue_body(&mut self) {
        let State::Body { mut body, then } = self.state else {
            return;
        };
        let (drained, consumed) = body.drain(self.input.unread());
        self.input.consume(consumed);
        self.state = match drained {
            Drained::Partly => State::Body { body, then },
            Drained::Whole => State::Answer { then },
            Drained::Malformed => {
                self.answer.render(
                    response::BAD_REQUEST,
                    true,
                    Persistence::Close,
                    (self.site.date)(),
                );
                State::Answer {
                    then: After::Linger,
                }
            }
        };
    }

    fn answered(&mut self, then: After) {
        self.answers += 1;
        self.answer_sent = 0;
        self.state = match then {
            After::NextRequest => State::Head,
            After::Close if self.input.unread().is_empty() => State::Closed,
            After::Close | After::Linger => State::EndWrite,
        };
        if self.state == State::Head {
            self.continue_head();
        }
    }
}

impl Conversation for Http<'_> {
    fn step(&mut self) -> Step<'_> {
        match self.state {
            State::Head | State::Body { .. } => Step::Read(self.input.space()),
            State::Linger { .. } => Step::Read(self.input.scratch()),
            State::Answer { .. } => Step::Write(&self.answer.octets()[self.answer_sent..]),
            State::EndWrite => Step::EndWrite,
            State::Closed => Step::Close,
        }
    }

    fn received(&mut self, count: usize) {
        match self.state {
            _ if count == 0 => self.state = State::Closed,
            State::Head => {
                self.input.filled(count);
                self.continue_head();
            }
            State::Body { .. } => {
                self.input.filled(count);
                self.continue_body();
            }
            State::Linger { octets_left } if octets_left > count => {
                self.state = State::Linger {
                    octets_left: octets_left - count,
                };
            }
            _ => self.state = State::Closed,
        }
    }

    fn sent(&mut self, count: usize) {
        let State::Answer { then } = self.state else {
            return;
        };
        self.answer_sent += count;
        if self.answer_sent == self.answer.octets().len() {
            self.answered(then);
        }
    }

    fn waited(&mut self) {}

    fn write_ended(&mut self) {
        self.state = State::Linger {
            octets_left: LINGER_OCTETS_MAX,
        };
    }

    fn patience(&self) -> Patience {
        match self.state {
            State::Head if self.input.unread().is_empty() => Patience::Idle,
            State::Head => Patience::Head,
            State::Body { .. } => Patience::Body,
            State::Answer { .. } => Patience::Write,
            State::Closed => Patience::Nothing,
            State::EndWrite | State::Linger { .. } => Patience::Linger,
        }
    }

    fn answers(&self) -> u64 {
        self.answers
    }
}

#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;
