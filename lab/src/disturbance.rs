//! Disturbances beside a load, on the same server and from this process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hola_base::process::Cpus;
use hola_loadgen::schedule::Schedule;
use hola_loadgen::summary::Arrivals;

use crate::plan::Disturbance;
use crate::procedures::client::{self, ClientRequest, connect_idle};

/// Runs `load` beside a disturbance of the server at `address`, from threads on `generator_cpus`, for no longer than
/// `at_most`. Slow clients are connected before, and leave after it.
pub(crate) fn beside<T>(
    disturbance: &Disturbance,
    address: SocketAddr,
    generator_cpus: &[usize],
    at_most: Duration,
    seed: u64,
    load: impl FnOnce() -> T,
) -> Result<T, String> {
    match disturbance {
        Disturbance::SlowClients { clients } => {
            let connect = |_| connect_idle(Ipv4Addr::LOCALHOST, address);
            let connected = (0..*clients).map(connect).collect::<io::Result<_>>();
            // A slice is shorter than a server's deadline for a head, so the server closes none of them during it.
            let _slow_clients: Vec<TcpStream> = connected
                .map_err(|error| format!("{clients} slow clients cannot connect: {error}"))?;
            Ok(load())
        }
        Disturbance::OtherRequests { path, rate_per_s } => {
            let schedule = Schedule::new(Arrivals::Poisson, *rate_per_s, seed);
            let is_over = AtomicBool::new(false);
            let send = || {
                // The thread also works on other CPUs.
                let _ = Cpus::from(generator_cpus).run_on();
                send_at_instants(address, path, schedule, at_most, &is_over);
            };
            thread::scope(|scope| {
                let thread = thread::Builder::new().name("beside".into());
                let thread = thread.spawn_scoped(scope, send);
                let thread = thread.map_err(|error| format!("cannot start a thread: {error}"))?;
                let result = load();
                is_over.store(true, Ordering::Relaxed);
                // The thread itself has reported a panic.
                let _ = thread.join();
                Ok(result)
            })
        }
    }
}

/// Sends requests at planned instants, each on its own connection. It does not record the answers, so it starts and ends
/// in a few milliseconds, where a measured load takes a tenth of a second.
fn send_at_instants(
    address: SocketAddr,
    path: &str,
    schedule: Schedule,
    at_most: Duration,
    is_over: &AtomicBool,
) {
    let started = Instant::now();
    let mut instants = schedule.instants().map(Duration::from_nanos).peekable();
    let mut requests: Vec<ClientRequest> = Vec::new();
    while started.elapsed() < at_most && !is_over.load(Ordering::Relaxed) {
        while instants.next_if(|due| *due <= started.elapsed()).is_some() {
            // A request whose connection cannot be started is lost.
            requests.extend(ClientRequest::start(address, path, None));
        }
        let next = instants.peek().copied().unwrap_or(at_most);
        if client::advance(&mut requests, next.saturating_sub(started.elapsed())).is_err() {
            return;
        }
        requests.retain(|request| !request.has_ended());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    fn run<T>(
        disturbance: &Disturbance,
        listener: &TcpListener,
        load: impl FnOnce() -> T,
    ) -> Result<T, String> {
        let address = listener.local_addr().expect("an address");
        beside(disturbance, address, &[], Duration::from_secs(60), 1, load)
    }

    fn three_clients(listener: &TcpListener) -> [TcpStream; 3] {
        [0, 1, 2].map(|_| listener.accept().expect("a client").0)
    }

    #[test]
    fn slow_clients_have_sent_half_a_head_and_leave_at_the_end() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let slow = Disturbance::SlowClients { clients: 3 };
        let sockets = run(&slow, &listener, || three_clients(&listener)).expect("connected");
        for mut socket in sockets {
            let mut head = Vec::new();
            // A reset ends the read, after the bytes or instead of them.
            let _ = socket.read_to_end(&mut head);
            assert!(!head.ends_with(b"\r\n\r\n"));
        }
    }

    #[test]
    fn other_requests_come_without_waiting_for_answers_and_end_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let requests = Disturbance::OtherRequests {
            path: "/wait/10000".into(),
            rate_per_s: 500.0,
        };
        let load = || {
            let sockets = three_clients(&listener);
            let mut line = [0; 15];
            for mut socket in &sockets {
                socket.read_exact(&mut line).expect("a request");
                assert_eq!(&line, b"GET /wait/10000");
            }
            (sockets, Instant::now())
        };
        let (_sockets, over) = run(&requests, &listener, load).expect("started");
        assert!(over.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn slow_clients_of_no_server_are_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let slow = Disturbance::SlowClients { clients: 1 };
        let refused = beside(&slow, address, &[], Duration::from_secs(1), 1, || ());
        let reason = refused.expect_err("nobody listens");
        assert!(reason.contains("cannot connect"), "{reason}");
    }
}
