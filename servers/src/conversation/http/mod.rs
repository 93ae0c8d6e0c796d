//! HTTP/1.1 as a minimal origin server speaks it (RFC 9110, RFC 9112): it parses heads and answers with a greeting, or
//! with a few other answers for experiments (`route`).
//!
//! The order of checks is head, Host, framing, method, target. If a server judged the method before the framing, it
//! could disagree with a proxy about where a request ends. The server acts on a request once the request is complete.

mod body;
mod input;
mod request;
mod response;
mod route;

use std::sync::atomic::Ordering;
use std::time::Duration;

use self::body::{Body, Drained};
use self::input::Input;
use self::request::Request;
pub use self::response::{Date, UNAVAILABLE};
use self::response::{Persistence, Response, StatusCode};
use self::route::{Route, TextBuffer};
use super::{Conversation, LINGER_BYTES_MAX, ServerContext, Step, TimeoutKind};

/// The body of a greeting, 14 bytes.
pub const GREETING: &[u8] = b"Hola, cliente!";

/// One HTTP conversation.
#[derive(Debug)]
pub struct Http<'s> {
    context: &'s ServerContext,
    state: State,
    input: Input,
    answer: Response,
    answers: u64,
}

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Collecting a request's head.
    Head,
    /// Discarding a request's body.
    Body { body: Body, reply: Reply },
    /// Waiting before the answer.
    Wait { time: Duration, reply: Reply },
    /// Sending the answer.
    Response { then: After },
    /// Letting other connections run before the next request, whose bytes have already arrived.
    Yield,
    /// About to close the sending half, because the client may still be sending.
    EndWrite,
    /// Reading until the client closes, so that a reset cannot overtake the answer (RFC 9112 §9.6).
    Linger { bytes_left: usize },
    /// Over.
    Closed,
}

/// The answer to a request, once the request is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reply {
    asked: Result<Route, StatusCode>,
    wants_content: bool,
    persistence: Persistence,
    /// Whether the body, or the rest of it, stays unread: then it is unknown where the next request starts.
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
    pub fn new(context: &'s ServerContext) -> Self {
        Http {
            context,
            state: State::Head,
            input: Input::new(),
            answer: Response::new(),
            answers: 0,
        }
    }

    /// Handles a head once it is complete, and answers bytes that can never become a valid head.
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
            // The body stays unread if it is too long to drain, or if the client waits for `100 Continue`.
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
                asked: Err(StatusCode::BadRequest),
                leaves_body: true,
                ..reply
            }),
        }
    }

    /// Answers a complete request, at once or after the wait that it asks for.
    fn act(&mut self, reply: Reply) {
        match reply.asked.ok().and_then(Route::wait) {
            None => self.begin_answer(reply),
            Some(time) => self.state = State::Wait { time, reply },
        }
    }

    fn begin_answer(&mut self, reply: Reply) {
        let stopping = self.context.stopping.load(Ordering::Relaxed);
        let (persistence, then) = match reply.persistence {
            _ if reply.leaves_body => (Persistence::Close, After::Linger),
            Persistence::Close => (Persistence::Close, After::Close),
            _ if stopping => (Persistence::Close, After::Close),
            kept => (kept, After::NextRequest),
        };
        let mut room = TextBuffer::default();
        let (status, content) = match reply.asked {
            Ok(route) => route.carry_out(self.context, &mut room),
            Err(status) => (status, status.explanation()),
        };
        let date = (self.context.date)();
        self.answer
            .render(status, content, reply.wants_content, persistence, date);
        self.state = State::Response { then };
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
            State::Response { .. } => Step::Write(self.answer.unsent()),
            State::EndWrite => Step::EndWrite,
            State::Closed => Step::Close,
        }
    }

    fn received(&mut self, count: usize) {
        match self.state {
            _ if count == 0 => self.state = State::Closed,
            State::Head => {
                self.context.report_message(self.input.filled(count));
                self.continue_head();
            }
            State::Body { .. } => {
                self.context.report_message(self.input.filled(count));
                self.continue_body();
            }
            State::Linger { bytes_left } => {
                self.context.report_message(&self.input.scratch()[..count]);
                self.state = match bytes_left.saturating_sub(count) {
                    0 => State::Closed,
                    bytes_left => State::Linger { bytes_left },
                };
            }
            _ => self.state = State::Closed,
        }
    }

    fn sent(&mut self, count: usize) {
        let State::Response { then } = self.state else {
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
            bytes_left: LINGER_BYTES_MAX,
        };
    }

    fn timeout_kind(&self) -> TimeoutKind {
        match self.state {
            State::Head if self.input.awaits_request() => TimeoutKind::Idle,
            State::Head => TimeoutKind::Head,
            State::Body { .. } => TimeoutKind::Body,
            State::Wait { .. } | State::Yield => TimeoutKind::Wait,
            State::Response { .. } => TimeoutKind::Write,
            State::Closed => TimeoutKind::Nothing,
            State::EndWrite | State::Linger { .. } => TimeoutKind::Linger,
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
