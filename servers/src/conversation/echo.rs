//! `echo`: the server sends back whatever arrives (RFC 862), until the client closes or sends `salir`.
//!
//! One read is one message ([`messages`](super::messages)). A line `salir` in it, with or without a line end, ends the
//! conversation: the server sends back neither that line nor anything after it.

use super::messages::{MESSAGE_BYTES_MAX, Reply};

/// The line that ends a conversation.
const END_LINE: &[u8] = b"salir";

/// Keeps a message as its own answer, up to the line that ends the conversation.
pub fn reply(message: &mut [u8; MESSAGE_BYTES_MAX], received: usize) -> Reply {
    let mut kept = 0;
    for line in message[..received].split_inclusive(|&byte| byte == b'\n') {
        let said = line.strip_suffix(b"\n").unwrap_or(line);
        if said.strip_suffix(b"\r").unwrap_or(said) == END_LINE {
            return Reply::Last(kept);
        }
        kept += line.len();
    }
    Reply::Next(received)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::conversation::Protocol;
    use crate::conversation::player::{Played, context, every_cut, play};

    /// What the module's head promises for these reads: the bytes sent back, and whether the server ends the
    /// conversation.
    fn promised(reads: &[&[u8]]) -> (Vec<u8>, bool) {
        const ENDS: [&[u8]; 4] = [b"salir", b"salir\r", b"salir\n", b"salir\r\n"];
        let mut all = Vec::new();
        for read in reads {
            for line in read.split_inclusive(|byte| *byte == b'\n') {
                if ENDS.contains(&line) {
                    return (all, true);
                }
                all.extend_from_slice(line);
            }
        }
        (all, false)
    }

    /// Plays `reads`, none of them longer than a message.
    fn check(reads: &[&[u8]]) -> Played {
        let played = play(&context(Protocol::Echo), reads);
        let (output, ended) = promised(reads);
        let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
        let result = (shown(&played.output), played.lingered);
        assert_eq!(result, (shown(&output), ended), "{reads:?}");
        played
    }

    /// Bytes from a client in one read · what goes back · whether the server ends it.
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
    fn echoes_every_message_until_the_client_closes_or_sends_salir() {
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
    fn finds_salir_whatever_came_before_without_a_line_end() {
        let played = check(&[b"hola", b"sal", b"salir", b"more"]);
        assert_eq!(played.output, b"holasal");
        // Two messages; neither is the line `salir`.
        assert_eq!(check(&[b"sal", b"ir"]).output, b"salir");
    }

    #[test]
    fn gives_one_answer_for_each_message_and_none_for_salir() {
        assert_eq!(check(&[b"uno", b"dos", b"\nsalir"]).answers, 3);
        assert_eq!(check(&[b"uno\n", b"salir"]).answers, 1);
    }

    /// Bytes that often contain the line `salir`, or almost.
    fn near_ends() -> impl Strategy<Value = Vec<u8>> {
        const WORDS: &[&str] = &["salir", "sal", "ir", "\r", "\n", "\r\n", "x", " ", "\u{f1}"];
        proptest::collection::vec(proptest::sample::select(WORDS), 0..30)
            .prop_map(|words| words.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn returns_exactly_what_came(input in proptest::collection::vec(any::<u8>(), 0..3_000), piece in 1usize..1024) {
            prop_assume!(!input.windows(5).any(|bytes| bytes == b"salir"));
            let reads: Vec<_> = input.chunks(piece).collect();
            let played = play(&context(Protocol::Echo), &reads);
            prop_assert_eq!((played.output, played.closed_first), (input, false));
        }

        #[test]
        fn ends_at_salir_and_at_nothing_else(input in near_ends(), piece in 1usize..40) {
            check(&input.chunks(piece).collect::<Vec<_>>());
        }
    }
}
