//! `echo`: whatever arrives goes back (RFC 862), until the client closes or says `salir`.
//!
//! A line `salir` ends the conversation and does not go back, nor does anything after it. A line ends at its line feed,
//! before which a carriage return counts for nothing; but a client may well send no line feeds at all, so what has
//! arrived of a line counts as a line at the end of every read too.

use super::turns::{Answer, MESSAGE_OCTETS_MAX, Reply, Turns};

/// The line that ends a conversation, and a carriage return that may follow.
const FAREWELL: &[u8] = b"salir\r";

/// Octets of [`FAREWELL`] without the carriage return.
const FAREWELL_OCTETS_MIN: usize = FAREWELL.len() - 1;

/// One conversation of echoes.
pub type Echo<'s> = Turns<'s, Repeat>;

/// The message itself as its answer.
#[derive(Debug)]
pub struct Repeat {
    /// Octets of the farewell that the current line consists of, `None` once it is another line.
    farewell: Option<usize>,
}

impl Default for Repeat {
    fn default() -> Self {
        Repeat { farewell: Some(0) }
    }
}

impl Reply for Repeat {
    fn reply(&mut self, message: &mut [u8; MESSAGE_OCTETS_MAX], heard: usize) -> Answer {
        match self.start_of_farewell(&message[..heard]) {
            None => Answer::Next(heard),
            Some(start) => Answer::Last(start),
        }
    }
}

impl Repeat {
    /// Where in `message` the client takes its leave; 0 if it began to do so in an earlier one.
    fn start_of_farewell(&mut self, message: &[u8]) -> Option<usize> {
        let mut line_start = 0;
        for (place, &octet) in message.iter().enumerate() {
            if octet != b'\n' {
                self.farewell = self
                    .farewell
                    .filter(|&so_far| FAREWELL.get(so_far) == Some(&octet))
                    .map(|so_far| so_far + 1);
            } else if self.is_farewell() {
                return Some(line_start);
            } else {
                self.farewell = Some(0);
                line_start = place + 1;
            }
        }
        self.is_farewell().then_some(line_start)
    }

    fn is_farewell(&self) -> bool {
        self.farewell
            .is_some_and(|so_far| so_far >= FAREWELL_OCTETS_MIN)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use proptest::prelude::*;

    use crate::conversation::Spoken;
    use crate::conversation::player::{Played, every_cut, play, site};

    /// What the module's head promises, written down the slow way: what goes back of these reads, and whether the
    /// server ends it.
    fn promised(reads: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut all = Vec::new();
        for read in reads {
            let read_start = all.len();
            for (place, octet) in read.iter().enumerate() {
                all.push(*octet);
                if *octet != b'\n' && place + 1 < read.len() {
                    continue;
                }
                let before = all.strip_suffix(b"\n").unwrap_or(&all);
                let line_start = before
                    .iter()
                    .rposition(|octet| *octet == b'\n')
                    .map_or(0, |end| end + 1);
                if [b"salir".as_slice(), b"salir\r"].contains(&&before[line_start..]) {
                    all.truncate(line_start.max(read_start));
                    return (all, true);
                }
            }
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
    fn knows_a_farewell_that_arrives_in_two_halves() {
        assert_eq!(check(&[b"sal", b"ir\n", b"more"]).output, b"sal");
        assert_eq!(check(&[b"sal", b"ud\n"]).output, b"salud\n");
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
            // A read may end right after any `salir` that starts a line, so there must be none.
            prop_assume!(!input.split(|octet| *octet == b'\n').any(|line| line.starts_with(b"salir")));
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
