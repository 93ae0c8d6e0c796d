//! The delays of TCP's own timers are named. Apart from the other tests: the kernel's counters are the whole host's.

mod truth;

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use hola_loadgen::summary::Check;
use hola_loadgen::{Measurement, Unobserved};
use socket2::{Domain, Socket, Type};
use truth::{CLOSE, Truth, answer_once, load};

fn named<'m>(measurement: &'m Measurement, name: &str) -> &'m Check {
    let mut checks = measurement.summary.validity.iter();
    checks.find(|check| check.check == name).expect(name)
}

/// A listener whose accept queue is full, and the connections that fill it.
fn stalled_listener() -> (TcpListener, SocketAddr, Vec<TcpStream>) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    listener.listen(1).unwrap();
    let listener = TcpListener::from(listener);
    let address = listener.local_addr().unwrap();
    // A queue of 1 is full when it holds more than one.
    let queued = (0..2).map(|_| TcpStream::connect(address).unwrap());
    let queued = queued.collect();
    (listener, address, queued)
}

/// Connections to `address` whose SYN has not been answered, as the kernel lists them (state 02).
fn unanswered_syns(address: SocketAddr) -> usize {
    let remote = format!("0100007F:{:04X}", address.port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields[2] == remote && fields[3] == "02")
        .count()
}

#[test]
fn requests_that_waited_for_a_repeated_syn_are_counted_and_named() {
    const CLIENTS: u32 = 3;
    let (listener, address, queued) = stalled_listener();
    let server = thread::spawn(move || {
        let give_up = Instant::now() + Duration::from_secs(20);
        while unanswered_syns(address) < CLIENTS as usize {
            assert!(Instant::now() < give_up, "no SYN was left unanswered");
        }
        // The door opens: those who were turned away come back when their timers say so.
        for _ in 0..queued.len() + CLIENTS as usize {
            let (stream, _) = listener.accept().unwrap();
            thread::spawn(move || answer_once(stream, CLOSE));
        }
        drop(queued);
    });
    let measurement =
        hola_loadgen::run(&load(address, CLIENTS, u64::from(CLIENTS)), &Unobserved).unwrap();
    server.join().unwrap();
    assert_eq!(measurement.summary.counts.ok, u64::from(CLIENTS));
    let modes = named(&measurement, "modes");
    assert!(!modes.ok);
    assert!(
        modes
            .detail
            .starts_with("3 of 3 connections were delayed by SYN retransmission: 3 took about 1 s"),
        "{}",
        modes.detail
    );
    let kernel = named(&measurement, "kernel_evidence");
    assert!(!kernel.ok, "{}", kernel.detail);
    let counted = measurement.summary.kernel.unwrap();
    assert!(counted.listen_overflows >= 3 && counted.syn_retransmissions >= 3);
}

#[test]
fn answers_held_back_by_nagles_algorithm_are_named_with_their_share() {
    let (head, body) = truth::KEEP.split_at(truth::KEEP.len() - 14);
    let server = Truth::start(move |_, mut stream| {
        // Two small writes, and the second waits for the first one's acknowledgement.
        stream.set_nodelay(false).unwrap();
        while truth::request(&mut stream) {
            if stream
                .write_all(head)
                .and_then(|()| stream.write_all(body))
                .is_err()
            {
                return;
            }
        }
    });
    let mut workload = load(server.address, 4, 160);
    workload.requests_per_connection = None;
    let measurement = truth::measure(&workload);
    let modes = named(&measurement, "modes");
    assert!(
        modes.ok
            && modes
                .detail
                .contains("40 ms late with their last byte: delayed acknowledgements (Nagle)"),
        "{} {:?}",
        modes.detail,
        measurement.summary.latency_us
    );
}
