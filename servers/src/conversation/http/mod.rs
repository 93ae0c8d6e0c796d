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
pub(crate) use self::route::decimal;
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
    Body(Request),
    /// Waiting before the answer.
    Wait { time: Duration, request: Request },
    /// About to do work that keeps a thread for long, and then to answer.
    Work(Request),
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
        let (request, head_bytes) = match self.input.head() {
            Ok(None) => return,
            Ok(Some(head)) => (request::parse(head), head.len()),
            Err(too_large) => (Err(too_large), 0),
        };
        match request {
            Ok(request) => {
                self.input.consume(head_bytes);
                self.state = State::Body(request);
                self.continue_body();
            }
            Err(status) => self.begin_answer(Request {
                asked: Err(status),
                wants_content: !self.input.unread().starts_with(b"HEAD "),
                persistence: Persistence::Close,
                body: Body::Unread,
            }),
        }
    }

    /// Reads on in a request's body, and acts on the request once the body has ended, or is known to stay unread.
    fn continue_body(&mut self) {
        let State::Body(mut request) = self.state else {
            return;
        };
        if !request.body.is_drainable() {
            return self.act(request);
        }
        let (drained, consumed) = request.body.drain(self.input.unread());
        self.input.consume(consumed);
        let body = Body::Unread;
        match drained {
            Drained::Partly => self.state = State::Body(request),
            Drained::Whole => self.act(request),
            Drained::TooLong => self.act(Request { body, ..request }),
            Drained::Malformed => self.begin_answer(Request {
                asked: Err(StatusCode::BadRequest),
                body,
                ..request
            }),
        }
    }

    /// Answers a complete request, at once or after the wait or the long work that it asks for.
    fn act(&mut self, request: Request) {
        match request.asked {
            Ok(Route::Wait(ms)) => {
                let time = Duration::from_millis(ms.into());
                self.state = State::Wait { time, request };
            }
            Ok(Route::Block(_) | Route::Compute(_)) => self.state = State::Work(request),
            _ => self.begin_answer(request),
        }
    }

    fn begin_answer(&mut self, request: Request) {
        let stopping = self.context.stopping.load(Ordering::Relaxed);
        let (persistence, then) = match request.persistence {
            // Where the next request starts is unknown.
            _ if !request.body.is_drainable() => (Persistence::Close, After::Linger),
            Persistence::Close => (Persistence::Close, After::Close),
            _ if stopping => (Persistence::Close, After::Close),
            kept => (kept, After::NextRequest),
        };
        let mut room = TextBuffer::default();
        let (status, content) = match request.asked {
            Ok(route) => route.carry_out(self.context, &mut room),
            Err(status) => (status, status.explanation()),
        };
        let date = (self.context.date)();
        self.answer
            .render(status, content, request.wants_content, persistence, date);
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
            State::Head | State::Body(_) => Step::Read(self.input.space()),
            State::Linger { .. } => Step::Read(self.input.all()),
            State::Wait { time, .. } => Step::Wait(time),
            State::Yield => Step::Wait(Duration::ZERO),
            State::Work(_) => Step::Work,
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
            State::Body(_) => {
                self.context.report_message(self.input.filled(count));
                self.continue_body();
            }
            State::Linger { bytes_left } => {
                self.context.report_message(&self.input.all()[..count]);
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
            State::Wait { request, .. } => self.begin_answer(request),
            State::Yield => {
                self.state = State::Head;
                self.continue_head();
            }
            _ => {}
        }
    }

    fn work(&mut self) {
        if let State::Work(request) = self.state {
            self.begin_answer(request);
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
            State::Body(_) => TimeoutKind::Body,
            State::Wait { .. } | State::Work(_) | State::Yield => TimeoutKind::Wait,
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
