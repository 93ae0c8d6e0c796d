//! Failures are counted by cause and phase, exactly, and hostile servers neither hang nor bloat the generator.

mod truth;

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use truth::{CLOSE, Truth, answer_once, check, failed, load, measure, reset_after, silence};

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n";

#[test]
fn counts_every_fault_by_cause_and_phase_exactly() {
    let server = Truth::start(|id, stream| match id % 8 {
        0 => answer_once(stream, CLOSE),
        1 => reset_after(stream, b""),
        2 => reset_after(stream, &[HEAD, b"Hola"].concat()),
        3 => answer_once(stream, b""),
        4 => answer_once(
            stream,
            b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops",
        ),
        5 => answer_once(stream, &[HEAD, b"Hola"].concat()),
        6 => silence(stream),
        _ => answer_once(stream, b"NOPE\r\n\r\n"),
    });
    let mut workload = load(server.address, 8, 80);
    workload.timeout = Duration::from_millis(200);
    let measurement = measure(&workload);
    assert_eq!(server.accepted(), 80);
    assert_eq!(measurement.summary.counts.ok, 10);
    for (cause, phase) in [
        ("reset", "before_first_byte"),
        ("reset", "mid_body"),
        ("closed_early", "before_first_byte"),
        ("status_500", "mid_body"),
        ("closed_early", "mid_body"),
        ("timeout", "before_first_byte"),
        ("parse", "mid_body"),
    ] {
        assert_eq!(
            failed(&measurement, cause, phase),
            10,
            "{cause} {phase}: {:?}",
            measurement.summary.counts
        );
    }
    assert!(!check(&measurement, "failures"));
    assert!(
        check(&measurement, "littles_law"),
        "{:?}",
        measurement.summary.validity
    );
    assert_eq!(
        measurement.summary.latency_us.response.censored,
        ["p50", "max"]
    );
}

#[test]
fn counts_refused_connections_and_keeps_trying_with_every_client() {
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let measurement = measure(&load(address, 4, 24));
    assert_eq!(failed(&measurement, "refused", "connect"), 24);
    assert_eq!(measurement.summary.rates.good_per_s, 0.0);
    assert!(
        check(&measurement, "littles_law"),
        "{:?}",
        measurement.summary.validity
    );
}

#[test]
fn tells_a_wrong_body_from_a_right_one() {
    let server = Truth::start(|id, stream| {
        let right = id % 2 == 0;
        answer_once(
            stream,
            if right {
                CLOSE
            } else {
                b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHola, CLIENTE!"
            },
        );
    });
    let measurement = measure(&load(server.address, 2, 40));
    assert_eq!(failed(&measurement, "bad_body", "mid_body"), 20);
    assert!(!check(&measurement, "body"));
}

#[test]
fn survives_hostile_servers_and_says_what_they_did() {
    let flood = |head: &'static [u8], again: &'static [u8]| {
        Truth::start(move |_, mut stream| {
            truth::request(&mut stream);
            let mut going = stream.write_all(head);
            while going.is_ok() {
                going = stream.write_all(again);
            }
        })
    };
    let endless_field = flood(b"HTTP/1.1 200 OK\r\nX: ", &[b'x'; 4096]);
    let endless_fields = flood(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n");
    let endless_body = flood(b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4096]);
    let endless_extension = flood(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        &[b'x'; 4096],
    );
    let endless_chunks = flood(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"1\r\nx\r\n",
    );
    let endless_interim = flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n");
    let once = |bytes: &'static [u8]| Truth::start(move |_, stream| answer_once(stream, bytes));
    let huge_chunk =
        once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n");
    let two_lengths =
        once(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nContent-Length: 15\r\n\r\nHola, cliente!");
    let too_long = once(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHola, cliente!");
    let mute = Truth::start(|_, stream| silence(stream));
    for (server, cause, phase) in [
        (&endless_field, "parse", "mid_body"),
        (&endless_fields, "parse", "mid_body"),
        (&endless_body, "timeout", "mid_body"),
        (&endless_extension, "parse", "mid_body"),
        (&endless_chunks, "timeout", "mid_body"),
        (&endless_interim, "parse", "mid_body"),
        (&huge_chunk, "parse", "mid_body"),
        (&two_lengths, "parse", "mid_body"),
        (&too_long, "closed_early", "mid_body"),
        (&mute, "timeout", "before_first_byte"),
    ] {
        let mut workload = load(server.address, 2, 4);
        workload.timeout = Duration::from_millis(250);
        let measurement = measure(&workload);
        assert_eq!(
            failed(&measurement, cause, phase),
            4,
            "{cause}: {:?}",
            measurement.summary.counts
        );
    }
}

#[test]
fn accepts_a_body_that_ends_with_the_connection_or_comes_in_chunks() {
    let bodies: [&'static [u8]; 2] = [
        b"HTTP/1.1 200 OK\r\n\r\nHola, cliente!",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHola,\r\n9;x=y\r\n cliente!\r\n0\r\nA: b\r\n\r\n",
    ];
    for body in bodies {
        let server = Truth::start(move |_, stream| answer_once(stream, body));
        assert_eq!(measure(&load(server.address, 2, 10)).summary.counts.ok, 10);
    }
}
