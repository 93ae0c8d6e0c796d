//! One suite over all models: the same octets must give the same answers, whoever runs the conversation.

#[path = "../servers/src/conversation/http/cases.rs"]
mod cases;
mod support;

use std::io::{Read, Write};
use std::time::Duration;

use self::cases::{Then, cases};
use self::support::{Server, for_each_model, serves_at_once, statuses};

#[test]
fn every_model_answers_every_case_as_the_table_says() {
    for_each_model(|model| {
        let server = Server::start(model);
        for (octets, expected, _) in cases() {
            let answers = server.exchange(&octets);
            assert_eq!(
                statuses(&answers),
                expected,
                "{model}: {}",
                octets.escape_ascii()
            );
        }
        server.stop();
    });
}

#[test]
fn every_model_keeps_or_closes_the_connection_as_the_table_says() {
    for_each_model(|model| {
        let server = Server::start(model);
        for (octets, expected, then) in cases().filter(|(_, expected, _)| !expected.is_empty()) {
            let mut socket = server.connect();
            socket.write_all(&octets).expect("sent");
            // A second request is answered on a kept connection and on no other.
            let _ = socket.write_all(b"GET / HTTP/1.0\r\n\r\n");
            let mut answers = String::new();
            let _ = socket.read_to_string(&mut answers);
            let expected_count = expected.len() + usize::from(then == Then::Keep);
            assert_eq!(
                statuses(&answers).len(),
                expected_count,
                "{model}: {}: {answers}",
                octets.escape_ascii()
            );
        }
    });
}

#[test]
fn every_model_answers_a_request_sent_one_octet_at_a_time() {
    for_each_model(|model| {
        let server = Server::start(model);
        let mut socket = server.connect();
        socket.set_nodelay(true).expect("an option");
        for octet in b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" {
            socket.write_all(&[*octet]).expect("sent");
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
            socket
                .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                .expect("sent");
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
            // Nobody waits for the silent one, except where waiting is the model.
            server.greets();
        }
        let mut slow = server.connect();
        let started = std::time::Instant::now();
        // One octet a second must not move the deadline of 5 s for a head.
        let mut sent = 0;
        while slow.write_all(b"G").is_ok() && sent < 30 {
            sent += 1;
            std::thread::sleep(Duration::from_secs(1));
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
