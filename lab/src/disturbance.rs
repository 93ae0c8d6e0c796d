//! Disturbances beside a load, on the same server and from this process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::mpsc::{self, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hola_base::process::Cpus;
use hola_loadgen::schedule::Schedule;
use hola_loadgen::summary::Arrivals;

use crate::plan::Disturbance;
use crate::procedures::client::{self, ClientRequest, connect_idle};

/// A running disturbance. Dropping it ends it and closes its connections.
#[derive(Debug, Default)]
pub(crate) struct RunningDisturbance {
    /// A slice is shorter than a server's deadline for a head, so the server closes none of them during it.
    #[allow(dead_code, reason = "kept only to be dropped")]
    slow_clients: Vec<TcpStream>,
    /// Sends the other requests.
    thread: Option<JoinHandle<()>>,
    /// Dropping it tells the thread to end.
    stop: Option<mpsc::Sender<()>>,
}

impl RunningDisturbance {
    /// Starts it on the server at `address`, from threads on `generator_cpus`, for no longer than `at_most`. Slow
    /// clients are connected when it returns.
    pub(crate) fn start(
        disturbance: &Disturbance,
        address: SocketAddr,
        generator_cpus: &[usize],
        at_most: Duration,
        seed: u64,
    ) -> Result<Self, String> {
        let mut running = RunningDisturbance::default();
        match disturbance {
            Disturbance::SlowClients { clients } => {
                let connect = |_| connect_idle(Ipv4Addr::LOCALHOST, address);
                let connected = (0..*clients).map(connect).collect::<io::Result<_>>();
                running.slow_clients = connected
                    .map_err(|error| format!("{clients} slow clients cannot connect: {error}"))?;
            }
            Disturbance::OtherRequests { path, rate_per_s } => {
                let schedule = Schedule::new(Arrivals::Poisson, *rate_per_s, seed);
                let (path, cpus) = (path.clone(), Cpus::from(generator_cpus));
                let (stop, stopped) = mpsc::channel();
                let send = move || {
                    // The thread also works on other CPUs.
                    let _ = cpus.run_on();
                    send_at_instants(address, &path, schedule, at_most, || {
                        stopped.try_recv() == Err(TryRecvError::Disconnected)
                    });
                };
                let thread = thread::Builder::new().name("beside".into()).spawn(send);
                let thread = thread.map_err(|error| format!("cannot start a thread: {error}"))?;
                running.thread = Some(thread);
                running.stop = Some(stop);
            }
        }
        Ok(running)
    }
}

impl Drop for RunningDisturbance {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread itself has reported a panic.
            let _ = thread.join();
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
    is_stopped: impl Fn() -> bool,
) {
    let started = Instant::now();
    let mut instants = schedule.instants().map(Duration::from_nanos).peekable();
    let mut requests: Vec<ClientRequest> = Vec::new();
    while started.elapsed() < at_most && !is_stopped() {
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

    fn start(
        disturbance: &Disturbance,
        listener: &TcpListener,
    ) -> Result<RunningDisturbance, String> {
        let address = listener.local_addr().expect("an address");
        RunningDisturbance::start(disturbance, address, &[], Duration::from_secs(60), 1)
    }

    #[test]
    fn slow_clients_have_sent_half_a_head_and_leave_when_they_are_dropped() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let beside = start(&Disturbance::SlowClients { clients: 3 }, &listener).expect("started");
        let mut sockets = [0, 1, 2].map(|_| listener.accept().expect("a client").0);
        drop(beside);
        for socket in &mut sockets {
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
        let beside = start(&requests, &listener).expect("started");
        let sockets = [0, 1, 2].map(|_| listener.accept().expect("a client").0);
        let mut line = [0; 15];
        for mut socket in &sockets {
            socket.read_exact(&mut line).expect("a request");
            assert_eq!(&line, b"GET /wait/10000");
        }
        let began = Instant::now();
        drop(beside);
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn slow_clients_of_no_server_are_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let slow = Disturbance::SlowClients { clients: 1 };
        let refused = RunningDisturbance::start(&slow, address, &[], Duration::from_secs(1), 1);
        let reason = refused.expect_err("nobody listens");
        assert!(reason.contains("cannot connect"), "{reason}");
    }
}
