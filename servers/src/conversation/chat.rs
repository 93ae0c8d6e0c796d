//! `chat`: free text both ways. Clients write whenever they want; an operator reads it, and answers the clients
//! that it chooses ([`crate::operator`]). The server itself answers nothing.
//!
//! One read is one message ([`messages`](super::messages)), of 1,024 bytes at most.

use super::messages::{MESSAGE_BYTES_MAX, Reply};

/// No reply: the operator answers.
pub fn reply(_message: &mut [u8; MESSAGE_BYTES_MAX], _received: usize) -> Reply {
    Reply::Next(0)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use crate::conversation::Protocol;
    use crate::conversation::player::{Played, context, play};

    thread_local! {
        static SAID: RefCell<Vec<(u64, Vec<u8>)>> = const { RefCell::new(Vec::new()) };
    }

    #[test]
    fn tells_the_operator_every_message_and_answers_nothing() {
        let mut context = context(Protocol::Chat);
        context.on_chat = Some(|client, bytes| {
            SAID.with_borrow_mut(|said| said.push((client, bytes.to_vec())));
        });
        let messages: &[&[u8]] = &[b"hola", b"\0\xff", "¿qué tal?\n".as_bytes(), b"salir"];
        assert_eq!(play(&context, messages), Played::default());
        let expected = messages.iter().map(|message| (0, message.to_vec()));
        SAID.with_borrow(|said| assert_eq!(*said, expected.collect::<Vec<_>>()));
    }
}
