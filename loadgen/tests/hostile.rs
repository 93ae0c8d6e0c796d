//! Failures of hostile servers are counted by their cause; these servers neither hang the generator nor fill its
//! memory.

mod truth;

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use truth::{CLOSE, KEEP, Truth, load, measure, request, reset, silence};

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What a server does with a connection.
type Deed = Box<dyn Fn(TcpStream) + Send + Sync>;

struct Hostile {
    name: &'static str,
    deed: Deed,
    /// Cause and phase under which it must be counted.
    counted: (&'static str, &'static str),
}

fn hostile(
    name: &'static str,
    counted: (&'static str, &'static str),
    deed: impl Fn(TcpStream) + Send + Sync + 'static,
) -> Hostile {
    Hostile {
        name,
        deed: Box::new(deed),
        counted,
    }
}

/// Sends `head`, then `again` until the client closes.
fn flood(head: &'static [u8], again: &'static [u8]) -> impl Fn(TcpStream) {
    move |mut stream| {
        let mut going = stream.write_all(head);
        while going.is_ok() {
            going = stream.write_all(again);
        }
    }
}

/// Sends `bytes` and closes.
fn say(bytes: &'static [u8]) -> impl Fn(TcpStream) {
    move |mut stream| {
        let _ = stream.write_all(bytes);
    }
}

/// Sends an answer byte by byte, slowly and without end: always alive, never complete.
fn drip(bytes: &'static [u8]) -> impl Fn(TcpStream) {
    move |mut stream| {
        for byte in bytes.iter().cycle() {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

const PARSE: (&str, &str) = ("parse", "head");
const LENGTH: (&str, &str) = ("unclear_length", "head");
const TOO_LONG: (&str, &str) = ("head_too_long", "head");
const CHUNK: (&str, &str) = ("broken_chunk", "mid_body");
const BUSY: (&str, &str) = ("status_503", "head");
const LATE: (&str, &str) = ("timeout", "mid_body");
const WRONG: (&str, &str) = ("bad_body", "mid_body");

fn all() -> Vec<Hostile> {
    vec![
        hostile("no length, no end", LATE, flood(b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4096])),
        hostile(
            "a length beyond what comes",
            ("closed_early", "mid_body"),
            say(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHola, cliente!"),
        ),
        hostile(
            "a length below what comes",
            WRONG,
            say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nHola, cliente!"),
        ),
        hostile(
            "a length below zero",
            LENGTH,
            say(b"HTTP/1.1 200 OK\r\nContent-Length: -14\r\n\r\nHola, cliente!"),
        ),
        hostile(
            "a length beyond 64 bits",
            LENGTH,
            say(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nHola, cliente!"),
        ),
        hostile(
            "a length of all 64 bits",
            LATE,
            flood(
                b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
                &[b'x'; 4096],
            ),
        ),
        hostile(
            "two lengths",
            LENGTH,
            say(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nContent-Length: 15\r\n\r\nHola, cliente!"),
        ),
        hostile(
            "an endless field",
            TOO_LONG,
            flood(b"HTTP/1.1 200 OK\r\nX: ", &[b'x'; 4096]),
        ),
        hostile("endless fields", TOO_LONG, flood(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")),
        hostile("endless interim answers", ("interim", "head"), flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
        hostile("a chunk beyond 64 bits", CHUNK, |mut stream: TcpStream| {
            let _ = stream.write_all(&[CHUNKED, b"fffffffffffffffff\r\n"].concat());
        }),
        hostile("an endless extension of a chunk", CHUNK, |mut stream: TcpStream| {
            let _ = stream.write_all(CHUNKED);
            flood(b"1;", &[b'x'; 4096])(stream);
        }),
        hostile("endless chunks", LATE, |mut stream: TcpStream| {
            let _ = stream.write_all(CHUNKED);
            flood(b"", b"1\r\nx\r\n")(stream);
        }),
        hostile("a slow head", ("timeout", "head"), drip(b"HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy")),
        hostile("a garbage status line", PARSE, say(b"\x00\xff\x13\x37 nope\r\n\r\n")),
        hostile("another protocol", PARSE, say(b"SSH-2.0-OpenSSH_9.2\r\n")),
        hostile("a switch of protocol", ("interim", "head"), say(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")),
        hostile("a head of 20 kB", TOO_LONG, |mut stream: TcpStream| {
            let field = format!("X: {}\r\n", "y".repeat(20_000));
            let head = ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", &field, "\r\n"].concat();
            let _ = stream.write_all(head.as_bytes());
        }),
        hostile(
            "half a head",
            ("closed_early", "head"),
            say(b"HTTP/1.1 200 OK\r\nContent-Le"),
        ),
        hostile(
            "a length and a coding",
            LENGTH,
            say(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        hostile(
            "a bad status with a length and a coding",
            BUSY,
            say(b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        hostile(
            "a bad status with a broken body",
            BUSY,
            say(b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\nbusy"),
        ),
        hostile(
            "a bad status with half a body",
            BUSY,
            say(b"HTTP/1.1 503 Busy\r\nContent-Length: 99\r\n\r\nbusy"),
        ),
        hostile("a bad status without an end", BUSY, |mut stream: TcpStream| {
            let _ = stream.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 99\r\n\r\n");
            silence(stream);
        }),
        hostile(
            "not modified, with a length and a coding",
            ("status_304", "head"),
            say(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 14\r\nTransfer-Encoding: gzip\r\n\r\n"),
        ),
        hostile("two answers", WRONG, |mut stream: TcpStream| {
            let _ = stream.write_all(&[KEEP, KEEP].concat());
        }),
        hostile("a reset", ("reset", "before_first_byte"), |stream| {
            reset(&stream);
        }),
        hostile(
            "silence",
            ("timeout", "before_first_byte"),
            silence,
        ),
    ]
}

#[test]
fn hostile_servers_are_counted_by_what_they_did() {
    for Hostile {
        name,
        deed,
        counted,
    } in all()
    {
        let server = Truth::start(move |_, mut stream| {
            request(&mut stream);
            deed(stream);
        });
        let mut workload = load(server.address, 2, 4);
        workload.timeout = Duration::from_millis(250);
        let counts = measure(&workload).summary.counts;
        let (cause, phase) = counted;
        let seen = counts
            .failed
            .get(cause)
            .and_then(|phases| phases.get(phase));
        assert_eq!(seen, Some(&4), "{name}: {counts:?}");
    }
}

/// An early answer looks like a quick one: the generator accepts it and does not hang.
#[test]
fn an_answer_that_comes_before_the_request_is_an_answer() {
    let server = Truth::start(|_, mut stream| {
        let _ = stream.write_all(CLOSE);
        request(&mut stream);
    });
    assert_eq!(measure(&load(server.address, 2, 20)).summary.counts.ok, 20);
}

#[test]
fn a_flood_does_not_fill_the_memory() {
    const MIB: u64 = 1 << 20;
    for (head, again) in [
        (
            b"HTTP/1.1 200 OK\r\n\r\n".as_slice(),
            [b'x'; 16384].as_slice(),
        ),
        (b"HTTP/1.1 200 OK\r\nX: ", &[b'x'; 16384]),
        (
            CHUNKED,
            &[b"4000\r\n".as_slice(), &[b'x'; 16384], b"\r\n"].concat(),
        ),
    ] {
        let (head, again) = (head.to_vec(), again.to_vec());
        let sent = Arc::new(AtomicU64::new(0));
        let server = Truth::start({
            let sent = Arc::clone(&sent);
            move |_, mut stream| {
                request(&mut stream);
                let mut going = stream.write_all(&head);
                while going.is_ok() {
                    going = stream.write_all(&again);
                    sent.fetch_add(again.len() as u64, Ordering::Relaxed);
                }
            }
        });
        let mut generator = Command::new(env!("CARGO_BIN_EXE_hola-load"))
            .args([&server.address.to_string(), "--clients=8", "--duration=10m"])
            .args(["--warmup=0s", "--timeout=10s", "--any-body"])
            .stdout(Stdio::null())
            .spawn()
            .expect("the program runs");
        while sent.load(Ordering::Relaxed) < 256 * MIB {
            thread::sleep(Duration::from_millis(5));
        }
        let status = fs::read_to_string(format!("/proc/{}/status", generator.id()));
        generator.kill().expect("it is there");
        generator.wait().expect("it is a child");
        let peak_kib: u64 = status
            .expect("it is still there")
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmHWM:")?
                    .split_whitespace()
                    .next()?
                    .parse()
                    .ok()
            })
            .expect("a peak");
        assert!(
            peak_kib < 32 * 1024,
            "{peak_kib} KiB after 256 MiB of answers"
        );
    }
}
