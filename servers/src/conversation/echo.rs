//! `echo`: whatever arrives goes back (RFC 862), until the client closes or says `salir`.
//!
//! One read is one message ([`turns`](super::turns)). A line of it that says `salir`, with or without a line end, ends
//! the conversation: neither it nor anything after it goes back.

use super::turns::{Answer, MESSAGE_OCTETS_MAX, Reply, Turns};

/// The line that ends a conversation.
const FAREWELL: &[u8] = b"salir";

/// One conversation of echoes.
pub type Echo<'s> = Turns<'s, Repeat>;

/// The message itself as its answer.
#[derive(Debug, Default)]
pub struct Repeat;

impl Reply for Repeat {
    fn reply(&mut self, message: &mut [u8; MESSAGE_OCTETS_MAX], heard: usize) -> Answer {
        let mut kept = 0;
        for line in message[..heard].split_inclusive(|&octet| octet == b'\n') {
            let said = line.strip_suffix(b"\n").unwrap_or(line);
            if said.strip_suffix(b"\r").unwrap_or(said) == FAREWELL {
                return Answer::Last(kept);
            }
            kept += line.len();
        }
        Answer::Next(heard)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use proptest::prelude::*;

    use crate::conversation::Spoken;
    use crate::conversation::player::{Played, every_cut, play, site};

    /// What the module's head promises: what goes back of these reads, and whether the server ends it.
    fn promised(reads: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut all = Vec::new();
        for read in reads {
            let text = format!("\n{}", read.escape_ascii()).replace("\\n", "\n");
            let line_says_it = |line: &str| line == "salir" || line == "salir\\r";
            if !text.split('\n').skip(1).any(line_says_it) {
                all.extend_from_slice(read);
                continue;
            }
            let before = text
                .split('\n')
                .skip(1)
                .take_while(|line| !line_says_it(line));
            let lines = before.count();
            for line in read.split_inclusive(|octet| *octet == b'\n').take(lines) {
                all.extend_from_slice(line);
            }
            return (all, true);
        }
        (all, false)
    }

    /// Plays `reads`, none of them longer than a message.
    fn check(reads: &[&[u8]]) -> Played {
        let played = play(&site(Spoken::Echo), reads);
        let (output, ended) = promised(reads);
        assert_eq!(
            (played.output.escape_ascii().to_string(), played.lingered),
            (output.escape_ascii().to_string(), ended),
            "{reads:?}"
        );
        played
    }

    /// Octets from a client in one read · what goes back · whether the server ends it.
    const CASES: &[(&[u8], &[u8], bool)] = &[
        (b"", b"", false),
        (b"hola\n", b"hola\n", false),
        (b"\0\xff\r\n\n", b"\0\xff\r\n\n", false),
        ("¿Qué tal? 👋".as_bytes(), "¿Qué tal? 👋".as_bytes(), false),
        (b"salir", b"", true),
        (b"salir\r", b"", true),
        (b"salir\n", b"", true),
        (b"salir\r\n", b"", true),
        (b"hola\nsalir\nadios\n", b"hola\n", true),
        (b"hola\r\nsalir", b"hola\r\n", true),
        (b"\nsalir\n", b"\n", true),
        (b"salir ", b"salir ", false),
        (b" salir", b" salir", false),
        (b"Salir\n", b"Salir\n", false),
        (b"salir\rx\n", b"salir\rx\n", false),
        (b"salir\r\r\n", b"salir\r\r\n", false),
        (b"salirsalir\n", b"salirsalir\n", false),
        (b"sali\nr\n", b"sali\nr\n", false),
    ];

    #[test]
    fn echoes_every_message_until_the_client_closes_or_takes_its_leave() {
        for &(input, output, ended) in CASES {
            let played = check(&[input]);
            let said = (played.output.as_slice(), played.lingered);
            assert_eq!(said, (output, ended), "{}", input.escape_ascii());
            for reads in every_cut(input) {
                check(&reads);
            }
        }
    }

    #[test]
    fn knows_a_farewell_whatever_was_said_before_without_a_line_end() {
        assert_eq!(
            check(&[b"hola", b"sal", b"salir", b"more"]).output,
            b"holasal"
        );
        // Two messages, neither of which says so.
        assert_eq!(check(&[b"sal", b"ir"]).output, b"salir");
    }

    #[test]
    fn gives_one_answer_for_each_message_and_none_for_a_farewell() {
        assert_eq!(check(&[b"uno", b"dos", b"\nsalir"]).answers, 3);
        assert_eq!(check(&[b"uno\n", b"salir"]).answers, 1);
    }

    #[test]
    fn echoes_what_has_arrived_and_ends_once_the_server_is_stopping() {
        let site = site(Spoken::Echo);
        site.stopping.store(true, Ordering::Relaxed);
        let played = play(&site, &[b"one", b"two"]);
        assert_eq!(
            (played.output.as_slice(), played.lingered),
            (b"one".as_slice(), true)
        );
    }

    /// Octets out of which near misses and farewells come often.
    fn near_farewells() -> impl Strategy<Value = Vec<u8>> {
        const WORDS: &[&str] = &["salir", "sal", "ir", "\r", "\n", "\r\n", "x", " ", "\u{f1}"];
        proptest::collection::vec(proptest::sample::select(WORDS), 0..30)
            .prop_map(|words| words.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn returns_exactly_what_came(input in proptest::collection::vec(any::<u8>(), 0..3_000), piece in 1usize..1024) {
            prop_assume!(!input.windows(5).any(|octets| octets == b"salir"));
            let reads: Vec<_> = input.chunks(piece).collect();
            let played = play(&site(Spoken::Echo), &reads);
            prop_assert_eq!((played.output, played.closed_first), (input, false));
        }

        #[test]
        fn ends_at_a_farewell_and_at_nothing_else(input in near_farewells(), piece in 1usize..40) {
            check(&input.chunks(piece).collect::<Vec<_>>());
        }
    }
}
