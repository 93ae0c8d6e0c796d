//! What is said on one connection, as a pure state machine: no socket, no clock, no thread.
//!
//! A driver asks [`Conversation::step`] what is needed next, does it on a real socket, and reports back. Every model
//! runs the same conversation, so a difference between two models cannot come from what was said.

pub mod http;

/// What a conversation needs next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'c> {
    /// Bytes from the client, into this space; report them with [`Conversation::received`].
    Read(&'c mut [u8]),
    /// These bytes to the client; report them with [`Conversation::sent`].
    Write(&'c [u8]),
    /// The sending half closed (`shutdown(SHUT_WR)`); report it with [`Conversation::write_ended`].
    EndWrite,
    /// Nothing more: close the connection.
    Close,
}

/// What a conversation is waiting for, which decides how long it may wait.
///
/// A deadline runs from the moment the patience changes and progress does not extend it, so a client that sends one
/// byte a second is closed as punctually as one that sends none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// The first byte of a request.
    Idle,
    /// The rest of a request's head.
    Head,
    /// The rest of a request's body.
    Body,
    /// The client to take the answer.
    Write,
    /// The client to close, after an answer that it may not have read yet.
    Linger,
    /// Nothing: the conversation is over.
    Nothing,
}

/// One side of what is said on one connection.
pub trait Conversation {
    /// What is needed next. Asking twice without reporting gives the same answer.
    fn step(&mut self) -> Step<'_>;
    /// `count` bytes arrived in the space of the last [`Step::Read`]; 0 means that the client will send no more.
    fn received(&mut self, count: usize);
    /// The client's side took the first `count` bytes of the last [`Step::Write`].
    fn sent(&mut self, count: usize);
    /// The sending half is closed, as [`Step::EndWrite`] asked.
    fn write_ended(&mut self);
    /// What the current step waits for.
    fn patience(&self) -> Patience;
    /// Answers given in full so far.
    fn answers(&self) -> u64;
}
