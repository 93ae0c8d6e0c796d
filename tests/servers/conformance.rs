//! One suite over all models and conversations: the same bytes must give the same answers under every model.

#[path = "../../servers/src/conversation/http/cases.rs"]
mod cases;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use self::cases::{Then, cases};
use crate::support::{
    ACKNOWLEDGEMENT, ASK, Server, for_each_model, rest, say, serves_at_once, statuses, stop_with,
    undated,
};

#[test]
fn all_models_answer_every_case_with_the_same_bytes() {
    let by_model = Mutex::new(Vec::new());
    for_each_model(|model| {
        let server = Server::start(model);
        let mut all = Vec::new();
        for (bytes, expected, then) in cases() {
            let case = format!("{model}: {}", bytes.escape_ascii());
            let answers = server.exchange(&bytes);
            assert_eq!(statuses(&answers), expected, "{case}");
            // One more request is answered on a kept connection and on no other. It may complete a partial one.
            let with_one_more = [bytes.as_slice(), b"GET / HTTP/1.0\r\n\r\n"].concat();
            let with_one_more = server.exchange(&with_one_more);
            let count = expected.len() + usize::from(then == Then::Keep);
            if !expected.is_empty() {
                assert_eq!(statuses(&with_one_more).len(), count, "{case}");
            }
            all.push((undated(&answers), undated(&with_one_more)));
        }
        server.stop();
        by_model.lock().expect("no panic").push((model, all));
    });
    let by_model = by_model.into_inner().expect("no panic");
    let (first, expected) = &by_model[0];
    for (model, all) in &by_model {
        for ((bytes, ..), (answers, expected)) in cases().zip(all.iter().zip(expected)) {
            let shown = bytes[..bytes.len().min(120)].escape_ascii();
            assert_eq!(answers, expected, "{model} differs from {first}: {shown}");
        }
    }
}

#[test]
fn every_model_keeps_a_connection_for_many_requests() {
    for_each_model(|model| {
        let server = Server::start(model);
        let mut socket = server.connect();
        let mut answer = [0; 256];
        for _ in 0..1_000 {
            socket.write_all(ASK).expect("sent");
            let count = socket.read(&mut answer).expect("an answer");
            assert!(answer[..count].ends_with(b"Hola, cliente!"), "{model}");
        }
        drop(socket);
        stop_with(server, model, &[("accepted", 1), ("answers", 1_000)]);
    });
}

#[test]
fn every_model_answers_a_request_sent_one_byte_at_a_time() {
    for_each_model(|model| {
        let server = Server::start(model);
        let mut socket = server.connect();
        socket.set_nodelay(true).expect("an option");
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" {
            socket.write_all(&[*byte]).expect("sent");
        }
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("an answer");
        assert!(answer.ends_with("Hola, cliente!"), "{model}: {answer}");
    });
}

#[test]
fn every_model_closes_a_client_that_says_too_little_too_slowly() {
    for_each_model(|model| {
        let server = Server::start(model);
        let silent = server.connect();
        // No client waits for the silent one, except under a model that serves one client at a time.
        let alone = serves_at_once(model) == Some(1);
        if !alone {
            server.greets();
        }
        let mut slow = server.connect();
        let started = Instant::now();
        // One byte a second must not move the deadline of 5 s for a head.
        let mut sent = 0;
        while slow.write_all(b"G").is_ok() && sent < 30 {
            sent += 1;
            thread::sleep(Duration::from_secs(1));
        }
        let lasted = started.elapsed();
        let longest = Duration::from_secs(if alone { 15 } else { 10 });
        assert!(lasted < longest, "{model}: a slow client lasted {lasted:?}");
        drop(silent);
        server.greets();
        stop_with(server, model, &[("expired", 2)]);
    });
}

#[test]
fn a_client_gets_its_error_even_if_it_goes_on_sending() {
    for_each_model(|model| {
        let server = Server::start(model);
        for _ in 0..20 {
            let mut socket = server.connect();
            socket.write_all(b"nonsense\r\n\r\n").expect("sent");
            let _ = socket.write_all(&[b'x'; 4_096]);
            let mut answer = String::new();
            socket
                .read_to_string(&mut answer)
                .expect("the answer arrives before any reset");
            assert_eq!(statuses(&answer), [400], "{model}");
        }
    });
}

#[test]
fn every_model_acknowledges_message_after_message() {
    for_each_model(|model| {
        let server = Server::start_whole(model, &["--conversation", "ack"]);
        let socket = server.connect();
        let longest = "ñ".repeat(512);
        let messages = ["hola", "¿Qué tal? 👋", "salir", "\n", "x", &longest];
        for message in messages {
            say(&socket, message, ACKNOWLEDGEMENT);
        }
        drop(socket);
        let answers = messages.len();
        stop_with(server, model, &[("answers", answers), ("accepted", 1)]);
    });
}

#[test]
fn every_model_echoes_message_after_message_until_salir() {
    for_each_model(|model| {
        let server = Server::start_whole(model, &["--conversation", "echo"]);
        let mut socket = server.connect();
        let messages = "hola|¿Qué tal? 👋|salir no es\n|\n|\0\u{7f}\r\n";
        for message in messages.split('|') {
            say(&socket, message, message);
        }
        // Text before `salir` in the same message still comes back; text after it does not.
        let last = "adiós\nsalir\nhola\n".as_bytes();
        socket.write_all(last).expect("sent");
        assert_eq!(rest(socket), "adiós\n".as_bytes(), "{model}");
        stop_with(server, model, &[("broken", 0)]);
    });
}

#[test]
fn every_model_takes_texts_of_any_length_however_they_are_cut() {
    // Most bytes of one read.
    const MESSAGE_BYTES_MAX: usize = 1024;
    for_each_model(|model| {
        let echo = Server::start_whole(model, &["--conversation", "echo"]);
        let ack = Server::start_whole(model, &["--conversation", "ack"]);
        let mut answers = 0;
        for (length, piece) in CUT_TEXTS {
            let way = format!("{model}: {length} bytes in pieces of {piece}");
            let text = text(length);
            let echoed = converse(&echo, &text, piece);
            // The message leaves out the text, which is too long to read.
            assert!(echoed == text, "{way}: {} came back", echoed.len());
            let said = converse(&ack, &text, piece);
            let count = said.len() / ACKNOWLEDGEMENT.len();
            let expected = ACKNOWLEDGEMENT.as_bytes().repeat(count);
            assert!(said == expected, "{way}: {}", said.escape_ascii());
            // TCP keeps no message boundaries: pieces may arrive together, and long ones in parts.
            let fewest = length.div_ceil(MESSAGE_BYTES_MAX);
            assert!((fewest..=length).contains(&count), "{way}: {count} times");
            answers += count;
        }
        let clients = CUT_TEXTS.len();
        stop_with(echo, model, &[("accepted", clients), ("broken", 0)]);
        stop_with(ack, model, &[("accepted", clients), ("answers", answers)]);
    });
}

/// In bytes: length of a text · length of the pieces it is sent in, which split its characters.
const CUT_TEXTS: [(usize, usize); 16] = [
    (1, 1),
    (2, 1),
    (3, 2),
    (4, 1),
    (7, 3),
    (64, 1),
    (1_000, 1),
    (1_023, 5),
    (1_024, 1_024),
    (1_025, 1_025),
    (2_048, 3),
    (4_097, 11),
    (16_385, 1_021),
    (65_536, 331),
    (65_537, 65_537),
    (100_000, 997),
];

/// A text of that length, of characters of one to four bytes.
fn text(bytes: usize) -> Vec<u8> {
    let mut text = String::new();
    for character in "👋ñ€a".chars().cycle() {
        if text.len() + character.len_utf8() > bytes {
            break;
        }
        text.push(character);
    }
    text.push_str(&"x".repeat(bytes - text.len()));
    text.into()
}

/// Sends `text` in pieces, closes the sending half, and returns all that is answered.
fn converse(server: &Server, text: &[u8], piece: usize) -> Vec<u8> {
    let socket = server.connect();
    socket.set_nodelay(true).expect("an option");
    thread::scope(|scope| {
        // Answers are read at the same time: a server stops reading if its answers are not read.
        let reader = scope.spawn(|| rest(socket.try_clone().expect("a descriptor")));
        for piece in text.chunks(piece) {
            (&socket).write_all(piece).expect("sent");
        }
        socket.shutdown(Shutdown::Write).expect("connected");
        reader.join().expect("no panic")
    })
}
