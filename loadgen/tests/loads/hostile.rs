//! Failures are counted by their cause, and hostile servers neither hang the generator nor fill its memory.
//!
//! `proof.rs` counts the failures of a plan that mixes them.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use hola_loadgen::summary::CheckName;

use crate::truth::{CLOSE, KEEP, Truth, check, failed, measure, request, reset, silence};
use crate::{engines, load_by};

/// What a server does with a connection.
type Deed = Box<dyn Fn(TcpStream) + Send + Sync>;

/// Reads a request first.
fn after_request(deed: Deed) -> Deed {
    Box::new(move |mut stream| {
        request(&mut stream);
        deed(stream);
    })
}

/// Sends `bytes` and closes.
fn say(bytes: &'static [u8]) -> Deed {
    Box::new(move |mut stream| {
        let _ = stream.write_all(bytes);
    })
}

/// Sends a head with these fields, and a body.
fn answer(fields: &str, body: &str) -> Deed {
    let bytes = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{body}");
    say(bytes.into_bytes().leak())
}

/// Sends `head`, then `again` until the client closes.
fn flood(head: &'static [u8], again: &'static [u8]) -> Deed {
    Box::new(move |mut stream| {
        let mut going = stream.write_all(head);
        while going.is_ok() {
            going = stream.write_all(again);
        }
    })
}

/// Sends an answer byte by byte, slowly and without end: always alive, never complete.
fn drip(bytes: &'static [u8]) -> Deed {
    Box::new(move |mut stream| {
        for byte in bytes.iter().cycle() {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    })
}

/// Sends `bytes`, then resets the connection or says nothing more.
fn end_by(bytes: &'static [u8], end: fn(TcpStream)) -> Deed {
    Box::new(move |mut stream| {
        let _ = stream.write_all(bytes);
        end(stream);
    })
}

const HALF: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHola";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const MUCH: &[u8] = &[b'x'; 4096];
const GREETING: &str = "Hola, cliente!";

/// Cause and phase.
type Class = (&'static str, &'static str);

const PARSE: Class = ("parse", "head");
const LENGTH: Class = ("unclear_length", "head");
const TOO_LONG: Class = ("head_too_long", "head");
const CHUNK: Class = ("broken_chunk", "mid_body");
const BUSY: Class = ("status_503", "head");
const LATE: Class = ("timeout", "mid_body");
const WRONG: Class = ("bad_body", "mid_body");
const SHORT: Class = ("closed_early", "mid_body");

/// Servers, each with the class under which it must be counted.
fn failing() -> Vec<(&'static str, Class, Deed)> {
    let huge_field = format!("Content-Length: 0\r\nX: {}", "y".repeat(20_000));
    vec![
        ("no answer, but a close", ("closed_early", "before_first_byte"), say(b"")),
        ("no answer, but a reset", ("reset", "before_first_byte"), end_by(b"", |stream| reset(&stream))),
        ("no answer", ("timeout", "before_first_byte"), end_by(b"", silence)),
        ("a reset in the body", ("reset", "mid_body"), end_by(HALF, |stream| reset(&stream))),
        ("another body of the right length", WRONG, answer("Content-Length: 14", "Hola, CLIENTE!")),
        ("a length beyond what comes", SHORT, answer("Content-Length: 99", GREETING)),
        ("a length below what comes", WRONG, answer("Content-Length: 4\r\nConnection: close", GREETING)),
        ("a length below zero", LENGTH, answer("Content-Length: -14", GREETING)),
        ("a length beyond 64 bits", LENGTH, answer("Content-Length: 99999999999999999999", GREETING)),
        ("a length of all 64 bits", LATE, flood(b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n", MUCH)),
        ("two lengths", LENGTH, answer("Content-Length: 14\r\nContent-Length: 15", GREETING)),
        ("a length and a coding", LENGTH, answer("Content-Length: 14\r\nTransfer-Encoding: chunked", "0\r\n\r\n")),
        ("no length, no end", LATE, flood(b"HTTP/1.1 200 OK\r\n\r\n", MUCH)),
        ("an endless field", TOO_LONG, flood(b"HTTP/1.1 200 OK\r\nX: ", MUCH)),
        ("endless fields", TOO_LONG, flood(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")),
        ("a head of 20 kB", TOO_LONG, answer(&huge_field, "")),
        ("half a head", ("closed_early", "head"), say(b"HTTP/1.1 200 OK\r\nContent-Le")),
        ("a slow head", ("timeout", "head"), drip(b"HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy")),
        ("endless interim answers", ("interim", "head"), flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
        ("a switch of protocol", ("interim", "head"), say(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")),
        ("a garbage status line", PARSE, say(b"\x00\xff\x13\x37 nope\r\n\r\n")),
        ("another protocol", PARSE, say(b"SSH-2.0-OpenSSH_9.2\r\n")),
        ("a chunk beyond 64 bits", CHUNK, answer("Transfer-Encoding: chunked", "fffffffffffffffff\r\n")),
        ("an endless extension of a chunk", CHUNK, flood(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", MUCH)),
        ("endless chunks", LATE, flood(CHUNKED, b"1\r\nx\r\n")),
        ("a bad status", ("status_500", "head"), say(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
        ("a bad status with a length and a coding", BUSY, say(b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        ("a bad status with a broken body", BUSY, say(b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\nbusy")),
        ("a bad status with half a body", BUSY, say(b"HTTP/1.1 503 Busy\r\nContent-Length: 99\r\n\r\nbusy")),
        ("a bad status without an end", BUSY, end_by(b"HTTP/1.1 503 Busy\r\nContent-Length: 99\r\n\r\n", silence)),
        ("not modified, with a length and a coding", ("status_304", "head"), say(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 14\r\nTransfer-Encoding: gzip\r\n\r\n")),
        ("two answers", WRONG, say([KEEP, KEEP].concat().leak())),
    ]
}

#[test]
fn every_class_of_failure_is_counted_exactly() {
    for (name, (cause, phase), deed) in failing() {
        let deed = after_request(deed);
        let server = Truth::start(move |_, stream| deed(stream));
        for engine in engines() {
            let mut workload = load_by(engine, server.address, 2, 4);
            workload.timeout = Duration::from_millis(250);
            let measurement = measure(&workload);
            let counts = &measurement.summary.counts;
            let seen = failed(&measurement, cause, phase);
            assert_eq!(seen, 4, "{name}, {engine:?}: {counts:?}");
            let body = check(&measurement, CheckName::Body);
            assert_eq!(body, cause != "bad_body", "{name}, {engine:?}");
        }
    }
}

#[test]
fn right_answers_are_accepted_however_they_come() {
    let byte_by_byte: Deed = Box::new(|mut stream| {
        for byte in CLOSE {
            stream.write_all(&[*byte]).unwrap();
            thread::yield_now();
        }
    });
    let before_the_request: Deed = Box::new(|mut stream| {
        let _ = stream.write_all(CLOSE);
        request(&mut stream);
    });
    let chunks = "5\r\nHola,\r\n9;x=y\r\n cliente!\r\n0\r\nA: b\r\n\r\n";
    let in_chunks = answer("Transfer-Encoding: chunked", chunks);
    let until_close = answer("A: b", GREETING);
    for (name, deed) in [
        ("byte by byte", after_request(byte_by_byte)),
        ("ended by the close", after_request(until_close)),
        ("in chunks", after_request(in_chunks)),
        // It looks like a quick answer: it is accepted, and the generator does not hang.
        ("before the request", before_the_request),
    ] {
        let server = Truth::start(move |_, stream| deed(stream));
        for engine in engines() {
            let measurement = measure(&load_by(engine, server.address, 2, 20));
            let counts = &measurement.summary.counts;
            assert_eq!(counts.ok, 20, "{name}, {engine:?}: {counts:?}");
        }
    }
}

#[test]
fn a_flood_does_not_fill_the_memory() {
    const MIB: u64 = 1 << 20;
    const PIECE: &[u8] = &[b'x'; 16384];
    for (head, again) in [
        (b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), PIECE.to_vec()),
        (b"HTTP/1.1 200 OK\r\nX: ", PIECE.to_vec()),
        (CHUNKED, [b"4000\r\n".as_slice(), PIECE, b"\r\n"].concat()),
    ] {
        let sent = Arc::new(AtomicU64::new(0));
        let server = Truth::start({
            let sent = Arc::clone(&sent);
            move |_, mut stream| {
                request(&mut stream);
                let mut going = stream.write_all(head);
                while going.is_ok() {
                    going = stream.write_all(&again);
                    sent.fetch_add(again.len() as u64, Ordering::Relaxed);
                }
            }
        });
        let mut generator = Command::new(env!("CARGO_BIN_EXE_hola-load"))
            .args([&server.address.to_string(), "--clients=8", "--duration=10m"])
            .args(["--warmup=0s", "--timeout=10s", "--expect-body=any"])
            .stdout(Stdio::null())
            .spawn()
            .expect("the program runs");
        while sent.load(Ordering::Relaxed) < 256 * MIB {
            thread::sleep(Duration::from_millis(5));
        }
        let status = fs::read_to_string(format!("/proc/{}/status", generator.id()));
        generator.kill().expect("it is there");
        generator.wait().expect("it is a child");
        let status = status.expect("it is still there");
        let peak_kib: Option<u64> = status.lines().find_map(|line| {
            let peak = line.strip_prefix("VmHWM:")?;
            peak.split_whitespace().next()?.parse().ok()
        });
        let peak_kib = peak_kib.expect("a peak");
        assert!(
            peak_kib < 32 * 1024,
            "{peak_kib} KiB after 256 MiB of answers"
        );
    }
}
