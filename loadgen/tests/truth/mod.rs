//! Servers that record what they did: the truth that measurements are compared with. One kind serves each connection
//! with a function of the test; [`planned::Planned`] follows a plan and keeps a log.
#![allow(dead_code)] // each test file uses its part

mod connection;
pub(crate) mod log;
pub(crate) mod plan;
pub(crate) mod planned;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hola_loadgen::summary::{Arrivals, Check, CheckName, Summary};
use hola_loadgen::{Engine, Measurement, NoObserver, Pace, Stop, Workload};

/// The right answer on a kept connection, and on one that ends.
pub(crate) const KEEP: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHola, cliente!";
pub(crate) const CLOSE: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\nHola, cliente!";

/// A server with a thread of its own for each connection.
pub(crate) struct Truth {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Truth {
    /// Serves every connection with `converse`, which also gets the connection's number, from zero.
    pub(crate) fn start(converse: impl Fn(u64, TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let converse = Arc::new(converse);
        let acceptor = thread::spawn({
            let (connections, stop) = (Arc::clone(&connections), Arc::clone(&stop));
            move || {
                for stream in listener.incoming().flatten() {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    stream.set_nodelay(true).unwrap();
                    let id = connections.fetch_add(1, Ordering::SeqCst);
                    let converse = Arc::clone(&converse);
                    thread::spawn(move || converse(id, stream));
                }
            }
        });
        Self {
            address,
            connections,
            stop,
            acceptor: Some(acceptor),
        }
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Truth {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees the flag.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join().unwrap();
        }
    }
}

/// A server that answers one request on each connection.
pub(crate) fn greeter() -> Truth {
    Truth::start(|_, stream| answer_once(stream, CLOSE))
}

/// A server that answers every request on every connection.
pub(crate) fn keeper() -> Truth {
    Truth::start(|_, stream| answer_all(stream, || {}))
}

/// Reads one request; false when the client is gone.
pub(crate) fn request(stream: &mut TcpStream) -> bool {
    let mut seen = Vec::new();
    let mut byte = [0; 1024];
    while !seen.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(0) | Err(_) => return false,
            Ok(count) => seen.extend_from_slice(&byte[..count]),
        }
    }
    true
}

/// Answers every request on a connection, doing `before` first, until the client leaves.
pub(crate) fn answer_all(mut stream: TcpStream, before: impl Fn()) {
    while request(&mut stream) {
        before();
        if stream.write_all(KEEP).is_err() {
            return;
        }
    }
}

/// Reads one request, sends `bytes` and closes in order.
pub(crate) fn answer_once(mut stream: TcpStream, bytes: &[u8]) {
    if request(&mut stream) {
        let _ = stream.write_all(bytes);
    }
}

/// Makes the next close of `stream` send a reset.
pub(crate) fn reset(stream: &TcpStream) {
    socket2::SockRef::from(stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
}

/// Sends nothing until the client closes.
pub(crate) fn silence(mut stream: TcpStream) {
    let mut sink = [0; 1024];
    while matches!(stream.read(&mut sink), Ok(1..)) {}
}

/// The engine of every [`load`], if it is not the default one.
pub(crate) static ENGINE: OnceLock<Engine> = OnceLock::new();

/// A load without warm-up that ends after `requests`.
pub(crate) fn load(address: SocketAddr, clients: u32, requests: u64) -> Workload {
    let mut workload = Workload::new(address);
    workload.pace = Pace::Closed { clients };
    workload.stop = Stop::Requests(requests);
    workload.warmup = Duration::ZERO;
    workload.engine = ENGINE.get().copied().unwrap_or_default();
    workload
}

/// The pace of an open loop.
pub(crate) fn open(rate_per_s: f64, arrivals: Arrivals) -> Pace {
    Pace::Open {
        rate_per_s,
        arrivals,
    }
}

/// Equal gaps, so that what happens is known exactly.
pub(crate) fn constant(rate_per_s: f64) -> Pace {
    open(rate_per_s, Arrivals::Constant)
}

/// Runs a load that must give a measurement, and checks its counts.
pub(crate) fn measure(workload: &Workload) -> Measurement {
    let measurement = hola_loadgen::run(workload, &NoObserver).unwrap();
    assert_books(&measurement);
    measurement
}

/// Every request is accounted for, and the check of it agrees.
pub(crate) fn assert_books(measurement: &Measurement) {
    let counts = &measurement.summary.counts;
    let sums = [
        counts.not_sent + counts.sent,
        counts.ended() + counts.in_flight_at_end,
    ];
    assert_eq!(sums, [counts.planned, counts.sent], "{counts:?}");
    let identity = check_of(&measurement.summary, CheckName::Identity);
    assert!(identity.ok, "{}", identity.detail);
}

pub(crate) fn check_of(summary: &Summary, name: CheckName) -> &Check {
    let mut checks = summary.validity.iter();
    let found = checks.find(|check| check.check == name);
    found.expect("every load has it")
}

/// Whether this check passed.
pub(crate) fn check(measurement: &Measurement, name: CheckName) -> bool {
    check_of(&measurement.summary, name).ok
}

/// Failures of this cause and phase.
pub(crate) fn failed(measurement: &Measurement, cause: &str, phase: &str) -> u64 {
    let phases = measurement.summary.counts.failed.get(cause);
    let count = phases.and_then(|phases| phases.get(phase));
    count.copied().unwrap_or(0)
}
