//! One request from start to end: how a worker handles the events of its transport.

use std::cmp::Reverse;

use nix::errno::Errno;

use super::slot::State;
use super::transport::{Transport, TransportEvent, TransportEventKind, TransportRequest};
use super::worker::Worker;
use crate::request::{Cause, Phase, RequestOutcome, RequestTimes};
use crate::response::{InvalidResponse, ParseProgress};

/// First pause of a client after a failure; each further failure in a row doubles it.
const BACKOFF_NS: u64 = 1_000_000;

/// Longest such pause, reached with the seventh doubling.
const BACKOFF_MAX_NS: u64 = 100_000_000;

impl<T: Transport> Worker<'_, T> {
    /// Begins the next request of a closed-loop client. The client leaves if the requested number has been begun.
    pub(super) fn begin_client(&mut self, index: u32, intended: u64) {
        // Read the clock first: this may open the window, which decides whether the request belongs to it.
        self.tick();
        let counted = self.window.opened();
        let slot = &mut self.slots[index as usize];
        if let Some(requests) = self.job.requests_max()
            && counted
        {
            if self.window_counts.sent == requests {
                if slot.joined > 0 {
                    self.window_counts.client_ns += intended - slot.joined;
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

    /// Begins a request on slot `index`, over its kept connection if it has one. The caller has just read the clock.
    pub(super) fn begin(&mut self, index: u32, intended: u64, counted: bool) {
        let start = self.now;
        let url = self.url_chooser.choose();
        let slot = &mut self.slots[index as usize];
        slot.url = url;
        slot.times = RequestTimes {
            intended,
            start,
            ..RequestTimes::default()
        };
        slot.counted = counted;
        slot.moved_on = false;
        slot.answer.reset();
        slot.state = State::InFlight;
        self.in_flight += 1;
        if counted {
            self.window_counts.sent += 1;
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

    /// Counts the next request on the connection of slot `index`, and returns it.
    fn next_request(&mut self, index: u32) -> TransportRequest {
        let slot = &mut self.slots[index as usize];
        slot.served += 1;
        let is_last = slot.served >= self.job.requests_per_connection;
        TransportRequest::new(slot.url, is_last)
    }

    pub(super) fn handle(&mut self, event: TransportEvent) {
        self.note(event.at);
        let (index, at) = (event.slot, event.at);
        let slot = &mut self.slots[index as usize];
        if self.finished {
            return;
        }
        if !slot.in_flight() {
            // On an idle kept connection, the server closed or sent unrequested bytes.
            self.drop_kept(index);
            return;
        }
        match event.what {
            TransportEventKind::Connected => slot.times.connected = at,
            TransportEventKind::Written => {
                if slot.served == 1 && slot.times.connected == 0 {
                    // Only the write shows that it is established, so the timestamp is taken after it.
                    slot.times.connected = at;
                }
                slot.times.written = at;
            }
            TransportEventKind::Received { hangup } => self.take_in(index, at, hangup),
            TransportEventKind::Ended => match slot.answer.finish() {
                Ok(true) => self.answered(index, at, true, 0),
                Ok(false) => self.break_off(index, at, Cause::ClosedEarly),
                Err(malformed) => self.fail(index, at, Cause::InvalidResponse(malformed)),
            },
            // Other programs use the ports of this address; the next address has its own.
            TransportEventKind::Failed(Errno::EADDRNOTAVAIL)
                if !slot.moved_on && self.sources.move_on() =>
            {
                self.slots[index as usize].moved_on = true;
                self.close(index, false);
                self.connect(index);
            }
            TransportEventKind::Failed(errno) => {
                let cause = Cause::from_errno(errno);
                // Only an established connection can be reset: a connection attempt is refused.
                if cause == Cause::Reset && slot.times.connected == 0 && slot.served == 1 {
                    slot.times.connected = at;
                }
                self.break_off(index, at, cause);
            }
        }
    }

    /// Handles a connection that ends before the answer is complete. If a kept connection ends before the first byte,
    /// the server most likely closed it between requests. The request is then sent again on a new connection, unless its
    /// method forbids that: the server may have processed it (RFC 9110 §9.2.2).
    fn break_off(&mut self, index: u32, at: u64, cause: Cause) {
        let slot = &mut self.slots[index as usize];
        let was_kept = slot.served > 1 && slot.times.first_byte == 0;
        let was_closed = matches!(cause, Cause::Reset | Cause::ClosedEarly);
        if was_kept && was_closed && self.job.is_repeatable() {
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
            self.window_counts.closed_between_requests += 1;
        }
    }

    /// Parses received bytes of the answer.
    fn take_in(&mut self, index: u32, at: u64, hangup: bool) {
        let slot = &mut self.slots[index as usize];
        if slot.times.first_byte == 0 {
            slot.times.first_byte = at;
        }
        let bytes = self.transport.received();
        match slot.answer.feed(bytes, &self.job.expected) {
            Ok(ParseProgress::Done { excess }) => self.answered(index, at, hangup, excess),
            Ok(ParseProgress::More) => {}
            Err(malformed) => self.fail(index, at, Cause::InvalidResponse(malformed)),
        }
    }

    /// Judges a complete answer, keeps or closes the connection, and concludes the request.
    fn answered(&mut self, index: u32, end: u64, hangup: bool, excess: usize) {
        let slot = &self.slots[index as usize];
        let outcome = slot.answer.outcome(&self.job.expected, excess);
        // A server may answer before it has read a long body; the next request must not follow half of one.
        let is_written = slot.times.written > 0;
        let asks_again = slot.served < self.job.requests_per_connection;
        let reusable = slot.answer.keep_alive() && is_written && asks_again;
        let keep = reusable && !hangup && excess == 0;
        if reusable && hangup {
            self.count_closed_between();
        }
        if !keep {
            self.close(index, hangup);
        }
        self.conclude(index, end, outcome);
    }

    /// Ends the request as failed at `end`, and closes its connection. A bad status in a complete head takes precedence
    /// over a later failure.
    fn fail(&mut self, index: u32, end: u64, cause: Cause) {
        let slot = &self.slots[index as usize];
        let times = &slot.times;
        let bad_status = slot.answer.bad_status(&self.job.expected);
        let why = bad_status.map_or(cause, Cause::Status);
        let by_head = matches!(
            why,
            Cause::Status(_) | Cause::InvalidResponse(InvalidResponse::Framing)
        );
        let phase = if by_head || times.first_byte > 0 && slot.answer.is_in_head() {
            Phase::Head
        } else if times.first_byte > 0 {
            Phase::MidBody
        } else if times.connected > 0 || slot.served > 1 {
            Phase::BeforeFirstByte
        } else {
            Phase::Connect
        };
        // A refusal, a reset or a close by the server leaves no TIME_WAIT here; otherwise this is not known.
        let port_is_free = matches!(cause, Cause::Refused | Cause::Reset | Cause::ClosedEarly);
        self.close(index, port_is_free);
        self.conclude(index, end, RequestOutcome::Failed(why, phase));
    }

    /// Ends requests whose timeout has expired.
    pub(super) fn expire(&mut self) {
        // An answer that arrived in time must not count as late only because it has not been read yet.
        let reported_until = self.transport.reported_until();
        while let Some(oldest) = self.deadlines.oldest() {
            let start = self.slots[oldest as usize].times.start;
            if self.finished || reported_until.saturating_sub(start) < self.job.timeout_ns {
                return;
            }
            self.fail(oldest, self.now, Cause::Timeout);
            self.tick();
        }
    }

    /// Records the outcome, and decides what the slot does next.
    fn conclude(&mut self, index: u32, end: u64, outcome: RequestOutcome) {
        self.deadlines.remove(&mut self.slots, index);
        self.in_flight -= 1;
        let slot = &mut self.slots[index as usize];
        slot.times.end = end;
        slot.state = State::Idle;
        let by_time = self.job.requests_max().is_none();
        if (self.window.open..self.window.close).contains(&end) && (slot.counted || by_time) {
            self.window_counts.ended += 1;
            if outcome == RequestOutcome::Ok {
                self.window_counts.good += 1;
                self.window_counts.answers.record(end - self.window.open);
            }
        }
        if slot.counted {
            slot.counted = false;
            self.in_flight_counted -= 1;
            self.window.last_end = self.window.last_end.max(end);
            self.recorder.record(&slot.times, outcome);
            self.recorder.record_url(slot.url, &slot.times, outcome);
        }
        if self.job.is_open() {
            if slot.open {
                self.kept.push_back(index);
            } else {
                self.free.push(index);
            }
        } else if outcome != RequestOutcome::Ok {
            let pause = (BACKOFF_NS << slot.streak.min(7)).min(BACKOFF_MAX_NS);
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

    /// Makes a client wait before its next request: think time, or backoff so that a dead server is not flooded. The
    /// number of clients does not shrink.
    fn pause(&mut self, index: u32, end: u64, length: u64) {
        self.slots[index as usize].state = State::Pausing(end + length);
        if self.window.opened() {
            self.window_counts.paused_ns += length;
            if self.slots[index as usize].backs_off() {
                self.window_counts.backoff_ns += length;
            }
        }
        self.pauses.push(Reverse((end + length, index)));
    }

    /// Closes a kept connection on which no request is under way.
    fn drop_kept(&mut self, index: u32) {
        self.count_closed_between();
        self.close(index, true);
        if let Some(at) = self.kept.iter().position(|kept| *kept == index) {
            self.kept.remove(at);
            self.free.push(index);
        }
    }

    /// Closes the connection of a slot. `port_is_free` means that the other side closed first, or that no connection
    /// was established.
    fn close(&mut self, index: u32, port_is_free: bool) {
        let slot = &mut self.slots[index as usize];
        if !std::mem::take(&mut slot.open) {
            return;
        }
        self.transport.close(index);
        // A reset leaves no TIME_WAIT on either side.
        if port_is_free || self.job.resets_on_close() {
            self.sources.release(slot.source);
        }
    }
}
