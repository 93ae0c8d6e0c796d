//! One suite over all models and conversations: the same bytes must give the same answers under every model.

#[path = "../servers/src/conversation/http/cases.rs"]
mod cases;
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use self::cases::{Then, cases};
use self::support::{ASK, Server, for_each_model, models, rest, serves_at_once, settled, statuses};

const ACKNOWLEDGEMENT: &[u8] = b"Mensaje recibido";

#[test]
fn every_model_answers_every_case_as_the_table_says() {
    for_each_model(|model| {
        let server = Server::start(model);
        for (bytes, expected, _) in cases() {
            let answers = server.exchange(&bytes);
            assert_eq!(
                statuses(&answers),
                expected,
                "{model}: {}",
                bytes.escape_ascii()
            );
        }
        server.stop();
    });
}

#[test]
fn every_model_keeps_or_closes_the_connection_as_the_table_says() {
    for_each_model(|model| {
        let server = Server::start(model);
        for (bytes, expected, then) in cases().filter(|(_, expected, _)| !expected.is_empty()) {
            let mut socket = server.connect();
            socket.write_all(&bytes).expect("sent");
            // A second request is answered on a kept connection and on no other.
            let _ = socket.write_all(b"GET / HTTP/1.0\r\n\r\n");
            let mut answers = String::new();
            let _ = socket.read_to_string(&mut answers);
            let expected_count = expected.len() + usize::from(then == Then::Keep);
            assert_eq!(
                statuses(&answers).len(),
                expected_count,
                "{model}: {}: {answers}",
                bytes.escape_ascii()
            );
        }
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
        let counters = server.stop();
        assert_eq!(
            (&counters["accepted"], &counters["answers"]),
            (&1.into(), &1_000.into()),
            "{model}"
        );
    });
}

#[test]
fn every_model_closes_a_client_that_says_too_little_too_slowly() {
    for_each_model(|model| {
        let server = Server::start(model);
        let silent = server.connect();
        if serves_at_once(model) != Some(1) {
            // No client waits for the silent one, except under a model that serves one client at a time.
            server.greets();
        }
        let mut slow = server.connect();
        let started = std::time::Instant::now();
        // One byte a second must not move the deadline of 5 s for a head.
        let mut sent = 0;
        while slow.write_all(b"G").is_ok() && sent < 30 {
            sent += 1;
            thread::sleep(Duration::from_secs(1));
        }
        let lasted = started.elapsed();
        let longest = Duration::from_secs(if serves_at_once(model) == Some(1) {
            15
        } else {
            10
        });
        assert!(lasted < longest, "{model}: a slow client lasted {lasted:?}");
        drop(silent);
        server.greets();
        assert_eq!(server.stop()["expired"], 2, "{model}");
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
fn all_models_answer_every_case_with_the_same_bytes() {
    let answers = Mutex::new(BTreeMap::new());
    for_each_model(|model| {
        let server = Server::start(model);
        // Whether a connection is kept shows in the answer to one more request.
        let seen: Vec<_> = cases()
            .map(|(bytes, ..)| {
                undated(&server.exchange(&[&bytes, b"GET / HTTP/1.0\r\n\r\n".as_slice()].concat()))
            })
            .collect();
        answers.lock().expect("no panic").insert(model, seen);
    });
    let answers = answers.into_inner().expect("no panic");
    let first = models().next().expect("a model");
    let mut divergences = String::new();
    for (model, seen) in &answers {
        for ((bytes, ..), (theirs, ours)) in cases().zip(seen.iter().zip(&answers[first])) {
            if theirs != ours {
                let shown = bytes[..bytes.len().min(120)].escape_ascii();
                let _ = writeln!(
                    divergences,
                    "{shown}\n    {first}: {:?} {ours:?}\n    {model}: {:?} {theirs:?}",
                    statuses(ours),
                    statuses(theirs),
                );
            }
        }
    }
    assert!(divergences.is_empty(), "models differ:\n{divergences}");
}

/// Answers without their `Date` lines.
fn undated(answers: &str) -> String {
    let lines = answers.split_inclusive("\r\n");
    lines.filter(|line| !line.starts_with("Date: ")).collect()
}

#[test]
fn every_model_acknowledges_message_after_message() {
    for_each_model(|model| {
        let server = Server::start_whole(model, &["--conversation", "ack"]);
        let mut socket = server.connect();
        let longest = "ñ".repeat(512);
        let messages = ["hola", "¿Qué tal? 👋", "salir", "\n", "x", &longest];
        for message in messages {
            say(&mut socket, message.as_bytes(), ACKNOWLEDGEMENT);
        }
        drop(socket);
        let counters = server.stop();
        assert_eq!(
            [
                &counters["answers"],
                &counters["accepted"],
                &counters["closed"]
            ],
            [messages.len(), 1, 1],
            "{model}: {counters}"
        );
    });
}

#[test]
fn every_model_echoes_message_after_message_until_salir() {
    for_each_model(|model| {
        let server = Server::start_whole(model, &["--conversation", "echo"]);
        let mut socket = server.connect();
        for message in [
            "hola",
            "¿Qué tal? 👋",
            "salir no es\n",
            "\n",
            "\0\u{7f}\r\n",
        ] {
            say(&mut socket, message.as_bytes(), message.as_bytes());
        }
        // Text before `salir` in the same message still comes back; text after it does not.
        socket
            .write_all("adiós\nsalir\nhola\n".as_bytes())
            .expect("sent");
        assert_eq!(rest(socket), "adiós\n".as_bytes(), "{model}");
        let counters = server.stop();
        assert_eq!(counters["accepted"], counters["closed"], "{model}");
        assert_eq!(counters["broken"], 0, "{model}");
    });
}

/// Sends a message and reads as many bytes as the answer must have.
fn say(socket: &mut TcpStream, message: &[u8], answer: &[u8]) {
    socket.write_all(message).expect("sent");
    let mut bytes = vec![0; answer.len()];
    socket.read_exact(&mut bytes).expect("an answer");
    assert_eq!(
        bytes.escape_ascii().to_string(),
        answer.escape_ascii().to_string()
    );
}

#[test]
fn every_model_echoes_texts_of_any_length_however_they_are_cut() {
    for_each_model(|model| {
        let server = Server::start_whole(model, &["--conversation", "echo"]);
        for (length, piece) in CUT_TEXTS {
            let text = text(length);
            let echoed = converse(&server, &text, piece);
            // The message leaves out the text, which is too long to read.
            assert!(
                echoed == text,
                "{model}: {length} bytes in pieces of {piece}: {} came back",
                echoed.len()
            );
        }
        let counters = server.stop();
        assert_eq!(
            [
                &counters["accepted"],
                &counters["closed"],
                &counters["broken"]
            ],
            [CUT_TEXTS.len(), CUT_TEXTS.len(), 0],
            "{model}: {counters}"
        );
    });
}

#[test]
fn every_model_acknowledges_texts_of_any_length_once_per_read() {
    // Most bytes of one read.
    const MESSAGE_BYTES_MAX: usize = 1024;
    for_each_model(|model| {
        let server = Server::start_whole(model, &["--conversation", "ack"]);
        let mut answers = 0;
        for (length, piece) in CUT_TEXTS {
            let said = converse(&server, &text(length), piece);
            let count = said.len() / ACKNOWLEDGEMENT.len();
            assert!(
                said == ACKNOWLEDGEMENT.repeat(count),
                "{model}: {}",
                said.escape_ascii()
            );
            // TCP keeps no message boundaries: pieces may arrive together, and long ones in parts.
            let fewest = length.div_ceil(MESSAGE_BYTES_MAX);
            assert!(
                (fewest..=length).contains(&count),
                "{model}: {length} bytes, {count} times"
            );
            answers += count;
        }
        assert_eq!(server.stop()["answers"], answers, "{model}");
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

#[test]
fn every_model_counts_a_client_while_it_is_there_and_no_longer() {
    for_each_model(|model| {
        let server = Server::start_whole(model, &["--conversation", "ack"]);
        let before = settled(|| (server.count("fd"), server.children(), server.count("task")));
        let clients = serves_at_once(model).unwrap_or(5);
        let mut sockets: Vec<_> = (0..clients).map(|_| server.connect()).collect();
        for socket in &mut sockets {
            say(socket, b"hola", ACKNOWLEDGEMENT);
        }
        for socket in &sockets {
            socket.shutdown(Shutdown::Write).expect("connected");
        }
        assert!(
            sockets.into_iter().all(|socket| rest(socket).is_empty()),
            "{model}"
        );
        support::eventually("nobody is held any more", || {
            (server.count("fd"), server.children(), server.count("task")) == before
        });
        let counters = server.stop();
        assert_eq!(
            [
                &counters["accepted"],
                &counters["closed"],
                &counters["answers"]
            ],
            [clients, clients, clients],
            "{model}: {counters}"
        );
    });
}
