//! One request from its start to its end: what a worker does with a connection.
//!
//! System calls of a connection-per-request exchange, in order: socket, connect, send, epoll_ctl(ADD), a share of
//! epoll_wait, recv, close. On loopback the handshake is over when `connect` returns, although it says `EINPROGRESS`, so
//! the request is written at once; where it is not over, the write says `EAGAIN` and readiness tells when.

use std::cmp::Reverse;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::epoll::{EpollEvent, EpollFlags};
use nix::sys::socket::sockopt::IpBindAddressNoPort;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrIn, bind, connect, recv, send, setsockopt,
    socket,
};

use super::job::{ClosedEnd, Task};
use super::slot::State;
use super::worker::Worker;
use crate::recorder::{Cause, Outcome, Phase, Times};
use crate::response::Progress;

/// First pause of a client after a failure, doubled with each further one.
const BACKOFF_NS: u64 = 1_000_000;

/// Longest such pause, about 2^7 first ones.
const BACKOFF_MOST_NS: u64 = 100_000_000;

/// Readiness that means the other side will send no more.
const HANGUP: u32 = (libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR).cast_unsigned();

/// Readiness that a connection in the making waits for.
const SETTLED: u32 = (libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR).cast_unsigned();

/// Readiness worth a read.
const READABLE: u32 = (libc::EPOLLIN).cast_unsigned() | HANGUP;

impl Worker<'_> {
    /// Lets a closed-loop client begin its next request, or leave when the asked number has been begun.
    pub(super) fn begin_client(&mut self, index: u32, intended: u64) {
        let counted = self.window.opened();
        let by_count = match self.job.task {
            Task::Closed {
                end: ClosedEnd::Requests(requests),
                ..
            } => Some(requests),
            _ => None,
        };
        let slot = &mut self.slots[index as usize];
        if counted && by_count.is_some() {
            if by_count == Some(self.ledger.sent) {
                if slot.joined > 0 {
                    self.ledger.client_ns += intended - slot.joined;
                    slot.joined = 0;
                }
                slot.state = State::Idle;
                self.close(index, false);
                return;
            }
            if slot.joined == 0 {
                slot.joined = intended;
            }
        }
        self.begin(index, intended, counted);
    }

    /// Begins a request on slot `index`, over its kept connection if it has one.
    pub(super) fn begin(&mut self, index: u32, intended: u64, counted: bool) {
        let slot = &mut self.slots[index as usize];
        slot.times = Times {
            intended,
            start: self.now,
            ..Times::default()
        };
        slot.counted = counted;
        slot.written = 0;
        slot.response.reset();
        self.in_flight += 1;
        if counted {
            self.ledger.sent += 1;
            self.in_flight_counted += 1;
        }
        if slot.fd.is_some() {
            slot.state = State::Writing;
            self.deadlines.push(&mut self.slots, index);
            self.write(index);
        } else {
            slot.state = State::Connecting;
            let start = self.tick();
            self.slots[index as usize].times.start = start;
            self.deadlines.push(&mut self.slots, index);
            self.connect(index);
        }
    }

    fn connect(&mut self, index: u32) {
        match self.open_connection(index) {
            Ok(fd) => {
                let slot = &mut self.slots[index as usize];
                slot.served = 0;
                slot.generation = slot.generation.wrapping_add(1);
                slot.fd = Some(fd);
                self.write(index);
                self.watch(index);
            }
            Err(errno) => {
                self.tick();
                self.fail(index, Cause::of(errno));
            }
        }
    }

    /// A socket on its way to the target.
    fn open_connection(&mut self, index: u32) -> nix::Result<OwnedFd> {
        let family = match self.job.target {
            SocketAddr::V4(_) => AddressFamily::Inet,
            SocketAddr::V6(_) => AddressFamily::Inet6,
        };
        self.slots[index as usize].source = self.sources.charge();
        let mut retried = false;
        loop {
            let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
            let fd = socket(family, SockType::Stream, flags, None)?;
            if let Some(source) = self.sources.address() {
                // Without this the kernel would pick the port at once, from all that are free for any target.
                setsockopt(&fd, IpBindAddressNoPort, &true)?;
                let [a, b, c, d] = source.octets();
                bind(fd.as_raw_fd(), &SockaddrIn::new(a, b, c, d, 0))?;
            }
            match connect(fd.as_raw_fd(), &self.address) {
                Ok(()) => {
                    self.slots[index as usize].times.connected = self.tick();
                    return Ok(fd);
                }
                Err(Errno::EINPROGRESS) => return Ok(fd),
                // Somebody else used the ports up: the next address has its own.
                Err(Errno::EADDRNOTAVAIL) if !retried && self.sources.move_on() => {
                    retried = true;
                    self.slots[index as usize].source = self.sources.charge();
                }
                Err(errno) => return Err(errno),
            }
        }
    }

    /// Registers a new connection, once and for all: edges of what it still waits for.
    fn watch(&mut self, index: u32) {
        let slot = &self.slots[index as usize];
        let Some(fd) = &slot.fd else { return };
        let mut flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
        // A connection that will carry more requests may have to wait for room again.
        if slot.state != State::Reading || self.job.requests_per_connection > 1 {
            flags |= EpollFlags::EPOLLOUT;
        }
        let token = u64::from(slot.generation) << 32 | u64::from(index);
        if let Err(errno) = self.epoll.add(fd, EpollEvent::new(flags, token)) {
            self.tick();
            self.fail(index, Cause::of(errno));
        }
    }

    /// Writes what is left of the request, as far as the socket takes it.
    fn write(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        let Some(fd) = slot.fd.as_ref().map(AsRawFd::as_raw_fd) else {
            return;
        };
        let last = slot.served + 1 >= self.job.requests_per_connection;
        let request = if last {
            &self.job.last_request
        } else {
            &self.job.request
        };
        match send(fd, &request[slot.written..], MsgFlags::MSG_NOSIGNAL) {
            Ok(count) => {
                slot.written += count;
                let complete = slot.written == request.len();
                slot.state = if complete {
                    State::Reading
                } else {
                    State::Writing
                };
                slot.served += u64::from(complete);
                let fresh = slot.served == u64::from(complete);
                let now = self.tick();
                let times = &mut self.slots[index as usize].times;
                if fresh && times.connected == 0 {
                    // Known since the write went through, so stamped after it.
                    times.connected = now;
                }
                if complete {
                    times.written = now;
                }
            }
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(errno) => {
                self.tick();
                // Only an established connection can be reset: one in the making is refused.
                let times = &mut self.slots[index as usize].times;
                if Cause::of(errno) == Cause::Reset
                    && times.connected == 0
                    && self.slots[index as usize].served == 0
                {
                    self.slots[index as usize].times.connected = self.now;
                }
                self.fail(index, Cause::of(errno));
            }
        }
    }

    /// Acts on one event; `woken` is a reading of the clock between the event and now.
    pub(super) fn handle(&mut self, token: u64, flags: u32, woken: u64) {
        let (Ok(index), Ok(generation)) = (
            u32::try_from(token & 0xffff_ffff),
            u32::try_from(token >> 32),
        ) else {
            return;
        };
        let slot = &mut self.slots[index as usize];
        if slot.generation != generation || slot.fd.is_none() {
            return;
        }
        if slot.state == State::Connecting && flags & SETTLED != 0 {
            if flags & HANGUP == 0 {
                slot.times.connected = woken;
            }
            self.write(index);
        } else if slot.state == State::Writing && flags & SETTLED != 0 {
            self.write(index);
        }
        if flags & READABLE != 0 && !self.finished {
            match self.slots[index as usize].state {
                State::Reading => self.read(index, flags & HANGUP != 0),
                // A kept connection on which the server gave up, or spoke out of turn.
                State::Idle | State::BackingOff(_) => self.drop_kept(index),
                State::Connecting | State::Writing => {}
            }
        }
    }

    /// Reads what there is of the answer; `hangup` says that no further edge will announce the rest.
    fn read(&mut self, index: u32, hangup: bool) {
        loop {
            let slot = &mut self.slots[index as usize];
            let Some(fd) = slot.fd.as_ref().map(AsRawFd::as_raw_fd) else {
                return;
            };
            let result = recv(fd, &mut self.buffer, MsgFlags::empty());
            if result == Err(Errno::EAGAIN) {
                return;
            }
            let now = self.tick();
            if self.finished {
                return;
            }
            let slot = &mut self.slots[index as usize];
            match result {
                Ok(0) => {
                    match slot.response.finish() {
                        Ok(true) => self.answer(index, true, 0),
                        Ok(false) => self.fail(index, Cause::ClosedEarly),
                        Err(_) => self.fail(index, Cause::Parse),
                    }
                    return;
                }
                Ok(count) => {
                    if slot.times.first_byte == 0 {
                        slot.times.first_byte = now;
                    }
                    match slot
                        .response
                        .feed(&self.buffer[..count], self.job.expected_body.as_deref())
                    {
                        Ok(Progress::Done { excess }) => return self.answer(index, hangup, excess),
                        Ok(Progress::More) if count < self.buffer.len() && !hangup => return,
                        Ok(Progress::More) => {}
                        Err(_) => return self.fail(index, Cause::Parse),
                    }
                }
                Err(Errno::EINTR) => {}
                Err(errno) => return self.fail(index, Cause::of(errno)),
            }
        }
    }

    /// Judges a complete answer, keeps or closes the connection, and goes on.
    fn answer(&mut self, index: u32, hangup: bool, excess: usize) {
        let slot = &self.slots[index as usize];
        let response = &slot.response;
        let status = response.status().unwrap_or(0);
        let outcome = if !(200..300).contains(&status) {
            Outcome::Failed(Cause::Status(status), Phase::MidBody)
        } else if excess > 0
            || self
                .job
                .expected_body
                .as_ref()
                .is_some_and(|body| !response.body_is(body))
        {
            Outcome::Failed(Cause::BadBody, Phase::MidBody)
        } else {
            Outcome::Ok
        };
        let reusable = response.keep_alive() && slot.served < self.job.requests_per_connection;
        let keep = reusable && !hangup && excess == 0;
        let end = self.now;
        if !keep {
            self.close(index, hangup);
        }
        self.conclude(index, end, outcome);
    }

    /// Ends the request as failed at the last reading of the clock, with its connection.
    pub(super) fn fail(&mut self, index: u32, cause: Cause) {
        if self.finished {
            return;
        }
        let slot = &self.slots[index as usize];
        let times = &slot.times;
        let phase = if times.first_byte > 0 {
            Phase::MidBody
        } else if times.connected > 0 || slot.served > 0 {
            Phase::BeforeFirstByte
        } else {
            Phase::Connect
        };
        let end = self.now;
        // A refusal or a reset leaves no TIME_WAIT behind; of the rest nothing is known.
        self.close(
            index,
            matches!(cause, Cause::Refused | Cause::Reset | Cause::ClosedEarly),
        );
        self.conclude(index, end, Outcome::Failed(cause, phase));
    }

    /// Ends requests that have waited too long.
    pub(super) fn expire(&mut self) {
        while let Some(oldest) = self.deadlines.oldest() {
            let start = self.slots[oldest as usize].times.start;
            if self.finished || self.now.saturating_sub(start) < self.job.timeout_ns {
                return;
            }
            self.fail(oldest, Cause::Timeout);
            self.tick();
        }
    }

    /// Enters the outcome and finds the slot its next work.
    fn conclude(&mut self, index: u32, end: u64, outcome: Outcome) {
        self.deadlines.remove(&mut self.slots, index);
        self.in_flight -= 1;
        let slot = &mut self.slots[index as usize];
        slot.times.end = end;
        slot.state = State::Idle;
        let by_count = matches!(
            self.job.task,
            Task::Closed {
                end: ClosedEnd::Requests(_),
                ..
            }
        );
        if (self.window.open..self.window.close).contains(&end) && (slot.counted || !by_count) {
            self.ledger.ended += 1;
            self.ledger.good += u64::from(outcome == Outcome::Ok);
        }
        if slot.counted {
            slot.counted = false;
            self.in_flight_counted -= 1;
            self.window.last_end = end;
            self.recorder.record(&slot.times, outcome);
        }
        if let Task::Open { .. } = self.job.task {
            if slot.fd.is_some() {
                self.kept.push(index);
            } else {
                self.free.push(index);
            }
        } else if outcome == Outcome::Ok {
            slot.streak = 0;
            self.begin_client(index, end);
        } else {
            self.back_off(index, end);
        }
    }

    /// Makes a client wait before it tries again: concurrency does not shrink, and a dead server is not hammered.
    fn back_off(&mut self, index: u32, end: u64) {
        let slot = &mut self.slots[index as usize];
        let pause = (BACKOFF_NS << slot.streak.min(7)).min(BACKOFF_MOST_NS);
        slot.streak += 1;
        slot.state = State::BackingOff(end + pause);
        if self.window.opened() {
            self.ledger.backoff_ns += pause;
        }
        self.retries.push(Reverse((end + pause, index)));
    }

    /// Gives up a kept connection on which no request is under way.
    fn drop_kept(&mut self, index: u32) {
        self.close(index, true);
        if let Some(at) = self.kept.iter().position(|kept| *kept == index) {
            self.kept.swap_remove(at);
            self.free.push(index);
        }
    }

    /// Closes the connection of a slot; `hangup` says that the other side closed first, which frees the port at once.
    fn close(&mut self, index: u32, hangup: bool) {
        let slot = &mut self.slots[index as usize];
        if slot.fd.take().is_some() && hangup {
            self.sources.release(slot.source);
        }
    }
}
