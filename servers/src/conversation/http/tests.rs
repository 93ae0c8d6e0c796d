//! The conversation as a table of bytes: the input, and the expected output.
//!
//! Every case is played as a whole, byte by byte, and split in two at every position: the answers must not depend on
//! it.

use std::cell::RefCell;
use std::sync::atomic::Ordering;
use std::time::Duration;

use proptest::prelude::*;

use super::cases::{Then, cases, short_cases};
use super::{Http, Step, TimeoutKind};
use crate::conversation::player::{self, Played, every_cut, play};
use crate::conversation::{Conversation, Crash, Protocol, ServerContext};

fn context() -> ServerContext {
    player::context(Protocol::Http)
}

/// Plays `input` as a whole, byte by byte, and split in two at every position; the results must agree.
fn check(input: &[u8]) -> Played {
    let context = context();
    let whole = play(&context, &[input]);
    for pieces in every_cut(input) {
        let cut = pieces.first().map_or(0, |piece| piece.len());
        let same = play(&context, &pieces) == whole;
        assert!(same, "cut after {cut} bytes: {}", input.escape_ascii());
    }
    whole
}

fn text(played: &Played) -> &str {
    std::str::from_utf8(&played.output).expect("answers are ASCII")
}

/// The status codes of the answers, in order.
fn statuses(played: &Played) -> Vec<u16> {
    let answers = text(played).split("HTTP/1.1 ").skip(1);
    let status = |answer: &str| answer[..3].parse().expect("a status code");
    answers.map(status).collect()
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
    for (input, expected, expected_then) in cases() {
        let played = check(&input);
        let case = input.escape_ascii();
        let result = (statuses(&played), then(&played));
        assert_eq!(result, (expected.to_vec(), expected_then), "{case}");
        assert_eq!(played.answers, expected.len() as u64, "{case}");
        let announced = text(&played).matches("\r\nConnection: close\r\n").count();
        let closes = usize::from(expected_then != Then::Keep);
        assert_eq!(announced, closes, "{case}");
        // Every answer has a date; none promises a validator or a coding.
        for answer in text(&played).split("HTTP/1.1 ").skip(1) {
            let (head, _) = answer.split_once("\r\n\r\n").expect("a head");
            let fields = head.split("\r\n").skip(1);
            let names = fields.map(|field| field.split(": ").next().unwrap_or(field));
            let usual = names.filter(|name| !["Allow", "Connection"].contains(name));
            assert!(
                usual.eq(["Date", "Content-Type", "Content-Length"]),
                "{case}"
            );
        }
    }
}

#[test]
fn lingers_when_bytes_came_along_with_the_last_request() {
    let twice = b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n";
    let played = play(&context(), &[twice]);
    let result = (statuses(&played), then(&played));
    assert_eq!(result, (vec![200], Then::Linger));
}

#[test]
fn greets_to_the_byte() {
    let played = check(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let expected = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\nConnection: close\r\n\r\n\
                    Hola, cliente!";
    assert_eq!(text(&played), expected);
}

#[test]
fn answers_head_like_get_without_the_content() {
    for (target, content) in [
        ("/", "Hola, cliente!"),
        ("/other", "not found\n"),
        ("/wait/1", "waited 1 ms\n"),
        ("/compute/10", "15201191104202127773"),
        ("/bytes/5", "xxxxx"),
        ("/bytes/500", &"x".repeat(500)),
        ("/count", "1"),
        ("/crash/panic", "not found\n"),
        ("https://a/", "bad request\n"),
    ] {
        let get = check(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        let head = check(format!("HEAD {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        assert_eq!(text(&get), format!("{}{content}", text(&head)), "{target}");
        let length = format!("\r\nContent-Length: {}\r\n", content.len());
        assert!(text(&head).contains(&length), "{}", text(&head));
    }
}

#[test]
fn sends_as_many_bytes_as_asked_and_the_next_answer_after_them() {
    // Counts around what fits together with the head, and around what is written at once.
    for count in (0..330).chain([65_535, 65_536, 65_537, 1_000_000]) {
        let input = format!(
            "GET /bytes/{count} HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        let played = play(&context(), &[input.as_bytes()]);
        let answers: Vec<_> = text(&played).split("HTTP/1.1 200 OK\r\n").collect();
        assert!(answers[1].contains(&format!("\r\nContent-Length: {count}\r\n")));
        assert!(answers[1].ends_with(&format!("\r\n\r\n{}", "x".repeat(count))));
        assert!(answers[2].ends_with("\r\n\r\nHola, cliente!"));
    }
}

#[test]
fn sends_few_bytes_along_with_the_head_and_many_in_large_pieces() {
    let writes = |request: &[u8]| {
        let context = context();
        let mut conversation = Http::new(&context);
        say(&mut conversation, request);
        let mut writes = Vec::new();
        while let Step::Write(bytes) = conversation.step() {
            let count = bytes.len();
            writes.push(count);
            conversation.sent(count);
        }
        writes
    };
    // The head takes 118 bytes of the answer's 320.
    let longest_short = b"GET /bytes/202 HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(writes(longest_short), [320]);
    let shortest_long = b"GET /bytes/203 HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(writes(shortest_long), [118, 203]);
    let long = writes(b"GET /bytes/16777216 HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(long[1..], [64 * 1024; 256]);
}

#[test]
fn waits_once_the_request_is_whole_and_before_it_answers() {
    let input = b"GET /wait/10000 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
                  GET /wait/5 HTTP/1.1\r\nHost: a\r\n\r\n";
    let played = check(input);
    assert_eq!(played.waited, Duration::from_millis(10_005));
    assert!(text(&played).contains("\r\n\r\nwaited 10000 ms\nHTTP/1.1"));
    assert!(text(&played).ends_with("\r\n\r\nwaited 5 ms\n"));
}

#[test]
fn closes_after_a_wait_during_which_the_server_was_told_to_stop() {
    let context = context();
    let mut conversation = Http::new(&context);
    let request = b"GET /wait/7 HTTP/1.1\r\nHost: a\r\n\r\n";
    say(&mut conversation, request);
    assert_eq!(conversation.step(), Step::Wait(Duration::from_millis(7)));
    context.stopping.store(true, Ordering::Relaxed);
    conversation.waited();
    let answer = answer(&mut conversation);
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
}

/// The answer that the conversation is about to send.
fn answer(conversation: &mut Http) -> String {
    match conversation.step() {
        Step::Write(answer) => String::from_utf8_lossy(answer).into_owned(),
        step => panic!("{step:?}"),
    }
}

#[test]
fn counts_the_requests_of_all_conversations() {
    let context = context();
    context.count.store(41, Ordering::Relaxed);
    for count in 42..45 {
        let mut conversation = Http::new(&context);
        say(&mut conversation, b"GET /count HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = answer(&mut conversation);
        assert!(answer.ends_with(&format!("\r\n\r\n{count}")), "{answer}");
    }
}

#[test]
fn crashes_as_asked_only_where_the_server_allows_it() {
    thread_local! {
        static CRASHES: RefCell<Vec<Crash>> = const { RefCell::new(Vec::new()) };
    }
    let context = ServerContext {
        crash: Some(|how| CRASHES.with_borrow_mut(|crashes| crashes.push(how))),
        ..context()
    };
    use Crash::{Abort, Panic, Segv};
    for (how, crash) in [("panic", Panic), ("abort", Abort), ("segv", Segv)] {
        let request = format!("GET /crash/{how} HTTP/1.1\r\nHost: a\r\n\r\n");
        let played = play(&context, &[request.as_bytes()]);
        assert_eq!(CRASHES.take(), [crash]);
        assert_eq!(statuses(&played), [200]);
        assert!(text(&played).ends_with("\r\n\r\nsurvived\n"));
        // Neither another method nor an incomplete request causes a crash.
        play(&context, &[request.replace("GET", "POST").as_bytes()]);
        play(&context, &[&request.as_bytes()[..request.len() - 2]]);
        assert_eq!(CRASHES.take(), []);
    }
}

#[test]
fn names_the_methods_it_allows() {
    let played = check(b"PUT / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(text(&played).contains("\r\nAllow: GET, HEAD\r\n"));
}

#[test]
fn says_when_an_old_client_may_keep_its_connection() {
    let old = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".as_slice();
    let new = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
    for (input, expected) in [(old, true), (new, false)] {
        let is_said = text(&check(input)).contains("\r\nConnection: keep-alive\r\n");
        assert_eq!(is_said, expected, "{}", input.escape_ascii());
    }
}

#[test]
fn closes_after_the_answer_once_the_server_is_stopping() {
    let context = context();
    context.stopping.store(true, Ordering::Relaxed);
    let played = play(&context, &[b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"]);
    assert_eq!(statuses(&played), [200]);
    assert!(text(&played).contains("Connection: close") && played.closed_first);
}

#[test]
fn reads_a_long_body_to_its_end_without_keeping_it() {
    let (long, expected, _) = cases()
        .find(|(input, _, _)| input.len() > 65_536)
        .expect("a case");
    for piece_bytes in [1, 1_000, 1_024, 70_000] {
        let pieces: Vec<_> = long.chunks(piece_bytes).collect();
        assert_eq!(statuses(&play(&context(), &pieces)), expected);
    }
}

/// Gives `bytes`, which must fit into one read, to the conversation; returns what it then waits for.
fn say(conversation: &mut Http, bytes: &[u8]) -> TimeoutKind {
    if let Step::Read(space) = conversation.step() {
        space[..bytes.len()].copy_from_slice(bytes);
        conversation.received(bytes.len());
    }
    conversation.timeout_kind()
}

#[test]
fn the_timeout_kind_follows_what_it_waits_for() {
    let context = context();
    let mut conversation = Http::new(&context);
    assert_eq!(say(&mut conversation, b"G"), TimeoutKind::Head);
    let rest = b"ET /wait/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
    assert_eq!(say(&mut conversation, rest), TimeoutKind::Body);
    assert_eq!(say(&mut conversation, b"ab"), TimeoutKind::Wait);
    conversation.waited();
    assert_eq!(conversation.timeout_kind(), TimeoutKind::Write);
    let answer_bytes = answer(&mut conversation).len();
    conversation.sent(answer_bytes);
    assert_eq!(conversation.timeout_kind(), TimeoutKind::Idle);
    assert_eq!(conversation.answers(), 1);
}

#[test]
fn empty_lines_move_no_deadline() {
    let context = context();
    let mut conversation = Http::new(&context);
    for byte in b"\r\n\n\r\n\r" {
        // A new deadline starts when the timeout kind changes; it must not change here.
        assert_eq!(say(&mut conversation, &[*byte]), TimeoutKind::Idle);
    }
    let kind = say(&mut conversation, b"\nGET / HTTP/1.0\r\n\r\n");
    assert_eq!(kind, TimeoutKind::Write);
}

/// Plays `input` as a whole and in pieces; the statuses of the answers must agree.
fn check_in_pieces(input: &[u8], piece: usize) {
    let context = context();
    let whole = play(&context, &[input]);
    let cut = play(&context, &input.chunks(piece).collect::<Vec<_>>());
    assert_eq!(statuses(&whole), statuses(&cut), "{}", input.escape_ascii());
}

proptest! {
    #[test]
    fn survives_any_bytes_in_any_pieces(input in proptest::collection::vec(any::<u8>(), 0..600), piece in 1usize..50) {
        check_in_pieces(&input, piece);
    }

    #[test]
    fn survives_requests_with_a_few_bytes_changed(
        case in prop::sample::select(short_cases().collect::<Vec<_>>()),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        piece in 1usize..50,
    ) {
        let mut input = case.0;
        if !input.is_empty() {
            for (place, byte) in changes {
                let place = place.index(input.len());
                input[place] = byte;
            }
        }
        check_in_pieces(&input, piece);
    }
}
