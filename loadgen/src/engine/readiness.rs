//! The readiness engine: non-blocking system calls, and epoll(7) for those that have to wait.
//!
//! System calls with one request per connection, in order: socket, connect, send, epoll_ctl(ADD), a share of
//! epoll_wait, recv, close. On loopback the handshake is complete when `connect` returns, although it returns
//! `EINPROGRESS`, so the request is written at once. Otherwise the write returns `EAGAIN`, and readiness tells when to
//! write.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::socket::sockopt::{IpBindAddressNoPort, Linger};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, SockaddrLike, bind, connect, setsockopt, socket,
};

use super::channel::ByteChannel;
use super::job::Job;
use super::transport::{Transport, TransportEvent, TransportEventKind, TransportRequest};
use crate::sys;

/// Events taken from the kernel at once: at about 60 µs of handling each, a full batch takes about 15 ms.
const BATCH: usize = 256;

/// Bytes read at once; larger answers take several reads.
const READ_BUFFER: usize = 32 * 1024;

/// Readiness flags that mean that the other side will send no more.
const HANGUP: u32 = (libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR).cast_unsigned();

/// Readiness flags that a connection attempt or a pending write waits for.
const SETTLED: u32 = (libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR).cast_unsigned();

/// Readiness flags that call for a read.
const READABLE: u32 = (libc::EPOLLIN).cast_unsigned() | HANGUP;

/// Connections over epoll.
pub(super) struct ReadinessTransport<C: ByteChannel> {
    settings: C::Settings,
    epoll: Epoll,
    target: Box<dyn SockaddrLike>,
    family: AddressFamily,
    requests: Arc<[Arc<[u8]>]>,
    /// Whether connections carry only one request.
    one_only: bool,
    reset_on_close: bool,
    local_ports: Option<(u16, u16)>,
    connections: Vec<Connection<C>>,
    /// Events that are not reported yet.
    known: VecDeque<TransportEvent>,
    ready: Box<[sys::PollEvent; BATCH]>,
    /// The part of `ready` that is not handled yet.
    pending: std::ops::Range<usize>,
    /// All events that were ready at this instant have been handled.
    reported_until: u64,
    /// When the first of several consecutive full batches was taken, and how many events these batches had.
    full_since: (u64, usize),
    /// Slot and generation of a connection with more to read that no further edge will announce, and whether its other
    /// side has closed.
    reading_on: Option<(u32, u32, bool)>,
    /// When the last wait ended.
    woken_at: u64,
    buffer: Vec<u8>,
    received: usize,
}

/// The connection of a slot, and the progress of its request.
struct Connection<C> {
    channel: Option<C>,
    /// Distinguishes successive connections of a slot, so that a late event is not attributed to the wrong one.
    generation: u32,
    stage: Stage,
}

impl<C> Default for Connection<C> {
    fn default() -> Self {
        Self {
            channel: None,
            generation: 0,
            stage: Stage::Reading,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Waiting for the handshake, then for the write.
    Connecting(TransportRequest),
    /// Waiting for room in the send buffer, with this much of the request written.
    Writing(TransportRequest, usize),
    /// Nothing left to write.
    Reading,
}

impl<C: ByteChannel> Transport for ReadinessTransport<C> {
    const NEEDS: &'static str = "epoll";
    const WAITS_BY: &'static str = "epoll_pwait2 (Linux 5.11)";

    fn new(job: &Job) -> nix::Result<Self> {
        let target = job.workload.target.for_kernel()?;
        Ok(Self {
            settings: C::settings(job)?,
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            family: target.family().unwrap_or(AddressFamily::Unspec),
            target,
            requests: Arc::clone(&job.requests),
            one_only: job.requests_per_connection == 1,
            reset_on_close: job.resets_on_close(),
            local_ports: job.workload.local_ports,
            connections: Vec::new(),
            known: VecDeque::new(),
            ready: Box::new([sys::PollEvent { events: 0, u64: 0 }; BATCH]),
            pending: 0..0,
            reported_until: 0,
            full_since: (0, 0),
            reading_on: None,
            woken_at: 0,
            buffer: vec![0; READ_BUFFER],
            received: 0,
        })
    }

    fn open(&mut self, slot: u32, source: Option<Ipv4Addr>, request: TransportRequest) {
        let needed = slot as usize + 1;
        if self.connections.len() < needed {
            self.connections.resize_with(needed, Connection::default);
        }
        let socket = self.connect(slot, source);
        match socket.and_then(|socket| C::new(socket, &self.settings)) {
            Ok(channel) => {
                let connection = &mut self.connections[slot as usize];
                connection.generation = connection.generation.wrapping_add(1);
                connection.channel = Some(channel);
                connection.stage = Stage::Connecting(request);
                self.continue_write(slot);
                self.watch(slot);
            }
            Err(errno) => self.tell(slot, TransportEventKind::Failed(errno)),
        }
    }

    fn write(&mut self, slot: u32, request: TransportRequest) {
        self.connections[slot as usize].stage = Stage::Writing(request, 0);
        self.continue_write(slot);
    }

    fn close(&mut self, slot: u32) {
        self.connections[slot as usize].channel = None;
        // The list rarely holds more than this slot's own handshake and write.
        self.known.retain(|event| event.slot != slot);
    }

    fn wait(&mut self, timeout_ns: u64) -> nix::Result<()> {
        if !self.pending.is_empty() || self.reading_on.is_some() {
            return Ok(());
        }
        let timeout_ns = if self.known.is_empty() { timeout_ns } else { 0 };
        let count = sys::wait_for_events(&self.epoll, &mut self.ready[..], timeout_ns)?;
        self.woken_at = sys::now_ns();
        self.pending = 0..count;
        let (since, told) = self.full_since;
        if count < BATCH {
            self.reported_until = self.woken_at;
            self.full_since = (0, 0);
        } else if told == 0 {
            self.full_since = (self.woken_at, count);
        } else if told >= self.connections.len() {
            // The kernel's ready list is first in, first out: everything that was on it has been handled.
            self.reported_until = since;
            self.full_since = (self.woken_at, count);
        } else {
            self.full_since = (since, told + count);
        }
        Ok(())
    }

    fn next(&mut self) -> Option<TransportEvent> {
        loop {
            if let Some(event) = self.known.pop_front() {
                return Some(event);
            }
            if let Some((slot, generation, hangup)) = self.reading_on.take() {
                if self.is_open(slot, generation)
                    && let Some(event) = self.read(slot, hangup)
                {
                    return Some(event);
                }
                continue;
            }
            let ready = self.ready[self.pending.next()?];
            if let Some(event) = self.handle_ready(ready.u64, ready.events) {
                return Some(event);
            }
        }
    }

    fn reported_until(&self) -> u64 {
        self.reported_until
    }

    fn received(&self) -> &[u8] {
        &self.buffer[..self.received]
    }
}

impl<C: ByteChannel> ReadinessTransport<C> {
    /// Creates a socket and begins to connect it.
    fn connect(&mut self, slot: u32, source: Option<Ipv4Addr>) -> nix::Result<OwnedFd> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket = socket(self.family, SockType::Stream, flags, None)?;
        if self.reset_on_close {
            setsockopt(&socket, Linger, &sys::RESET)?;
        }
        if let Some((first, last)) = self.local_ports {
            sys::limit_local_ports(&socket, first, last)?;
        }
        if let Some(source) = source {
            // Without this, bind(2) would choose a port at once, and only one that is free for all targets.
            setsockopt(&socket, IpBindAddressNoPort, &true)?;
            let [a, b, c, d] = source.octets();
            bind(socket.as_raw_fd(), &SockaddrIn::new(a, b, c, d, 0))?;
        }
        match connect(socket.as_raw_fd(), &*self.target) {
            Ok(()) if C::HAS_HANDSHAKE => {}
            Ok(()) => self.tell(slot, TransportEventKind::Connected),
            Err(Errno::EINPROGRESS) => {}
            Err(errno) => return Err(errno),
        }
        Ok(socket)
    }

    /// Registers a new connection once, edge-triggered, for the events that it still waits for.
    fn watch(&mut self, slot: u32) {
        let connection = &self.connections[slot as usize];
        let Some(channel) = &connection.channel else {
            return;
        };
        let mut flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
        // A connection that will carry more requests may have to wait for room in the send buffer again.
        if connection.stage != Stage::Reading || !self.one_only {
            flags |= EpollFlags::EPOLLOUT;
        }
        let token = u64::from(connection.generation) << 32 | u64::from(slot);
        if let Err(errno) = self
            .epoll
            .add(channel.socket(), EpollEvent::new(flags, token))
        {
            self.tell(slot, TransportEventKind::Failed(errno));
        }
    }

    /// Writes the rest of the request, as far as the socket accepts it.
    fn continue_write(&mut self, slot: u32) {
        loop {
            let connection = &mut self.connections[slot as usize];
            let (request, written, is_new) = match connection.stage {
                Stage::Connecting(request) => (request, 0, true),
                Stage::Writing(request, written) => (request, written, false),
                Stage::Reading => return,
            };
            let Some(channel) = &mut connection.channel else {
                return;
            };
            let bytes = &self.requests[request.index()];
            let sent = channel.send(&bytes[written..]);
            let is_whole = sent.is_ok_and(|count| written + count == bytes.len());
            match sent {
                Ok(_) if is_whole => connection.stage = Stage::Reading,
                Ok(count) => connection.stage = Stage::Writing(request, written + count),
                Err(Errno::EAGAIN | Errno::EINTR) => return,
                Err(errno) => return self.tell(slot, TransportEventKind::Failed(errno)),
            }
            if C::HAS_HANDSHAKE && is_new {
                self.tell(slot, TransportEventKind::Connected);
            }
            if is_whole {
                self.tell(slot, TransportEventKind::Written);
            }
        }
    }

    /// Handles readiness, and returns the resulting event.
    fn handle_ready(&mut self, token: u64, flags: u32) -> Option<TransportEvent> {
        let slot = u32::try_from(token & 0xffff_ffff).ok()?;
        if !self.is_open(slot, u32::try_from(token >> 32).ok()?) {
            return None;
        }
        // A handshake may have waited for bytes of the other side.
        if flags & SETTLED != 0 || C::HAS_HANDSHAKE {
            let connection = &mut self.connections[slot as usize];
            if let Stage::Connecting(request) = connection.stage
                && flags & HANGUP == 0
                && !C::HAS_HANDSHAKE
            {
                connection.stage = Stage::Writing(request, 0);
                self.known.push_back(TransportEvent {
                    slot,
                    at: self.woken_at,
                    what: TransportEventKind::Connected,
                });
            }
            self.continue_write(slot);
        }
        if flags & READABLE != 0 {
            let connection = &self.connections[slot as usize];
            if connection.stage == Stage::Reading {
                let hangup = flags & HANGUP != 0;
                if self.known.is_empty() {
                    return self.read(slot, hangup);
                }
                // Events are reported in order.
                self.reading_on = Some((slot, connection.generation, hangup));
            }
        }
        self.known.pop_front()
    }

    /// Reads available bytes; `hangup` means that no further edge will announce the rest.
    fn read(&mut self, slot: u32, hangup: bool) -> Option<TransportEvent> {
        let connection = &mut self.connections[slot as usize];
        let generation = connection.generation;
        let channel = connection.channel.as_mut()?;
        let what = loop {
            match channel.receive(&mut self.buffer) {
                Err(Errno::EAGAIN) => return None,
                Err(Errno::EINTR) => {}
                Err(errno) => break TransportEventKind::Failed(errno),
                Ok(0) => break TransportEventKind::Ended,
                Ok(count) => {
                    self.received = count;
                    // A session may hold more than it gave.
                    if hangup || count == self.buffer.len() || C::HAS_HANDSHAKE {
                        self.reading_on = Some((slot, generation, hangup));
                    }
                    break TransportEventKind::Received { hangup };
                }
            }
        };
        Some(TransportEvent::now(slot, what))
    }

    fn is_open(&self, slot: u32, generation: u32) -> bool {
        let is_open = |connection: &Connection<C>| {
            connection.generation == generation && connection.channel.is_some()
        };
        self.connections.get(slot as usize).is_some_and(is_open)
    }

    fn tell(&mut self, slot: u32, what: TransportEventKind) {
        self.known.push_back(TransportEvent::now(slot, what));
    }
}
