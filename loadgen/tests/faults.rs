//! Failures that need more than a plan: no listener, a wrong body, a right body in an unusual framing.
//!
//! `proof.rs` checks the failures of a plan, `hostile.rs` those of hostile servers.

mod truth;

use std::net::TcpListener;

use hola_loadgen::summary::CheckName;
use truth::{CLOSE, Truth, answer_once, check, failed, load, measure};

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
        check(&measurement, CheckName::LittlesLaw),
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
    assert!(!check(&measurement, CheckName::Body));
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
