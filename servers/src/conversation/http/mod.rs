//! HTTP/1.1 as a minimal origin server speaks it (RFC 9110, RFC 9112): heads in, one greeting out; and a few
//! other answers for experiments (`route`).
//!
//! The order of checks is head, Host, framing, method, target: a server that judged the method before the framing could
//! be made to disagree with a proxy about where a request ends. Whatever a request asks for is done once it is whole.

mod body;
mod compute;
mod input;
mod request;
mod response;
mod route;

use std::sync::atomic::Ordering;
use std::time::Duration;

use self::body::{Body, Drained};
use self::input::Input;
use self::request::Request;
use self::response::{Answer, Persistence, Status};
pub use self::response::{Date, UNAVAILABLE};
use self::route::{Room, Route};
use super::{Conversation, LINGER_OCTETS_MAX, Patience, Site, Step};

/// The body of a greeting, 14 octets.
pub const GREETING: &[u8] = b"Hola, cliente!";

/// One HTTP conversation.
#[derive(Debug)]
pub struct Http<'s> {
    site: &'s Site,
    state: State,
    input: Input,
    answer: Answer,
    answers: u64,
}

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Collecting a request's head.
    Head,
    /// Throwing away a request's body.
    Body { body: Body, reply: Reply },
    /// Letting time pass before the answer.
    Wait { time: Duration, reply: Reply },
    /// Giving the answer.
    Answer { then: After },
    /// Letting others have their turn before the next request, which has come along with the last.
    Yield,
    /// About to close the sending half, because the client may still be sending.
    EndWrite,
    /// Reading until the client closes, so that a reset cannot overtake the answer (RFC 9112 §9.6).
    Linger { octets_left: usize },
    /// Over.
    Closed,
}

/// What a request is owed once it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reply {
    asked: Result<Route, Status>,
    wants_content: bool,
    persistence: Persistence,
    /// The request's body, or the rest of it, is not going to be read: nobody knows where the next request starts.
    leaves_body: bool,
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
            Err(status) => self.begin_answer(Reply {
                asked: Err(status),
                wants_content: !self.input.unread().starts_with(b"HEAD "),
                persistence: Persistence::Close,
                leaves_body: true,
            }),
        }
    }

    fn accept(&mut self, request: &Request) {
        self.input.consume_head();
        let reply = Reply {
            asked: request.asked,
            wants_content: request.wants_content,
            persistence: request.persistence,
            // A body too long to drain, or one the client holds back for our word (Expect), is answered unread.
            leaves_body: !request.body.is_drainable(),
        };
        if reply.leaves_body || request.body.is_empty() {
            self.act(reply);
        } else {
            self.state = State::Body {
                body: request.body,
                reply,
            };
            self.continue_body();
        }
    }

    fn continue_body(&mut self) {
        let State::Body { mut body, reply } = self.state else {
            return;
        };
        let (drained, consumed) = body.drain(self.input.unread());
        self.input.consume(consumed);
        match drained {
            Drained::Partly => self.state = State::Body { body, reply },
            Drained::Whole => self.act(reply),
            Drained::TooLong => self.act(Reply {
                leaves_body: true,
                ..reply
            }),
            Drained::Malformed => self.begin_answer(Reply {
                asked: Err(Status::BadRequest),
                leaves_body: true,
                ..reply
            }),
        }
    }

    /// Answers a request that is whole, at once or when it says.
    fn act(&mut self, reply: Reply) {
        match reply.asked.ok().and_then(Route::wait) {
            None => self.begin_answer(reply),
            Some(time) => self.state = State::Wait { time, reply },
        }
    }

    fn begin_answer(&mut self, reply: Reply) {
        let stopping = self.site.stopping.load(Ordering::Relaxed);
        let (persistence, then) = match reply.persistence {
            _ if reply.leaves_body => (Persistence::Close, After::Linger),
            Persistence::Close => (Persistence::Close, After::Close),
            _ if stopping => (Persistence::Close, After::Close),
            kept => (kept, After::NextRequest),
        };
        let mut room = Room::default();
        let (status, content) = match reply.asked {
            Ok(route) => route.carry_out(self.site, &mut room),
            Err(status) => (status, status.explanation()),
        };
        let date = (self.site.date)();
        self.answer
            .render(status, content, reply.wants_content, persistence, date);
        self.state = State::Answer { then };
    }

    fn answered(&mut self, then: After) {
        self.answers += 1;
        let has_more = !self.input.unread().is_empty();
        self.state = match then {
            After::NextRequest if has_more => State::Yield,
            After::NextRequest => State::Head,
            After::Close if !has_more => State::Closed,
            After::Close | After::Linger => State::EndWrite,
        };
    }
}

impl Conversation for Http<'_> {
    fn step(&mut self) -> Step<'_> {
        match self.state {
            State::Head | State::Body { .. } => Step::Read(self.input.space()),
            State::Linger { .. } => Step::Read(self.input.scratch()),
            State::Wait { time, .. } => Step::Wait(time),
            State::Yield => Step::Wait(Duration::ZERO),
            State::Answer { .. } => Step::Write(self.answer.unsent()),
            State::EndWrite => Step::EndWrite,
            State::Closed => Step::Close,
        }
    }

    fn received(&mut self, count: usize) {
        match self.state {
            _ if count == 0 => self.state = State::Closed,
            State::Head => {
                self.site.hear(self.input.filled(count));
                self.continue_head();
            }
            State::Body { .. } => {
                self.site.hear(self.input.filled(count));
                self.continue_body();
            }
            State::Linger { octets_left } => {
                self.site.hear(&self.input.scratch()[..count]);
                self.state = match octets_left.saturating_sub(count) {
                    0 => State::Closed,
                    octets_left => State::Linger { octets_left },
                };
            }
            _ => self.state = State::Closed,
        }
    }

    fn sent(&mut self, count: usize) {
        let State::Answer { then } = self.state else {
            return;
        };
        self.answer.sent(count);
        if self.answer.unsent().is_empty() {
            self.answered(then);
        }
    }

    fn waited(&mut self) {
        match self.state {
            State::Wait { reply, .. } => self.begin_answer(reply),
            State::Yield => {
                self.state = State::Head;
                self.continue_head();
            }
            _ => {}
        }
    }

    fn write_ended(&mut self) {
        self.state = State::Linger {
            octets_left: LINGER_OCTETS_MAX,
        };
    }

    fn patience(&self) -> Patience {
        match self.state {
            State::Head if self.input.awaits_request() => Patience::Idle,
            State::Head => Patience::Head,
            State::Body { .. } => Patience::Body,
            State::Wait { .. } | State::Yield => Patience::Wait,
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
