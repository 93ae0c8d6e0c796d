//! The response parser gives the same verdict however the bytes are split.

use hola_loadgen::response::{InvalidResponse, MAX_HEAD, ParseProgress, ResponseParser};
use proptest::prelude::*;

const BODY: &[u8] = b"Hola, cliente!";

/// Verdict on a whole stream that ends with the connection: status, whether the connection can be kept, and whether the
/// body is right; `None` if the stream ends too early.
type Verdict = Result<Option<(u16, bool, bool)>, InvalidResponse>;

fn judge<'b>(parser: &mut ResponseParser, pieces: impl IntoIterator<Item = &'b [u8]>) -> Verdict {
    parser.reset();
    let mut is_done = false;
    for piece in pieces {
        is_done = parser.feed(piece, Some(BODY))? != ParseProgress::More;
        if is_done {
            break;
        }
    }
    let is_done = is_done || parser.finish()?;
    let (keep_alive, right) = (parser.keep_alive(), parser.body_is(BODY));
    Ok(is_done.then(|| (parser.status().unwrap(), keep_alive, right)))
}

/// Streams by their verdict.
#[rustfmt::skip] // a table
const CASES: &[(Verdict, &[&str])] = &[
    (Ok(Some((200, true, true))), &[
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHola, cliente!",
        "HTTP/1.1 200\r\ncontent-length:14\r\n\r\nHola, cliente!",
        "HTTP/1.1 200 OK\nContent-Length: 14\n\nHola, cliente!",
        "HTTP/1.1 200 OK\r\nContent-Length: 14, 14\r\n\r\nHola, cliente!",
        "HTTP/1.0 200 OK\r\nContent-Length: 14\r\nConnection: keep-alive\r\n\r\nHola, cliente!",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHola, cliente!",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ne\r\nHola, cliente!\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nHola,\r\n009 \r\n cliente!\r\n0\r\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: , chunked\r\n\r\ne\r\nHola, cliente!\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: ,\r\nTransfer-Encoding: Chunked ,\t,\r\n\r\ne\r\nHola, cliente!\r\n0\r\n\r\n",
    ]),
    (Ok(Some((200, false, true))), &[
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: Close\r\n\r\nHola, cliente!",
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: , close\r\n\r\nHola, cliente!",
        "HTTP/1.0 200 OK\r\nContent-Length: 14\r\n\r\nHola, cliente!",
        "HTTP/1.1 200 OK\r\n\r\nHola, cliente!",
    ]),
    (Ok(Some((200, true, false))), &[
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nhola, cliente!",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nHola, cliente!",
    ]),
    (Ok(Some((204, true, false))), &["HTTP/1.1 204 No Content\r\n\r\n"]),
    (Ok(Some((503, true, false))), &["HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"]),
    (Ok(Some((304, true, false))), &[
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 14\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 14\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    ]),
    (Ok(None), &[
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHola",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHola,\r\n",
    ]),
    (Err(InvalidResponse::Head), &[
        "NOPE\r\n\r\n",
        "NOPE",
        "HTTP/1.1 099 Low\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
    ]),
    (Err(InvalidResponse::Interim), &["HTTP/1.1 101 Switch\r\n\r\n"]),
    (Err(InvalidResponse::Framing), &[
        "HTTP/1.1 200 OK\r\nContent-Length: +14\r\n\r\nHola, cliente!",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\nContent-Length: 15\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 14\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: ,\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: , 14\r\n\r\nHola, cliente!",
    ]),
    (Err(InvalidResponse::Chunk), &[
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nHoops",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    ]),
];

#[test]
fn judges_every_case_whole_byte_by_byte_and_at_every_split() {
    let mut parser = ResponseParser::default();
    for (verdict, texts) in CASES {
        for text in *texts {
            let bytes = text.as_bytes();
            let slowly = judge(&mut parser, bytes.chunks(1));
            assert_eq!(slowly, *verdict, "{text:?} byte by byte");
            for at in 0..=bytes.len() {
                let (first, second) = bytes.split_at(at);
                let pieces = [first, second].into_iter();
                let judged = judge(&mut parser, pieces.filter(|piece| !piece.is_empty()));
                assert_eq!(judged, *verdict, "{text:?} cut at {at}");
            }
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
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(2 * MAX_HEAD));
        let verdict = judge(
            &mut ResponseParser::default(),
            endless.as_bytes().chunks(piece),
        );
        assert_eq!(verdict, Err(InvalidResponse::HeadTooLong));
    }
}

proptest! {
    #[test]
    fn the_verdict_does_not_depend_on_the_cuts(
        text in prop::sample::select(CASES.iter().flat_map(|case| case.1).copied().collect::<Vec<_>>()),
        noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        cuts in prop::collection::vec(1_usize..40, 1..60),
    ) {
        let mut bytes = text.as_bytes().to_vec();
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
