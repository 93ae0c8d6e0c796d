//! `ack`: the server acknowledges whatever arrives with `Mensaje recibido`, as the simplest servers do, until the
//! client closes.
//!
//! One read is one message ([`messages`](super::messages)): a long message may be acknowledged more than once, and two
//! short ones that arrive together only once.

use super::messages::{MESSAGE_BYTES_MAX, Reply};

/// The acknowledgement, without a line end: 16 bytes.
pub const ACKNOWLEDGEMENT: &[u8] = b"Mensaje recibido";

/// Replaces any message with the acknowledgement.
pub fn reply(message: &mut [u8; MESSAGE_BYTES_MAX], _received: usize) -> Reply {
    message[..ACKNOWLEDGEMENT.len()].copy_from_slice(ACKNOWLEDGEMENT);
    Reply::Next(ACKNOWLEDGEMENT.len())
}

#[cfg(test)]
mod tests {
    use super::ACKNOWLEDGEMENT;
    use crate::conversation::Protocol;
    use crate::conversation::player::{Played, context, every_cut, play};

    /// Plays `pieces`, none of them longer than a message, and expects an acknowledgement for each.
    fn check(pieces: &[&[u8]]) {
        let expected = Played {
            output: ACKNOWLEDGEMENT.repeat(pieces.len()),
            answers: pieces.len() as u64,
            ..Played::default()
        };
        let played = play(&context(Protocol::Ack), pieces);
        assert_eq!(played, expected, "{pieces:?}");
    }

    #[test]
    fn acknowledges_every_message_until_the_client_closes() {
        let messages: &[&[u8]] = &[
            b"Hola servidor!",
            b"\n",
            b"\0\xff\xfe",
            b"GET / HTTP/1.1\r\n\r\n",
            "¿Qué tal? 👋".as_bytes(),
            // The word that ends an echo is a message like any other.
            b"salir\n",
            b"salir",
        ];
        check(&[]);
        check(messages);
        for pieces in messages.iter().flat_map(|message| every_cut(message)) {
            check(&pieces);
        }
    }

    #[test]
    fn takes_a_long_message_for_as_many_as_it_needs_reads() {
        let played = play(&context(Protocol::Ack), &[&[b'a'; 2_500]]);
        assert_eq!(played.answers, 3);
    }
}
