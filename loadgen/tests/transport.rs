//! The delays of TCP's own timers are reported. A separate program, because the kernel's counters are those of the
//! whole host.

mod truth;

use std::cell::Cell;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use hola_loadgen::summary::{Check, CheckName};
use hola_loadgen::{Measurement, Observer, Progress};
use socket2::{Domain, Socket, Type};
use truth::{CLOSE, Truth, answer_once, load};

fn named(measurement: &Measurement, name: CheckName) -> &Check {
    let mut checks = measurement.summary.validity.iter();
    checks
        .find(|check| check.check == name)
        .expect("every load has it")
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
    // With a backlog of 1, the queue is full when it holds two connections.
    let queued = (0..2).map(|_| TcpStream::connect(address).unwrap());
    let queued = queued.collect();
    (listener, address, queued)
}

/// Starts to accept on a stalled listener once all clients try to connect; they try again when their timers expire.
struct OpenListener {
    closed: Cell<Option<(TcpListener, Vec<TcpStream>)>>,
    clients: u32,
}

impl Observer for OpenListener {
    fn progress(&self, progress: &Progress) {
        if progress.in_flight < u64::from(self.clients) {
            return;
        }
        if let Some((listener, queued)) = self.closed.take() {
            // It ends with the test's process.
            thread::spawn(move || {
                drop(queued);
                for stream in listener.incoming().flatten() {
                    thread::spawn(move || answer_once(stream, CLOSE));
                }
            });
        }
    }
}

#[test]
fn requests_that_waited_for_a_repeated_syn_are_counted_and_named() {
    const CLIENTS: u32 = 3;
    let (listener, address, queued) = stalled_listener();
    let listener_address = OpenListener {
        closed: Cell::new(Some((listener, queued))),
        clients: CLIENTS,
    };
    let mut workload = load(address, CLIENTS, u64::from(CLIENTS));
    workload.timeout = Duration::from_secs(60);
    let measurement = hola_loadgen::run(&workload, &listener_address).unwrap();
    assert_eq!(measurement.summary.counts.ok, u64::from(CLIENTS));
    // Which SYN retransmission succeeds depends on when the server starts to accept.
    let modes = named(&measurement, CheckName::Modes);
    assert!(
        !modes.ok
            && modes
                .detail
                .contains("of 3 connections were delayed by SYN retransmission"),
        "{} {:?}",
        modes.detail,
        measurement.summary.latency_us.connect
    );
    let kernel = named(&measurement, CheckName::KernelEvidence);
    assert!(!kernel.ok, "{}", kernel.detail);
    let counted = measurement.summary.kernel.unwrap();
    assert!(
        counted.listen_overflows >= u64::from(CLIENTS)
            && counted.syn_retransmissions >= u64::from(CLIENTS)
    );
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
    let modes = named(&measurement, CheckName::Modes);
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
