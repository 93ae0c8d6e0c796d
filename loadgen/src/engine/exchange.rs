//! One request from its start to its end: what a worker makes of what its transport says.

use std::cmp::Reverse;

use nix::errno::Errno;

use super::job::{ClosedEnd, Task};
use super::slot::State;
use super::transport::{Event, Happened, Request, Transport};
use super::worker::Worker;
use crate::answer::Judgement;
use crate::recorder::{Cause, Outcome, Phase, Times};
use crate::response::{Malformed, Progress};
use crate::workload::Conversation;

/// First pause of a client after a failure, doubled with each further one.
const BACKOFF_NS: u64 = 1_000_000;

/// Longest such pause, about 2^7 first ones.
const BACKOFF_MOST_NS: u64 = 100_000_000;

impl<T: Transport> Worker<'_, T> {
    /// Lets a closed-loop client begin its next request, or leave when the asked number has been begun.
    pub(super) fn begin_client(&mut self, index: u32, intended: u64) {
        // First the clock: it may open the window, and that decides whether the request belongs to it.
        self.tick();
        let counted = self.window.opened();
        let by_count = match self.job.task {
            Task::Closed(ClosedEnd::Requests(requests)) => Some(requests),
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

    /// Begins a request on slot `index`, over its kept connection if it has one; the clock has just been read.
    pub(super) fn begin(&mut self, index: u32, intended: u64, counted: bool) {
        let start = self.now;
        let slot = &mut self.slots[index as usize];
        slot.times = Times {
            intended,
            start,
            ..Times::default()
        };
        slot.counted = counted;
        slot.moved_on = false;
        slot.answer.reset();
        slot.state = State::InFlight;
        self.in_flight += 1;
        if counted {
            self.ledger.sent += 1;
            self.in_flight_counted += 1;
        }
        self.deadlines.push(&mut self.slots, index);
        if self.slots[index as usize].open {
            let request = self.next_request(index);
            self.transport.write(index, request);
        } else {
            self.connect(index);
        }
    }

    fn connect(&mut self, index: u32) {
        let source = self.sources.charge();
        let slot = &mut self.slots[index as usize];
        slot.source = source;
        slot.open = true;
        slot.served = 0;
        let request = self.next_request(index);
        self.transport.open(index, self.sources.address(), request);
    }

    /// The next request on the connection of slot `index`, as if it had been sent.
    fn next_request(&mut self, index: u32) -> Request {
        let slot = &mut self.slots[index as usize];
        slot.served += 1;
        if slot.served >= self.job.requests_per_connection {
            Request::Last
        } else {
            Request::More
        }
    }

    /// Acts on what happened to a connection.
    pub(super) fn handle(&mut self, event: Event) {
        self.note(event.at);
        let (index, at) = (event.slot, event.at);
        let slot = &mut self.slots[index as usize];
        if self.finished {
            return;
        }
        if !slot.in_flight() {
            // A kept connection on which the server gave up, or spoke out of turn.
            self.drop_kept(index);
            return;
        }
        match event.what {
            Happened::Connected => slot.times.connected = at,
            Happened::Written => {
                if slot.served == 1 && slot.times.connected == 0 {
                    // Known since the write went through, so stamped after it.
                    slot.times.connected = at;
                }
                slot.times.written = at;
            }
            Happened::Received { hangup } => self.take_in(index, at, hangup),
            Happened::Ended => match slot.answer.finish() {
                Ok(true) => self.answered(index, at, true, 0),
                Ok(false) => self.break_off(index, at, Cause::ClosedEarly),
                Err(malformed) => self.fail(index, at, Cause::Malformed(malformed)),
            },
            // Somebody else used the ports up: the next address has its own.
            Happened::Failed(Errno::EADDRNOTAVAIL) if !slot.moved_on && self.sources.move_on() => {
                self.slots[index as usize].moved_on = true;
                self.close(index, false);
                self.connect(index);
            }
            Happened::Failed(errno) => {
                let cause = Cause::of(errno);
                // Only an established connection can be reset: one in the making is refused.
                if cause == Cause::Reset && slot.times.connected == 0 && slot.served == 1 {
                    slot.times.connected = at;
                }
                self.break_off(index, at, cause);
            }
        }
    }

    /// Acts on the end of a connection before that of the answer. Where a kept one ends before the first byte, the server
    /// most likely closed it between requests, and the request is sent again on a new one, as clients do with a GET
    /// (RFC 9112 §9.3.1).
    fn break_off(&mut self, index: u32, at: u64, cause: Cause) {
        let slot = &mut self.slots[index as usize];
        let was_kept = slot.served > 1 && slot.times.first_byte == 0;
        let was_closed = matches!(cause, Cause::Reset | Cause::ClosedEarly);
        if was_kept && was_closed && self.job.conversation == Conversation::Http {
            slot.times.written = 0;
            self.count_closed_between();
            self.close(index, true);
            self.connect(index);
        } else {
            self.fail(index, at, cause);
        }
    }

    /// Counts a kept connection that the server closed while it owed no answer.
    fn count_closed_between(&mut self) {
        if self.window.opened() {
            self.ledger.closed_between_requests += 1;
        }
    }

    /// Takes in bytes of the answer.
    fn take_in(&mut self, index: u32, at: u64, hangup: bool) {
        let slot = &mut self.slots[index as usize];
        if slot.times.first_byte == 0 {
            slot.times.first_byte = at;
        }
        let bytes = self.transport.received();
        match slot.answer.feed(bytes, self.job.expected.as_deref()) {
            Ok(Progress::Done { excess }) => self.answered(index, at, hangup, excess),
            Ok(Progress::More) => {}
            Err(malformed) => self.fail(index, at, Cause::Malformed(malformed)),
        }
    }

    /// Judges a complete answer, keeps or closes the connection, and goes on.
    fn answered(&mut self, index: u32, end: u64, hangup: bool, excess: usize) {
        let slot = &self.slots[index as usize];
        let outcome = match slot.answer.judge(self.job.expected.as_deref()) {
            Judgement::Status(status) => Outcome::Failed(Cause::Status(status), Phase::Head),
            Judgement::Right if excess == 0 => Outcome::Ok,
            Judgement::Right | Judgement::Differs => {
                Outcome::Failed(Cause::BadBody, Phase::MidBody)
            }
        };
        let reusable = slot.answer.keep_alive() && slot.served < self.job.requests_per_connection;
        let keep = reusable && !hangup && excess == 0;
        if reusable && hangup {
            self.count_closed_between();
        }
        if !keep {
            self.close(index, hangup);
        }
        self.conclude(index, end, outcome);
    }

    /// Ends the request as failed at `end`, with its connection. What a complete head says comes before what broke after it.
    fn fail(&mut self, index: u32, end: u64, cause: Cause) {
        let slot = &self.slots[index as usize];
        let times = &slot.times;
        let why = slot.answer.bad_status().map_or(cause, Cause::Status);
        let by_head = matches!(why, Cause::Status(_) | Cause::Malformed(Malformed::Framing));
        let phase = if by_head || times.first_byte > 0 && slot.answer.is_in_head() {
            Phase::Head
        } else if times.first_byte > 0 {
            Phase::MidBody
        } else if times.connected > 0 || slot.served > 1 {
            Phase::BeforeFirstByte
        } else {
            Phase::Connect
        };
        // A refusal or a reset leaves no TIME_WAIT behind; of the rest nothing is known.
        let port_is_free = matches!(cause, Cause::Refused | Cause::Reset | Cause::ClosedEarly);
        self.close(index, port_is_free);
        self.conclude(index, end, Outcome::Failed(why, phase));
    }

    /// Ends requests that have waited too long.
    pub(super) fn expire(&mut self) {
        // An answer that came in time must not be called late because it has not been looked at yet.
        let told_until = self.transport.told_until();
        while let Some(oldest) = self.deadlines.oldest() {
            let start = self.slots[oldest as usize].times.start;
            if self.finished || told_until.saturating_sub(start) < self.job.timeout_ns {
                return;
            }
            self.fail(oldest, self.now, Cause::Timeout);
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
        let by_count = matches!(self.job.task, Task::Closed(ClosedEnd::Requests(_)));
        if (self.window.open..self.window.close).contains(&end) && (slot.counted || !by_count) {
            self.ledger.ended += 1;
            if outcome == Outcome::Ok {
                self.ledger.good += 1;
                self.ledger.answers.record(end - self.window.open);
            }
        }
        if slot.counted {
            slot.counted = false;
            self.in_flight_counted -= 1;
            self.window.last_end = self.window.last_end.max(end);
            self.recorder.record(&slot.times, outcome);
        }
        if let Task::Open { .. } = self.job.task {
            if slot.open {
                self.kept.push_back(index);
            } else {
                self.free.push(index);
            }
        } else if outcome != Outcome::Ok {
            let pause = (BACKOFF_NS << slot.streak.min(7)).min(BACKOFF_MOST_NS);
            slot.streak += 1;
            self.pause(index, end, pause);
        } else {
            slot.streak = 0;
            if self.job.think_ns == 0 {
                self.begin_client(index, end);
            } else {
                self.pause(index, end, self.job.think_ns);
            }
        }
    }

    /// Makes a client wait before its next request: it thinks, or it failed and a dead server is not to be hammered.
    /// Concurrency does not shrink.
    fn pause(&mut self, index: u32, end: u64, length: u64) {
        self.slots[index as usize].state = State::Pausing(end + length);
        if self.window.opened() {
            self.ledger.paused_ns += length;
            if self.slots[index as usize].backs_off() {
                self.ledger.backoff_ns += length;
            }
        }
        self.pauses.push(Reverse((end + length, index)));
    }

    /// Gives up a kept connection on which no request is under way.
    fn drop_kept(&mut self, index: u32) {
        self.count_closed_between();
        self.close(index, true);
        if let Some(at) = self.kept.iter().position(|kept| *kept == index) {
            self.kept.remove(at);
            self.free.push(index);
        }
    }

    /// Closes the connection of a slot; `port_is_free` says that the other side closed first, or nothing was
    /// established.
    fn close(&mut self, index: u32, port_is_free: bool) {
        let slot = &mut self.slots[index as usize];
        if !std::mem::take(&mut slot.open) {
            return;
        }
        self.transport.close(index);
        // A reset leaves nothing behind, on either side.
        if port_is_free || self.job.reset_on_close {
            self.sources.release(slot.source);
        }
    }
}
