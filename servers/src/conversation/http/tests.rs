//! The conversation as a table of octets: what comes in, what must come out.
//!
//! Every case is played whole, octet by octet, and cut in two at every place: the answers must not depend on it.

use std::sync::atomic::{AtomicBool, AtomicU64};

use proptest::prelude::*;

use super::cases::{CASES, Then};
use super::{Date, Http};
use crate::conversation::{Conversation, Patience, Site, Spoken, Step};

const DATE: Date = *b"Sun, 06 Nov 1994 08:49:37 GMT";
static GOING_ON: AtomicBool = AtomicBool::new(false);
static STOPPING: AtomicBool = AtomicBool::new(true);

fn site(stopping: &'static AtomicBool) -> Site {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    Site {
        spoken: Spoken::Http,
        date: || DATE,
        stopping,
        count: &COUNT,
        crash: None,
        heard: None,
    }
}

/// What a client gets for what it sends.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Played {
    output: String,
    /// The conversation was over before the client said that it had no more.
    closed_first: bool,
    /// It closed its sending half first and waited for the client.
    lingered: bool,
}

/// Plays the client's octets in the given pieces, then its end of stream.
fn play<'i>(site: &Site, pieces: impl IntoIterator<Item = &'i [u8]>) -> Played {
    let mut conversation = Http::new(site);
    let mut played = Played {
        output: String::new(),
        closed_first: false,
        lingered: false,
    };
    let mut pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
    let mut piece: &[u8] = &[];
    // Bounded: no case needs more turns, and a machine that never reads or closes must fail, not hang.
    for _turn in 0..500_000 {
        match conversation.step() {
            Step::Read(space) => {
                assert!(
                    !space.is_empty(),
                    "a read of nothing would look like the end of the stream"
                );
                if piece.is_empty() {
                    piece = pieces.next().unwrap_or_default();
                }
                let count = piece.len().min(space.len());
                space[..count].copy_from_slice(&piece[..count]);
                piece = &piece[count..];
                conversation.received(count);
                if count == 0 {
                    assert_eq!(
                        conversation.step(),
                        Step::Close,
                        "after the client's end of stream"
                    );
                    return played;
                }
            }
            Step::Write(octets) => {
                // A socket may take less than it is offered.
                let count = octets.len().min(100);
                played
                    .output
                    .push_str(std::str::from_utf8(&octets[..count]).expect("answers are ASCII"));
                conversation.sent(count);
            }
            Step::Wait(_) => conversation.waited(),
            Step::EndWrite => {
                played.lingered = true;
                conversation.write_ended();
            }
            Step::Close => {
                played.closed_first = true;
                return played;
            }
        }
    }
    panic!("the conversation does not end");
}

/// Plays `input` whole, octet by octet and in two pieces at every place; all must agree.
fn check(input: &[u8]) -> Played {
    let site = site(&GOING_ON);
    let whole = play(&site, [input]);
    assert_eq!(
        play(&site, input.chunks(1)),
        whole,
        "octet by octet: {}",
        input.escape_ascii()
    );
    // Long inputs are long in one place only: every cut there says the same.
    let cuts = (0..input.len()).filter(|cut| input.len() < 2_000 || cut % 97 == 0 || *cut < 100);
    for cut in cuts {
        let (first, second) = input.split_at(cut);
        assert_eq!(
            play(&site, [first, second]),
            whole,
            "cut at {cut}: {}",
            input.escape_ascii()
        );
    }
    whole
}

/// The status codes of the answers, in order.
fn statuses(played: &Played) -> Vec<u16> {
    let lines = played.output.split("HTTP/1.1 ").skip(1);
    lines
        .map(|answer| answer[..3].parse().expect("a status code"))
        .collect()
}

fn then(played: &Played) -> Then {
    match (played.lingered, played.closed_first) {
        (true, _) => Then::Linger,
        (false, true) => Then::Close,
        (false, false) => Then::Keep,
    }
}

#[test]
fn answers_every_case_the_same_however_it_is_cut() {
    for &(input, expected, expected_then) in CASES {
        let played = check(input);
        assert_eq!(statuses(&played), expected, "{}", input.escape_ascii());
        assert_eq!(then(&played), expected_then, "{}", input.escape_ascii());
    }
}

#[test]
fn lingers_when_octets_came_along_with_the_last_request() {
    let played = play(
        &site(&GOING_ON),
        [b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n".as_slice()],
    );
    assert_eq!(
        (statuses(&played), then(&played)),
        (vec![200], Then::Linger)
    );
}

#[test]
fn greets_to_the_octet() {
    let played = check(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let expected = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\nConnection: close\r\n\r\n\
                    Hola, cliente!";
    assert_eq!(played.output, expected);
}

#[test]
fn answers_head_like_get_without_the_content() {
    let get = check(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").output;
    let head = check(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").output;
    assert_eq!(format!("{head}Hola, cliente!"), get);
}

#[test]
fn names_the_methods_it_allows() {
    let played = check(b"PUT / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(
        played.output.contains("\r\nAllow: GET, HEAD\r\n"),
        "{}",
        played.output
    );
}

#[test]
fn says_when_the_connection_will_close_and_when_an_old_client_may_keep_it() {
    let says = |input: &[u8], words: &str| check(input).output.contains(words);
    assert!(says(b"GET / HTTP/1.0\r\n\r\n", "\r\nConnection: close\r\n"));
    assert!(says(b"GET / HTTP/1.1\r\n\r\n", "\r\nConnection: close\r\n"));
    assert!(says(
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "\r\nConnection: keep-alive\r\n"
    ));
    assert!(!says(
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nConnection:"
    ));
}

#[test]
fn closes_after_the_answer_once_the_server_is_stopping() {
    let site = site(&STOPPING);
    let request: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let played = play(&site, [request]);
    assert_eq!(statuses(&played), [200]);
    assert!(
        played.output.contains("Connection: close") && played.closed_first,
        "{played:?}"
    );
}

#[test]
fn bounds_the_request_line_the_head_and_the_number_of_fields() {
    let long_target = [
        b"GET /".as_slice(),
        &[b'a'; 8_200],
        b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    .concat();
    let endless_line = [b"GET /".as_slice(), &[b'a'; 20_000]].concat();
    let endless_head = [b"GET / HTTP/1.1\r\nX: ".as_slice(), &[b'a'; 20_000]].concat();
    let field_count = |count| {
        let fields = (0..count - 1)
            .map(|n| format!("X{n}: v\r\n"))
            .collect::<String>();
        format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").into_bytes()
    };
    let longest_target = [
        b"GET /".as_slice(),
        &[b'a'; 8_000],
        b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    .concat();
    for (input, expected) in [
        (long_target, 414),
        (endless_line, 414),
        (endless_head, 431),
        (field_count(101), 431),
        (field_count(100), 200),
        (longest_target, 404),
    ] {
        assert_eq!(
            statuses(&check(&input)),
            [expected],
            "{} octets",
            input.len()
        );
    }
}

#[test]
fn reads_a_long_body_to_its_end_without_keeping_it() {
    let request = [
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65536\r\n\r\n".as_slice(),
        &[b'x'; 65_536],
    ]
    .concat();
    let two = [request.as_slice(), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
    let site = site(&GOING_ON);
    for piece_octets in [1, 1000, 1024, 70_000] {
        assert_eq!(statuses(&play(&site, two.chunks(piece_octets))), [405, 200]);
    }
}

#[test]
fn turns_its_patience_to_what_it_waits_for() {
    let site = site(&GOING_ON);
    let mut conversation = Http::new(&site);
    let mut receive = |octets: &[u8]| {
        if let Step::Read(space) = conversation.step() {
            space[..octets.len()].copy_from_slice(octets);
            conversation.received(octets.len());
        }
        conversation.patience()
    };
    assert_eq!(receive(b"G"), Patience::Head);
    assert_eq!(
        receive(b"ET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"),
        Patience::Body
    );
    assert_eq!(receive(b"ab"), Patience::Write);
    let answer_octets = if let Step::Write(answer) = conversation.step() {
        answer.len()
    } else {
        0
    };
    conversation.sent(answer_octets);
    assert_eq!(conversation.patience(), Patience::Idle);
    assert_eq!(conversation.answers(), 1);
}

proptest! {
    #[test]
    fn survives_any_octets_in_any_pieces(input in proptest::collection::vec(any::<u8>(), 0..600), piece in 1usize..50) {
        let site = site(&GOING_ON);
        let whole = play(&site, [input.as_slice()]);
        let cut = play(&site, input.chunks(piece));
        prop_assert_eq!(statuses(&whole), statuses(&cut));
    }

    #[test]
    fn survives_requests_with_a_few_octets_changed(
        case in 0..CASES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        piece in 1usize..50,
    ) {
        let mut input = CASES[case].0.to_vec();
        if !input.is_empty() {
            for (place, octet) in changes {
                let place = place.index(input.len());
                input[place] = octet;
            }
        }
        let site = site(&GOING_ON);
        let whole = play(&site, [input.as_slice()]);
        let cut = play(&site, input.chunks(piece));
        prop_assert_eq!(statuses(&whole), statuses(&cut), "{}", input.escape_ascii());
    }
}
