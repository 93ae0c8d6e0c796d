//! The response parser gives the same verdict however the bytes are split.

use hola_loadgen::response::{InvalidResponse, MAX_HEAD, ParseProgress, ResponseParser};
use proptest::prelude::*;

const BODY: &[u8] = b"Hola, cliente!";

/// Verdict on a whole stream that ends with the connection.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Done {
        status: u16,
        keep_alive: bool,
        right: bool,
    },
    Early,
    Bad(InvalidResponse),
}
use Verdict::{Bad, Done, Early};

fn judge<'b>(parser: &mut ResponseParser, pieces: impl IntoIterator<Item = &'b [u8]>) -> Verdict {
    parser.reset();
    for piece in pieces {
        match parser.feed(piece, Some(BODY)) {
            Ok(ParseProgress::More) => {}
            Ok(ParseProgress::Done { .. }) => return done(parser),
            Err(malformed) => return Bad(malformed),
        }
    }
    match parser.finish() {
        Ok(true) => done(parser),
        Ok(false) => Early,
        Err(malformed) => Bad(malformed),
    }
}

fn done(parser: &ResponseParser) -> Verdict {
    Done {
        status: parser.status().unwrap(),
        keep_alive: parser.keep_alive(),
        right: parser.body_is(BODY),
    }
}

const GOOD: Verdict = Done {
    status: 200,
    keep_alive: true,
    right: true,
};
const LAST: Verdict = Done {
    status: 200,
    keep_alive: false,
    right: true,
};

const NOT_MODIFIED: Verdict = Done {
    status: 304,
    keep_alive: true,
    right: false,
};

const CASES: &[(&str, Verdict)] = &[
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHola, cliente!",
        GOOD,
    ),
    (
        "HTTP/1.1 200\r\ncontent-length:14\r\n\r\nHola, cliente!",
        GOOD,
    ),
    (
        "HTTP/1.1 200 OK\nContent-Length: 14\n\nHola, cliente!",
        GOOD,
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 14, 14\r\n\r\nHola, cliente!",
        GOOD,
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: Close\r\n\r\nHola, cliente!",
        LAST,
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: , close\r\n\r\nHola, cliente!",
        LAST,
    ),
    (
        "HTTP/1.0 200 OK\r\nContent-Length: 14\r\n\r\nHola, cliente!",
        LAST,
    ),
    (
        "HTTP/1.0 200 OK\r\nContent-Length: 14\r\nConnection: keep-alive\r\n\r\nHola, cliente!",
        GOOD,
    ),
    ("HTTP/1.1 200 OK\r\n\r\nHola, cliente!", LAST),
    (
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHola, cliente!",
        GOOD,
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ne\r\nHola, cliente!\r\n0\r\n\r\n",
        GOOD,
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nHola,\r\n009 \r\n cliente!\r\n0\r\nA: b\r\n\r\n",
        GOOD,
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nhola, cliente!",
        Done {
            status: 200,
            keep_alive: true,
            right: false,
        },
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nHola, cliente!",
        Done {
            status: 200,
            keep_alive: true,
            right: false,
        },
    ),
    (
        "HTTP/1.1 204 No Content\r\n\r\n",
        Done {
            status: 204,
            keep_alive: true,
            right: false,
        },
    ),
    (
        "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
        Done {
            status: 503,
            keep_alive: true,
            right: false,
        },
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: , chunked\r\n\r\ne\r\nHola, cliente!\r\n0\r\n\r\n",
        GOOD,
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: ,\r\nTransfer-Encoding: Chunked ,\t,\r\n\r\ne\r\nHola, cliente!\r\n0\r\n\r\n",
        GOOD,
    ),
    (
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 14\r\nTransfer-Encoding: chunked\r\n\r\n",
        NOT_MODIFIED,
    ),
    (
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 14\r\n\r\n",
        NOT_MODIFIED,
    ),
    (
        "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        NOT_MODIFIED,
    ),
    ("", Early),
    ("HTTP/1.1 200 OK\r\nContent-Le", Early),
    ("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHola", Early),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHola,\r\n",
        Early,
    ),
    ("NOPE\r\n\r\n", Bad(InvalidResponse::Head)),
    ("NOPE", Bad(InvalidResponse::Head)),
    ("HTTP/1.1 099 Low\r\n\r\n", Bad(InvalidResponse::Head)),
    ("HTTP/2.0 200 OK\r\n\r\n", Bad(InvalidResponse::Head)),
    ("HTTP/1.1 101 Switch\r\n\r\n", Bad(InvalidResponse::Interim)),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: +14\r\n\r\nHola, cliente!",
        Bad(InvalidResponse::Framing),
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
        Bad(InvalidResponse::Framing),
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        Bad(InvalidResponse::Framing),
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\nContent-Length: 15\r\n\r\n",
        Bad(InvalidResponse::Framing),
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\nTransfer-Encoding: chunked\r\n\r\n",
        Bad(InvalidResponse::Framing),
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        Bad(InvalidResponse::Framing),
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        Bad(InvalidResponse::Framing),
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: ,\r\n\r\n",
        Bad(InvalidResponse::Framing),
    ),
    (
        "HTTP/1.1 200 OK\r\nContent-Length: , 14\r\n\r\nHola, cliente!",
        Bad(InvalidResponse::Framing),
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        Bad(InvalidResponse::Chunk),
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        Bad(InvalidResponse::Chunk),
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nHoops",
        Bad(InvalidResponse::Chunk),
    ),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        Bad(InvalidResponse::Chunk),
    ),
];

#[test]
fn judges_every_case_whole_byte_by_byte_and_at_every_split() {
    let mut parser = ResponseParser::default();
    for (text, verdict) in CASES {
        let bytes = text.as_bytes();
        assert_eq!(judge(&mut parser, [bytes]), *verdict, "{text:?}");
        assert_eq!(
            judge(&mut parser, bytes.chunks(1)),
            *verdict,
            "{text:?} byte by byte"
        );
        for at in 0..=bytes.len() {
            let (first, second) = bytes.split_at(at);
            let pieces = [first, second]
                .into_iter()
                .filter(|piece| !piece.is_empty());
            assert_eq!(judge(&mut parser, pieces), *verdict, "{text:?} cut at {at}");
        }
    }
}

#[test]
fn knows_the_status_of_an_answer_whose_body_has_no_clear_length() {
    let mut parser = ResponseParser::default();
    let head = b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    // A second time, for a head that is known already.
    for _ in 0..2 {
        parser.reset();
        assert_eq!(parser.feed(head, Some(BODY)), Err(InvalidResponse::Framing));
        assert_eq!((parser.status(), parser.keep_alive()), (Some(503), false));
    }
}

#[test]
fn says_how_many_bytes_nobody_asked_for() {
    let mut parser = ResponseParser::default();
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHola, cliente!HTTP";
    assert_eq!(
        parser.feed(bytes, Some(BODY)),
        Ok(ParseProgress::Done { excess: 4 })
    );
}

#[test]
fn gives_up_on_an_endless_head() {
    for piece in [1, 100, MAX_HEAD, 2 * MAX_HEAD] {
        let endless = [
            b"HTTP/1.1 200 OK\r\nX: ".as_slice(),
            &vec![b'x'; 2 * MAX_HEAD],
        ]
        .concat();
        let verdict = judge(&mut ResponseParser::default(), endless.chunks(piece));
        assert_eq!(verdict, Bad(InvalidResponse::HeadTooLong));
    }
}

proptest! {
    #[test]
    fn the_verdict_does_not_depend_on_the_cuts(
        case in 0..CASES.len(),
        noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        cuts in prop::collection::vec(1_usize..40, 1..60),
    ) {
        let mut bytes = CASES[case].0.as_bytes().to_vec();
        for (at, byte) in noise {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        let whole = judge(&mut ResponseParser::default(), [bytes.as_slice()]);
        let mut rest = bytes.as_slice();
        let pieces: Vec<&[u8]> = cuts
            .iter()
            .cycle()
            .map_while(|cut| {
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                rest = after;
                (!piece.is_empty()).then_some(piece)
            })
            .collect();
        prop_assert_eq!(judge(&mut ResponseParser::default(), pieces), whole);
    }
}
