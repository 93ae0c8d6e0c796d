//! What listen(2)'s backlog admits: how many clients connect to a server that accepts nobody, and what becomes of the
//! others once it does.
//!
//! One client stalls the acceptor by saying half a head and no more. Then more clients than the backlog connect at once.
//! The kernel answers those that its queue has room for; of the others it drops the first packet, and their own kernel
//! repeats it after 1 s, then after 3 s. Half a second later the stall ends, and everybody connected is answered.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use hola_loadgen::kernel;
use hola_loadgen::response::{Progress, Response};
use hola_loadgen::workload::GREETING;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::SockFlag;

use super::client::{HALF_A_HEAD, connect_from, is_greeted, reset_on_close};
use super::{Procedure, microseconds, percentile, stop_if};
use crate::lab::listening;
use crate::lab::server_process::ServerProcess;

/// How long the acceptor is stalled: clients that have not connected by then are the kernel's to put off.
const STALL: Duration = Duration::from_millis(500);
/// Longest wait for everybody once the stall has ended: two repetitions of the first packet, and a little.
const REST: Duration = Duration::from_millis(3_500);
/// Longest wait for the staller to be accepted.
const ACCEPT_MAX: Duration = Duration::from_secs(2);
/// Longest wait for one change on any connection before looking whether the time is up.
const LOOK_AGAIN_MS: u16 = 20;
/// A connection that took this long was put off once: its first packet was repeated after 1 s.
const PUT_OFF_ONCE: Duration = Duration::from_millis(900);
/// And twice: again after 2 s more.
const PUT_OFF_TWICE: Duration = Duration::from_millis(2_900);

/// Clients beyond those that the backlog has room for.
const BEYOND: u32 = 64;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Has `backlog` + 64 clients connect to a fresh server of `model` whose acceptor is held by one client. The model must be
/// one that accepts nobody meanwhile, such as `iterative`.
///
/// Figures: `clients_connected` (within 0.5 s), `listen_overflows`, `connect_us_p50` and `connect_us_p99` over all clients
/// (one that never connected counts with the time it waited), `connects_after_1s`, `connects_after_3s` (put off once,
/// twice), `clients_asked`, `clients_answered` (within 4 s; a late client can be connected in its own eyes only).
///
/// # Errors
/// One plain sentence: why there is nothing to record.
pub fn measure(
    hola: &Path,
    model: &str,
    backlog: u32,
    cpus: &[usize],
    interrupted: &AtomicBool,
) -> Result<Procedure, String> {
    let options = ["--backlog", &backlog.to_string()];
    let server =
        ServerProcess::start(hola, model, cpus, &options).map_err(|error| error.to_string())?;
    let staller = stall(server.address())?;
    let kernel_before = kernel::read();
    let mut crowd = Crowd::connect(server.address(), (backlog + BEYOND) as usize)?;
    crowd.attend(crowd.begun + STALL, interrupted)?;
    let connected = crowd.connected();
    let kernel = kernel::since(kernel_before);
    // Nobody was accepted, or it was no stall.
    let waiting = listening::waiting(server.address()).map_err(|error| error.to_string())?;
    drop(staller);
    crowd.attend(crowd.begun + STALL + REST, interrupted)?;
    let greets_after = is_greeted(server.address(), Duration::from_secs(1));

    let mut found = crowd.found();
    found.count("clients_connected", connected);
    if let Some(kernel) = kernel {
        let overflows = usize::try_from(kernel.listen_overflows).unwrap_or(usize::MAX);
        found.count("listen_overflows", overflows);
    }
    found.check(
        "acceptor_stalled",
        waiting as usize == connected,
        format!("{connected} clients had connected and {waiting} waited to be accepted"),
    );
    found.check(
        "serves_afterwards",
        greets_after,
        "a fresh client must be greeted within 1 s at the end".into(),
    );
    drop(crowd);
    let bill = server.stop()?;
    // The kernel has its own cap on a backlog.
    let told = bill.settings["backlog"].to_string();
    found.remarks = BTreeMap::from([("backlog".into(), told)]);
    found.bill = Some(bill);
    Ok(found)
}

/// A client that the server has accepted and waits for.
fn stall(address: SocketAddr) -> Result<TcpStream, String> {
    let staller = TcpStream::connect(address).and_then(|mut socket| {
        socket.write_all(HALF_A_HEAD)?;
        reset_on_close(&socket)?;
        Ok(socket)
    });
    let staller = staller.map_err(|error| format!("the client that stalls: {error}"))?;
    let deadline = Instant::now() + ACCEPT_MAX;
    loop {
        match listening::waiting(address) {
            Ok(0) => return Ok(staller),
            Ok(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
            Ok(_) => return Err("the server accepts nobody, not even when nobody is there".into()),
            Err(error) => return Err(format!("the accept queue cannot be read: {error}")),
        }
    }
}

/// One of those who come while the acceptor is stalled.
struct Client {
    /// `None` once it has left.
    socket: Option<TcpStream>,
    begun: Instant,
    connected_after: Option<Duration>,
    response: Response,
    answered: bool,
}

struct Crowd {
    begun: Instant,
    clients: Vec<Client>,
}

impl Crowd {
    /// Begins all connections, and waits for none.
    fn connect(address: SocketAddr, count: usize) -> Result<Self, String> {
        let SocketAddr::V4(target) = address else {
            return Err("IPv4 was asked for".into());
        };
        let begun = Instant::now();
        let clients = (0..count)
            .map(|_| Client::begin(target))
            .collect::<Result<_, _>>();
        let clients =
            clients.map_err(|error| format!("cannot begin {count} connections: {error}"))?;
        Ok(Crowd { begun, clients })
    }

    /// Goes on with whoever can, until `deadline` or until all have left.
    fn attend(&mut self, deadline: Instant, interrupted: &AtomicBool) -> Result<(), String> {
        while Instant::now() < deadline {
            stop_if(interrupted)?;
            let present: Vec<usize> = (0..self.clients.len())
                .filter(|&number| self.clients[number].socket.is_some())
                .collect();
            if present.is_empty() {
                break;
            }
            for number in self.ready(&present)? {
                self.clients[number].go_on();
            }
        }
        Ok(())
    }

    /// Which of those present can go on, when one can or a moment has passed.
    fn ready(&self, present: &[usize]) -> Result<Vec<usize>, String> {
        let mut asked: Vec<PollFd> = present
            .iter()
            .filter_map(|&number| self.clients[number].asks())
            .collect();
        match poll(&mut asked, PollTimeout::from(LOOK_AGAIN_MS)) {
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(errno) => return Err(format!("poll: {}", errno.desc())),
        }
        let is_ready = |(_, fd): &(&usize, &PollFd)| fd.any().unwrap_or(false);
        let ready = present.iter().zip(&asked).filter(is_ready);
        Ok(ready.map(|(&number, _)| number).collect())
    }

    fn connected(&self) -> usize {
        let connected = |client: &&Client| client.connected_after.is_some();
        self.clients.iter().filter(connected).count()
    }

    fn found(&self) -> Procedure {
        let now = Instant::now();
        let waited = |client: &Client| {
            let so_far = now.duration_since(client.begun);
            client.connected_after.unwrap_or(so_far)
        };
        let times: Vec<Duration> = self.clients.iter().map(waited).collect();
        let put_off = |from: Duration, to: Duration| {
            let in_mode = |client: &&Client| {
                client
                    .connected_after
                    .is_some_and(|time| (from..to).contains(&time))
            };
            self.clients.iter().filter(in_mode).count()
        };
        let answered = self.clients.iter().filter(|client| client.answered).count();
        let mut sorted: Vec<f64> = times.into_iter().map(microseconds).collect();
        sorted.sort_by(f64::total_cmp);
        let mut found = Procedure::default();
        found.count("clients_asked", self.clients.len());
        found.count("clients_answered", answered);
        found.count("connects_after_1s", put_off(PUT_OFF_ONCE, PUT_OFF_TWICE));
        found.count("connects_after_3s", put_off(PUT_OFF_TWICE, Duration::MAX));
        for (name, q) in [("connect_us_p50", 0.5), ("connect_us_p99", 0.99)] {
            if let Some(value) = percentile(&sorted, q) {
                found.figure(name, value);
            }
        }
        // A client that connects later may believe so alone: where its last packet of the handshake finds the queue full
        // again, the server knows nothing of it.
        let at_once = |client: &&Client| client.connected_after.is_some_and(|time| time <= STALL);
        let early = self.clients.iter().filter(at_once);
        let (admitted, served) = early.fold((0, 0), |(admitted, served), client| {
            (admitted + 1, served + usize::from(client.answered))
        });
        found.check(
            "admitted_are_answered",
            served == admitted,
            format!(
                "{served} of {admitted} clients that connected during the stall got the greeting"
            ),
        );
        found
    }
}

impl Client {
    fn begin(target: SocketAddrV4) -> std::io::Result<Self> {
        let begun = Instant::now();
        let socket = connect_from(Ipv4Addr::LOCALHOST, target, SockFlag::SOCK_NONBLOCK)?;
        Ok(Client {
            socket: Some(socket),
            begun,
            connected_after: None,
            response: Response::default(),
            answered: false,
        })
    }

    /// What it waits for: to be connected, then an answer.
    fn asks(&self) -> Option<PollFd<'_>> {
        let event = match self.connected_after {
            None => PollFlags::POLLOUT,
            Some(_) => PollFlags::POLLIN,
        };
        Some(PollFd::new(self.socket.as_ref()?.as_fd(), event))
    }

    fn go_on(&mut self) {
        let Some(mut socket) = self.socket.as_ref() else {
            return;
        };
        let stays = if self.connected_after.is_none() {
            let is_connected = matches!(socket.take_error(), Ok(None));
            self.connected_after = is_connected.then(|| self.begun.elapsed());
            is_connected && socket.write_all(REQUEST).is_ok()
        } else {
            let mut octets = [0; 1024];
            match socket.read(&mut octets) {
                Ok(count) if count > 0 => {
                    let fed = self.response.feed(&octets[..count], Some(GREETING));
                    let is_whole = matches!(fed, Ok(Progress::Done { .. }));
                    self.answered = is_whole && self.response.body_is(GREETING);
                    !is_whole && fed.is_ok()
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => true,
                Ok(_) | Err(_) => false,
            }
        };
        if !stays {
            self.socket = None;
        }
    }
}
