//! `ack`: whatever arrives is acknowledged with `Mensaje recibido`, as the simplest of servers does, until the client
//! closes.
//!
//! One read is one message ([`turns`](super::turns)): a long message may be acknowledged more than once, and two short
//! ones that arrive together only once.

use super::turns::{Answer, MESSAGE_OCTETS_MAX, Reply, Turns};

/// The acknowledgement, without a line end: 16 octets.
pub const ACKNOWLEDGEMENT: &[u8] = b"Mensaje recibido";

/// One conversation of acknowledgements.
pub type Ack<'s> = Turns<'s, Acknowledge>;

/// The same answer to everything.
#[derive(Debug, Default)]
pub struct Acknowledge;

impl Reply for Acknowledge {
    fn reply(&mut self, message: &mut [u8; MESSAGE_OCTETS_MAX], _heard: usize) -> Answer {
        message[..ACKNOWLEDGEMENT.len()].copy_from_slice(ACKNOWLEDGEMENT);
        Answer::Next(ACKNOWLEDGEMENT.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ACKNOWLEDGEMENT;
    use crate::conversation::Spoken;
    use crate::conversation::player::{Played, every_cut, play, site};

    /// Plays `pieces`, none of them longer than a message, and expects an acknowledgement for each.
    fn check(pieces: &[&[u8]]) {
        let expected = Played {
            output: ACKNOWLEDGEMENT.repeat(pieces.len()),
            answers: pieces.len() as u64,
            ..Played::default()
        };
        let played = play(&site(Spoken::Ack), pieces);
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
        let played = play(&site(Spoken::Ack), &[&[b'a'; 2_500]]);
        assert_eq!(played.answers, 3);
    }

    #[test]
    fn acknowledges_what_has_arrived_and_ends_once_the_server_is_stopping() {
        let site = site(Spoken::Ack);
        site.stopping
            .store(true, std::sync::atomic::Ordering::Relaxed);
        let played = play(&site, &[b"one", b"two"]);
        assert_eq!(
            (played.output.as_slice(), played.lingered),
            (ACKNOWLEDGEMENT, true)
        );
    }

    proptest! {
        #[test]
        fn answers_once_per_read(messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..1024), 0..20)) {
            let pieces: Vec<_> = messages.iter().map(Vec::as_slice).collect();
            check(&pieces);
        }
    }
}
