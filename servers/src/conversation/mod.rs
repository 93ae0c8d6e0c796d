//! What is said on one connection, as a pure state machine: no socket, no clock, no thread.
//!
//! A driver asks [`Conversation::step`] what is needed next, does it on a real socket, and reports back. Every model
//! runs the same conversation, so a difference between two models cannot come from what was said.

pub mod ack;
pub mod chat;
pub mod echo;
pub mod http;
pub mod messages;

#[cfg(test)]
pub(crate) mod player;

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use self::http::{Date, Http};
use self::messages::MessageConversation;

/// Most bytes that a conversation reads and discards after it has closed its sending half.
const LINGER_BYTES_MAX: usize = 64 * 1024;

/// What a conversation needs next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'c> {
    /// Bytes from the client, into this space; report them with [`Conversation::received`].
    Read(&'c mut [u8]),
    /// These bytes to the client; report them with [`Conversation::sent`].
    Write(&'c [u8]),
    /// A wait of this time that blocks no other client; report it with [`Conversation::waited`]. It is zero if there is
    /// already more to do and other clients may have their turn first.
    Wait(Duration),
    /// Work that keeps a thread for long: have [`Conversation::work`] do it, on any thread.
    Work,
    /// The sending half closed (`shutdown(SHUT_WR)`); report it with [`Conversation::write_ended`].
    EndWrite,
    /// Nothing more: close the connection.
    Close,
}

/// What a conversation is waiting for, which decides how long it may wait.
///
/// A deadline starts when this kind changes, and progress does not extend it. So a client that sends one byte a second
/// is closed as punctually as one that sends none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutKind {
    /// The first byte of a request.
    Idle,
    /// The rest of a request's head.
    Head,
    /// The rest of a request's body.
    Body,
    /// The client to take the answer.
    Write,
    /// Time to pass, as long as a [`Step::Wait`] says, or the end of a [`Step::Work`].
    Wait,
    /// The client to close, after an answer that it may not have read yet.
    Linger,
    /// Nothing: the conversation is over.
    Nothing,
}

/// The server's side of what is said on one connection.
pub trait Conversation {
    /// What is needed next. Asking twice without reporting gives the same answer.
    fn step(&mut self) -> Step<'_>;
    /// `count` bytes arrived in the space of the last [`Step::Read`]; 0 means that the client will send no more.
    fn received(&mut self, count: usize);
    /// The client's side took the first `count` bytes of the last [`Step::Write`].
    fn sent(&mut self, count: usize);
    /// The time of the last [`Step::Wait`] has passed.
    fn waited(&mut self);
    /// Does the work of a [`Step::Work`] on the calling thread.
    fn work(&mut self);
    /// The sending half is closed, as [`Step::EndWrite`] asked.
    fn write_ended(&mut self);
    /// What the current step waits for.
    fn timeout_kind(&self) -> TimeoutKind;
    /// Answers given in full so far.
    fn answers(&self) -> u64;
}

/// What is said on a server's connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.1; the server answers `/` with a greeting
    Http,
    /// The server answers every message with `Mensaje recibido`
    Ack,
    /// The server sends every message back, until the client sends `salir`
    Echo,
    /// Clients write, and the operator of `hola console` answers them
    Chat,
}

/// What every conversation of a server shares, passed in so that a conversation needs no clock and no system call.
#[derive(Clone, Copy, Debug)]
pub struct ServerContext {
    /// What all connections speak.
    pub protocol: Protocol,
    /// The current time as an HTTP date, 29 bytes.
    pub date: fn() -> Date,
    /// Set once the server is stopping: every answer from then on closes its connection.
    pub stopping: &'static AtomicBool,
    /// What `/count` counts, shared by all threads and processes of the server.
    pub count: &'static AtomicU64,
    /// Crashes the thread or process that calls it, if clients may ask for that.
    pub crash: Option<fn(Crash)>,
    /// Work to do before each answer, if a comparison adds some.
    pub extra_work: Option<fn()>,
    /// Blocks the calling thread, as a handler does that makes a slow call.
    pub block: fn(Duration),
    /// Called with all bytes that clients send, if these are to be logged.
    pub on_message: Option<fn(&[u8])>,
    /// Called in a chat with the number of a client and a message of it.
    pub on_chat: Option<fn(u64, &[u8])>,
}

impl ServerContext {
    fn report_message(&self, bytes: &[u8]) {
        if let Some(on_message) = self.on_message {
            on_message(bytes);
        }
    }
}

/// A way to crash, for experiments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// A panic: the thread unwinds.
    Panic,
    /// abort(3): the process ends with SIGABRT.
    Abort,
    /// A segmentation fault: the process ends with SIGSEGV.
    Segv,
}

/// Any of the conversations, so that each model is compiled once and speaks all of them.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "memory per client is to be comparable, not minimal for one of the conversations"
)]
pub enum AnyConversation<'s> {
    /// HTTP/1.1.
    Http(Http<'s>),
    /// An acknowledgement for each message, or each message back.
    Messages(MessageConversation<'s>),
}

impl<'s> AnyConversation<'s> {
    /// A conversation of the context's protocol, with the client of that number, which has just connected.
    pub fn new(context: &'s ServerContext, client: u64) -> Self {
        let of_messages = |responder| {
            AnyConversation::Messages(MessageConversation::new(context, responder, client))
        };
        match context.protocol {
            Protocol::Http => AnyConversation::Http(Http::new(context)),
            Protocol::Ack => of_messages(ack::reply),
            Protocol::Echo => of_messages(echo::reply),
            Protocol::Chat => of_messages(chat::reply),
        }
    }
}

/// Makes the same call on the conversation inside.
macro_rules! delegate {
    ($conversation:expr, $call:ident($($argument:expr)?)) => {
        match $conversation {
            AnyConversation::Http(http) => http.$call($($argument)?),
            AnyConversation::Messages(messages) => messages.$call($($argument)?),
        }
    };
}

impl Conversation for AnyConversation<'_> {
    fn step(&mut self) -> Step<'_> {
        delegate!(self, step())
    }

    fn received(&mut self, count: usize) {
        delegate!(self, received(count));
    }

    fn sent(&mut self, count: usize) {
        delegate!(self, sent(count));
    }

    fn waited(&mut self) {
        delegate!(self, waited());
    }

    fn work(&mut self) {
        delegate!(self, work());
    }

    fn write_ended(&mut self) {
        delegate!(self, write_ended());
    }

    fn timeout_kind(&self) -> TimeoutKind {
        delegate!(self, timeout_kind())
    }

    fn answers(&self) -> u64 {
        delegate!(self, answers())
    }
}
