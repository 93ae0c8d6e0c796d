//! The completion engine: submits chains of operations to io_uring(7), which reports their completions.
//!
//! With one request per connection, an exchange is the close of the last connection and a chain for the next: socket,
//! connect, send and receive. The worker's next call into the kernel submits the chains of all connections begun since
//! the previous call, and runs their pending work: one call per round of the event loop, not per connection. A call per
//! connection would only create its socket sooner, since the kernel moves from one link of a chain to the next only in
//! such a call. So the worker learns only afterwards that connections are established and requests written.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;

use super::job::Job;
use super::transport::{Transport, TransportEvent, TransportEventKind, TransportRequest};
use crate::sys;
use crate::sys::ring::{
    ClientRing, CompletionResult, ConnectionChain, ReceivedBytes, RingCompletion,
};

/// Bits of a completion's number that distinguish successive connections of a slot.
const GENERATION_MASK: u32 = (1 << 29) - 1;

/// Connections over io_uring.
pub(super) struct CompletionTransport {
    ring: ClientRing,
    /// Whether connections carry only one request.
    one_only: bool,
    connections: Vec<Connection>,
    /// Completions that are not reported yet, each with the time when it was collected.
    known: VecDeque<(RingCompletion, u64)>,
    /// When completions were last collected.
    collected_at: u64,
    /// Bytes of the last reported event, while the worker reads them.
    received: Option<ReceivedBytes>,
    /// The slot that received them, if it may have to receive more.
    told: Option<u32>,
}

/// The direct descriptor of a slot.
#[derive(Clone, Copy, Debug, Default)]
struct Connection {
    open: bool,
    /// Whether a receive operation is under way.
    receiving: bool,
    generation: u32,
}

impl Transport for CompletionTransport {
    const NEEDS: &'static str = "io_uring";
    const WAITS_BY: &'static str = "io_uring_enter";

    fn new(job: &Job) -> nix::Result<Self> {
        let ring = ClientRing::new(
            job.connections,
            job.workload.target.for_kernel()?,
            Arc::clone(&job.requests),
            job.resets_on_close(),
            job.workload.local_ports,
        );
        Ok(Self {
            ring: ring.map_err(errno_of)?,
            one_only: job.requests_per_connection == 1,
            connections: Vec::new(),
            known: VecDeque::new(),
            collected_at: 0,
            received: None,
            told: None,
        })
    }

    fn open(&mut self, slot: u32, source: Option<Ipv4Addr>, request: TransportRequest) {
        let needed = slot as usize + 1;
        if self.connections.len() < needed {
            self.connections.resize(needed, Connection::default());
        }
        let connection = &mut self.connections[slot as usize];
        connection.generation = connection.generation.wrapping_add(1) & GENERATION_MASK;
        connection.open = true;
        connection.receiving = true;
        let chain = ConnectionChain {
            source,
            request: request.index(),
            multishot: !self.one_only,
        };
        self.ring.open(slot, self.number(slot), chain);
    }

    fn write(&mut self, slot: u32, request: TransportRequest) {
        self.ring.send(slot, self.number(slot), request.index());
        self.receive_on(slot);
        self.ring.submit();
    }

    fn close(&mut self, slot: u32) {
        let number = self.number(slot);
        let connection = &mut self.connections[slot as usize];
        connection.open = false;
        let under_way = connection.receiving.then_some(number);
        self.ring.close(slot, under_way);
    }

    fn wait(&mut self, timeout_ns: u64) -> nix::Result<()> {
        let sleeps = self.known.is_empty() && timeout_ns > 0;
        let timeout = sleeps.then(|| Duration::from_nanos(timeout_ns));
        self.ring.wait(timeout).map_err(errno_of)?;
        let at = sys::now_ns();
        self.collected_at = at;
        let completions = self.ring.completions();
        self.known
            .extend(completions.map(|completion| (completion, at)));
        Ok(())
    }

    fn next(&mut self) -> Option<TransportEvent> {
        if let Some(received) = self.received.take() {
            self.ring.give_back(received);
        }
        if let Some(slot) = self.told.take() {
            self.receive_on(slot);
        }
        loop {
            let (completion, at) = self.known.pop_front()?;
            if let Some((slot, what)) = self.tell(completion) {
                return Some(TransportEvent { slot, at, what });
            }
        }
    }

    fn reported_until(&self) -> u64 {
        self.known.front().map_or(self.collected_at, |(_, at)| *at)
    }

    fn received(&self) -> &[u8] {
        let received = self.received.as_ref();
        received.map_or(&[], |received| self.ring.bytes(received))
    }
}

impl CompletionTransport {
    /// The event of a completion; `None` if the connection is closed, or if there is no event.
    fn tell(&mut self, completion: RingCompletion) -> Option<(u32, TransportEventKind)> {
        let slot = u32::try_from(completion.number & 0xffff_ffff).ok()?;
        if !self.connections[slot as usize].open || self.number(slot) != completion.number {
            if let CompletionResult::ReceivedBytes { received, .. } = completion.outcome {
                self.ring.give_back(received);
            }
            return None;
        }
        let connection = &mut self.connections[slot as usize];
        let what = match completion.outcome {
            CompletionResult::Connected => TransportEventKind::Connected,
            CompletionResult::Sent => TransportEventKind::Written,
            CompletionResult::ReceivedBytes { received, goes_on } => {
                connection.receiving = goes_on;
                if received.length == 0 {
                    self.ring.give_back(received);
                    TransportEventKind::Ended
                } else {
                    let hangup = !goes_on && received.followed;
                    self.received = Some(received);
                    self.told = Some(slot);
                    TransportEventKind::Received { hangup }
                }
            }
            CompletionResult::Paused => {
                connection.receiving = false;
                self.receive_on(slot);
                return None;
            }
            CompletionResult::Failed { errno, receiving } => {
                connection.receiving &= !receiving;
                TransportEventKind::Failed(errno)
            }
        };
        Some((slot, what))
    }

    /// Starts to receive on an open connection unless it already receives.
    fn receive_on(&mut self, slot: u32) {
        let connection = &mut self.connections[slot as usize];
        if connection.open && !connection.receiving {
            connection.receiving = true;
            self.ring.receive(slot, self.number(slot), !self.one_only);
        }
    }

    fn number(&self, slot: u32) -> u64 {
        u64::from(self.connections[slot as usize].generation) << 32 | u64::from(slot)
    }
}

impl Drop for CompletionTransport {
    /// Closes open connections, which cancels their operations by number; the ring alone could only search for them one
    /// by one.
    fn drop(&mut self) {
        for (slot, place) in (0..).zip(0..self.connections.len()) {
            if self.connections[place].open {
                self.close(slot);
            }
        }
        self.ring.submit();
    }
}

fn errno_of(error: io::Error) -> Errno {
    Errno::try_from(error).unwrap_or(Errno::EIO)
}
