//! Conversations of messages, as `ack`, `echo` and `chat` hold them: the client sends a message, is answered, and so on.
//!
//! ```text
//! client ──message──▶ reply ──answer──▶ client ──message──▶ …   until the client or the server ends it
//! ```
//!
//! TCP keeps no boundaries between messages: what one read brings is one message here. Bytes are opaque, so a character
//! may be split between two messages.

use std::sync::atomic::Ordering;

use super::{Conversation, LINGER_BYTES_MAX, ServerContext, Step, TimeoutKind};

/// Most bytes of one message, as in the programs this conversation comes from.
pub const MESSAGE_BYTES_MAX: usize = 1024;

/// Decides the answers of a conversation: replaces a message, so many first bytes of the buffer, with its answer.
pub type Responder = fn(&mut [u8; MESSAGE_BYTES_MAX], usize) -> Reply;

/// The length of an answer, and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer of so many bytes; then the client sends again.
    Next(usize),
    /// An answer of so many bytes; then the conversation ends.
    Last(usize),
}

/// One conversation of messages.
#[derive(Debug)]
pub struct MessageConversation<'s> {
    context: &'s ServerContext,
    responder: Responder,
    /// Number of the client.
    client: u64,
    /// The client's message, then the answer to it.
    message: [u8; MESSAGE_BYTES_MAX],
    state: State,
    answers: u64,
}

/// What the conversation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waiting for a message.
    Reading,
    /// Answering: `message[sent..end]` is still to be sent.
    Answering { sent: usize, end: usize, last: bool },
    /// About to close the sending half, because the client may still be sending.
    EndWrite,
    /// Reading until the client closes, so that a reset cannot overtake the last answer.
    Linger { bytes_left: usize },
    /// Over.
    Over,
}

impl<'s> MessageConversation<'s> {
    /// A conversation with a client that has just connected.
    pub fn new(context: &'s ServerContext, responder: Responder, client: u64) -> Self {
        MessageConversation {
            context,
            responder,
            client,
            message: [0; MESSAGE_BYTES_MAX],
            state: State::Reading,
            answers: 0,
        }
    }

    fn after_answer(&self, last: bool) -> State {
        if last || self.context.stopping.load(Ordering::Relaxed) {
            State::EndWrite
        } else {
            State::Reading
        }
    }
}

impl Conversation for MessageConversation<'_> {
    fn step(&mut self) -> Step<'_> {
        match self.state {
            State::Reading | State::Linger { .. } => Step::Read(&mut self.message),
            State::Answering { sent, end, .. } => Step::Write(&self.message[sent..end]),
            State::EndWrite => Step::EndWrite,
            State::Over => Step::Close,
        }
    }

    fn received(&mut self, count: usize) {
        if count == 0 {
            self.state = State::Over;
            return;
        }
        self.context.report_message(&self.message[..count]);
        if let Some(on_chat) = self.context.on_chat {
            on_chat(self.client, &self.message[..count]);
        }
        self.state = match self.state {
            State::Reading => {
                let (end, last) = match (self.responder)(&mut self.message, count) {
                    Reply::Next(bytes) => (bytes, false),
                    Reply::Last(bytes) => (bytes, true),
                };
                match end {
                    0 => self.after_answer(last),
                    _ => State::Answering { sent: 0, end, last },
                }
            }
            State::Linger { bytes_left } if bytes_left > count => State::Linger {
                bytes_left: bytes_left - count,
            },
            _ => State::Over,
        };
    }

    fn sent(&mut self, count: usize) {
        let State::Answering { sent, end, last } = self.state else {
            return;
        };
        let sent = sent + count;
        self.state = if sent < end {
            State::Answering { sent, end, last }
        } else {
            self.answers += 1;
            self.after_answer(last)
        };
    }

    fn waited(&mut self) {}

    fn work(&mut self) {}

    fn write_ended(&mut self) {
        self.state = State::Linger {
            bytes_left: LINGER_BYTES_MAX,
        };
    }

    fn timeout_kind(&self) -> TimeoutKind {
        match self.state {
            State::Reading => TimeoutKind::Idle,
            State::Answering { .. } => TimeoutKind::Write,
            State::EndWrite | State::Linger { .. } => TimeoutKind::Linger,
            State::Over => TimeoutKind::Nothing,
        }
    }

    fn answers(&self) -> u64 {
        self.answers
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use crate::conversation::Protocol;
    use crate::conversation::player::{context, play};

    #[test]
    fn answers_what_has_arrived_and_ends_once_the_server_is_stopping() {
        let acknowledged = b"Mensaje recibido".as_slice();
        for (protocol, answer) in [(Protocol::Ack, acknowledged), (Protocol::Echo, b"one")] {
            let context = context(protocol);
            context.stopping.store(true, Ordering::Relaxed);
            let played = play(&context, &[b"one", b"two"]);
            assert_eq!((played.output.as_slice(), played.lingered), (answer, true));
        }
    }
}
