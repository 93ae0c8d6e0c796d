//! Slow clients beside a load: each sends half a head and keeps what attention that gets it.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::aside::{Aside, Bell};
use super::client::HALF_A_HEAD;
use super::to_f64;

/// How often the clients are looked at: a server closes them at a deadline of seconds.
const LOOK: Duration = Duration::from_millis(50);
/// Longest wait for a connection; past it the kernel has dropped the request for one, and will for a second.
const CONNECT_MAX: Duration = Duration::from_millis(200);
/// Longest wait for all of them to be there.
const START_MAX: Duration = Duration::from_secs(5);

/// Half a head, and nothing more or an octet each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Silence.
    Silent,
    /// A further octet of a field each time this has passed.
    Dripping(Duration),
}

/// So many slow clients, held from the start to the end: one that the server closes comes again.
#[derive(Debug)]
pub struct SlowClients(Aside<SlowCounts>);

/// What became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlowCounts {
    /// Connections made.
    pub connected: usize,
    /// Of these, closed or answered by the server, at its deadline most likely.
    pub ended_by_server: usize,
    /// Connections that could not be made in time.
    pub not_connected: usize,
    /// Octets sent one by one.
    pub dripped: usize,
}

impl SlowCounts {
    /// The same by name.
    pub fn figures(&self) -> BTreeMap<String, f64> {
        [
            ("slow_clients_connected", self.connected),
            ("slow_clients_ended_by_server", self.ended_by_server),
            ("slow_clients_not_connected", self.not_connected),
        ]
        .map(|(name, count)| (name.to_owned(), to_f64(count)))
        .into()
    }
}

impl SlowClients {
    /// Connects `clients` of them to `target` from a thread on `cpus`, and returns when all have sent half a head.
    ///
    /// # Errors
    /// One plain sentence, when they are not all there within 5 s.
    pub fn start(
        target: SocketAddr,
        clients: usize,
        pace: Pace,
        cpus: &[usize],
    ) -> Result<Self, String> {
        let (tell, told) = mpsc::channel();
        let aside = Aside::start(cpus, move |bell| {
            let mut crowd = Crowd::new(target, clients, pace);
            while !bell.has_rung() && !crowd.complete(bell) {}
            // Whoever started this may have given up on it.
            let _ = tell.send(());
            crowd.stay(bell);
            crowd.counts
        })?;
        told.recv_timeout(START_MAX)
            .map_err(|_| format!("{clients} slow clients do not all find their way to {target}"))?;
        Ok(SlowClients(aside))
    }

    /// Closes them all.
    pub fn finish(self) -> SlowCounts {
        self.0.finish()
    }
}

struct Crowd {
    target: SocketAddr,
    pace: Pace,
    clients: Vec<Option<TcpStream>>,
    counts: SlowCounts,
}

impl Crowd {
    fn new(target: SocketAddr, clients: usize, pace: Pace) -> Self {
        Crowd {
            target,
            pace,
            clients: std::iter::repeat_with(|| None).take(clients).collect(),
            counts: SlowCounts::default(),
        }
    }

    /// Connects whoever is not there; whether all are now.
    fn complete(&mut self, bell: &Bell) -> bool {
        for client in &mut self.clients {
            if client.is_none() && !bell.has_rung() {
                match connect(self.target) {
                    Some(socket) => {
                        self.counts.connected += 1;
                        *client = Some(socket);
                    }
                    None => {
                        self.counts.not_connected += 1;
                        // A refusal is quick, and must not be asked for again and again.
                        bell.rings_within(LOOK);
                    }
                }
            }
        }
        self.clients.iter().all(Option::is_some)
    }

    fn stay(&mut self, bell: &Bell) {
        let mut dripped = Instant::now();
        while !bell.rings_within(LOOK) {
            for client in &mut self.clients {
                if client.as_ref().is_some_and(has_ended) {
                    self.counts.ended_by_server += 1;
                    *client = None;
                }
            }
            self.complete(bell);
            if let Pace::Dripping(pause) = self.pace
                && dripped.elapsed() >= pause
            {
                dripped = Instant::now();
                self.drip();
            }
        }
    }

    fn drip(&mut self) {
        for mut client in self.clients.iter().flatten() {
            // Whoever cannot send has been closed: the next look shows it.
            if client.write(b"a").is_ok() {
                self.counts.dripped += 1;
            }
        }
    }
}

fn connect(target: SocketAddr) -> Option<TcpStream> {
    let mut socket = TcpStream::connect_timeout(&target, CONNECT_MAX).ok()?;
    socket.set_nodelay(true).ok()?;
    socket.write_all(HALF_A_HEAD).ok()?;
    // From here on nobody waits for it.
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}

/// Whether the server has said something to somebody who has not asked yet, or has left.
fn has_ended(mut client: &TcpStream) -> bool {
    let read = client.read(&mut [0; 64]);
    !matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
}
