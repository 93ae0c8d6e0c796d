//! The completion engine: chains of operations handed to io_uring(7), which says when they are done.
//!
//! A connection-per-request exchange is the close of the last connection, and socket, connect, send and receive of the
//! next as a chain. The worker's next turn to the kernel hands over the chains of all connections begun since its last
//! one, and works them off: a call per turn, not per connection. Calling for each at once would create its socket sooner and
//! nothing more, since the kernel goes from one link of a chain to the next in such a turn only. That connections are
//! established and their requests written is learned then, after the fact.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use nix::errno::Errno;

use super::job::Job;
use super::transport::{Event, Happened, Request, Transport};
use crate::sys;
use crate::sys::ring::{Chain, Outcome, Received, Ring};

/// Bits of a completion's number that tell the connections of a slot apart.
const GENERATION_MASK: u32 = (1 << 29) - 1;

/// Connections over io_uring.
pub(super) struct Completion {
    ring: Ring,
    /// Whether connections take one request only.
    one_only: bool,
    connections: Vec<Connection>,
    /// What is known already and not told yet, with the reading of the clock after it was learned.
    known: VecDeque<(sys::ring::Completion, u64)>,
    /// When completions were last collected.
    collected_at: u64,
    /// What was told last and is being read.
    received: Option<Received>,
    /// The slot it was received on, if that may have to receive more.
    told: Option<u32>,
    /// Why the ring does not work any more.
    broken: Option<io::Error>,
}

/// The direct descriptor of a slot.
#[derive(Clone, Copy, Debug, Default)]
struct Connection {
    open: bool,
    /// Whether the kernel is to receive.
    receiving: bool,
    generation: u32,
}

impl Transport for Completion {
    const NEEDS: &'static str = "io_uring";
    const WAITS_BY: &'static str = "io_uring_enter";

    fn new(job: &Job) -> nix::Result<Self> {
        let requests = vec![job.request.clone(), job.last_request.clone()];
        let ring = Ring::new(
            job.connections,
            job.target,
            requests,
            job.reset_on_close,
            job.local_ports,
        );
        Ok(Self {
            ring: ring.map_err(errno_of)?,
            one_only: job.requests_per_connection == 1,
            connections: Vec::new(),
            known: VecDeque::new(),
            collected_at: 0,
            received: None,
            told: None,
            broken: None,
        })
    }

    fn open(&mut self, slot: u32, source: Option<Ipv4Addr>, request: Request) {
        let needed = slot as usize + 1;
        if self.connections.len() < needed {
            self.connections.resize(needed, Connection::default());
        }
        let connection = &mut self.connections[slot as usize];
        connection.generation = connection.generation.wrapping_add(1) & GENERATION_MASK;
        connection.open = true;
        connection.receiving = true;
        let chain = Chain {
            source,
            request: request as usize,
            stays: !self.one_only,
        };
        let asked = self.ring.open(slot, self.number(slot), chain);
        self.note(asked);
    }

    fn write(&mut self, slot: u32, request: Request) {
        let asked = self.ring.send(slot, self.number(slot), request as usize);
        self.note(asked);
        self.receive_on(slot);
        self.submit();
    }

    fn close(&mut self, slot: u32) {
        let number = self.number(slot);
        let connection = &mut self.connections[slot as usize];
        connection.open = false;
        let asked = self
            .ring
            .close(slot, connection.receiving.then_some(number));
        self.note(asked);
    }

    fn wait(&mut self, timeout_ns: u64) -> nix::Result<()> {
        if let Some(error) = self.broken.take() {
            return Err(errno_of(error));
        }
        if self.known.is_empty() && timeout_ns > 0 {
            let waited = self.ring.wait(Duration::from_nanos(timeout_ns));
            self.note(waited);
            self.collect();
        } else {
            let worked_off = self.ring.work_off();
            self.note(worked_off);
            self.collect();
        }
        Ok(())
    }

    fn next(&mut self) -> Option<Event> {
        if let Some(received) = self.received.take() {
            self.ring.give_back(received);
        }
        if let Some(slot) = self.told.take() {
            self.receive_on(slot);
        }
        loop {
            let (completion, at) = self.known.pop_front()?;
            if let Some((slot, what)) = self.tell(completion) {
                return Some(Event { slot, at, what });
            }
        }
    }

    fn told_until(&self) -> u64 {
        self.known.front().map_or(self.collected_at, |(_, at)| *at)
    }

    fn received(&self) -> &[u8] {
        self.received
            .as_ref()
            .map_or(&[], |received| self.ring.octets(received))
    }
}

impl Completion {
    /// What a completion means to its connection; `None` when that is closed, or nothing.
    fn tell(&mut self, completion: sys::ring::Completion) -> Option<(u32, Happened)> {
        let slot = u32::try_from(completion.number & 0xffff_ffff).ok()?;
        if !self.connections[slot as usize].open || self.number(slot) != completion.number {
            if let Outcome::Received { received, .. } = completion.outcome {
                self.ring.give_back(received);
            }
            return None;
        }
        let connection = &mut self.connections[slot as usize];
        let what = match completion.outcome {
            Outcome::Connected => Happened::Connected,
            Outcome::Sent => Happened::Written,
            Outcome::Received { received, goes_on } => {
                connection.receiving = goes_on;
                if received.is_end() {
                    self.ring.give_back(received);
                    Happened::Ended
                } else {
                    let hangup = !goes_on && received.is_followed();
                    self.received = Some(received);
                    self.told = Some(slot);
                    Happened::Received { hangup }
                }
            }
            Outcome::Paused => {
                connection.receiving = false;
                self.receive_on(slot);
                return None;
            }
            Outcome::Failed { errno, receiving } => {
                connection.receiving &= !receiving;
                Happened::Failed(errno)
            }
        };
        Some((slot, what))
    }

    /// Has the kernel receive on an open connection on which it does not.
    fn receive_on(&mut self, slot: u32) {
        let connection = &mut self.connections[slot as usize];
        if connection.open && !connection.receiving {
            connection.receiving = true;
            let asked = self.ring.receive(slot, self.number(slot), !self.one_only);
            self.note(asked);
        }
    }

    fn number(&self, slot: u32) -> u64 {
        u64::from(self.connections[slot as usize].generation) << 32 | u64::from(slot)
    }

    fn submit(&mut self) {
        let submitted = self.ring.submit();
        self.note(submitted);
    }

    fn collect(&mut self) {
        let at = sys::now_ns();
        self.collected_at = at;
        self.known
            .extend(self.ring.completions().map(|completion| (completion, at)));
    }

    fn note(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.broken.get_or_insert(error);
        }
    }
}

impl Drop for Completion {
    /// Closes what is still open: the ring could only look for all that is under way, one after the other.
    fn drop(&mut self) {
        for slot in 0..u32::try_from(self.connections.len()).unwrap_or(u32::MAX) {
            if self.connections[slot as usize].open {
                self.close(slot);
            }
        }
        self.submit();
    }
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "used where errors are converted"
)]
fn errno_of(error: io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}
