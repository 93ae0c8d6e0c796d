//! One worker thread: its loop, its pacing, and its view of the measured window.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use super::Probe;
use super::job::{ClosedEnd, Job, Task};
use super::ledger::{Gauge, Ledger, SEND_BINS};
use super::slot::{Deadlines, Slot, State};
use super::source::Sources;
use super::start::SetupError;
use super::transport::Transport;
use super::window::{Phase, Window};
use crate::answer::Answer;
use crate::recorder::Recorder;
use crate::schedule::Instants;
use crate::strips::{self, Strips};
use crate::sys;
use crate::workload::Pacing;

/// Longest sleep, so that a request to stop is seen in time.
const NAP_NS: u64 = 50_000_000;

/// How often the gauges are refreshed.
const GAUGE_NS: u64 = 100_000_000;

/// Clients started per turn, so that the answers to the first ones are not left waiting for the last one's start.
const LAUNCHED_AT_ONCE: u32 = 256;

/// Events handled per turn, so that the rest of the turn comes round however busy the connections are.
const HANDLED_AT_ONCE: u32 = 1024;

/// Shortest delay of the thread that counts as time away. Where ten threads want two CPUs, single delays reach 50 ms and
/// mean nothing but a busy machine; a CPU quota of 30 ms in periods of 100 ms makes delays of 70.
const AWAY_LEAST_NS: u64 = 60_000_000;

/// What all threads of a run see: the start, and an early end.
pub(super) struct Signals<'run> {
    /// Instant to stop at; `u64::MAX` when the plan decides.
    pub(super) stop_at_ns: AtomicU64,
    /// Told of both ends of the window by the first thread.
    pub(super) probe: &'run dyn Probe,
}

/// What one thread brings back.
#[derive(Debug)]
pub(super) struct Yield {
    pub(super) recorder: Recorder,
    pub(super) ledger: Ledger,
}

pub(super) struct Worker<'run, T> {
    pub(super) job: &'run Job,
    signals: &'run Signals<'run>,
    gauge: &'run Gauge,
    pub(super) transport: T,
    pub(super) slots: Vec<Slot>,
    /// Slots without a connection, and with an idle one (open loop).
    pub(super) free: Vec<u32>,
    pub(super) kept: VecDeque<u32>,
    pub(super) deadlines: Deadlines,
    /// Clients that pause, by the end of their pause.
    pub(super) pauses: BinaryHeap<Reverse<(u64, u32)>>,
    pub(super) sources: Sources,
    pub(super) recorder: Recorder,
    pub(super) ledger: Ledger,
    /// Last reading of the clock.
    pub(super) now: u64,
    /// Until when the thread had nothing to do but wait.
    awaited: u64,
    pub(super) window: Window,
    pub(super) in_flight: u64,
    pub(super) in_flight_counted: u64,
    /// Set when the window is over for good: what ends later is not recorded.
    pub(super) finished: bool,
    started: u64,
    instants: Option<Instants>,
    waiting_for_slot: bool,
    gauge_due: u64,
}

impl<'run, T: Transport> Worker<'run, T> {
    /// Prepares everything that can fail before the start.
    ///
    /// # Errors
    /// What the system refused.
    pub(super) fn new(
        job: &'run Job,
        signals: &'run Signals<'run>,
        gauge: &'run Gauge,
    ) -> Result<Self, SetupError> {
        let refused = |refused: String| {
            |errno: nix::errno::Errno| SetupError {
                refused,
                source: errno.into(),
            }
        };
        if let Some(cpu) = job.cpu {
            sys::pin_to(cpu).map_err(refused(format!("cannot run on CPU {cpu} (--cpus)")))?;
        }
        sys::tighten_timers().map_err(refused("cannot set its timer slack (prctl)".into()))?;
        let transport = T::new(job).map_err(refused(format!("cannot use {}", T::NEEDS)))?;
        let (slots, instants) = match &job.task {
            Task::Closed(_) => (job.connections, None),
            Task::Open { instants, .. } => (job.connections.min(1024), Some(instants.clone())),
        };
        Ok(Self {
            job,
            signals,
            gauge,
            transport,
            slots: Vec::with_capacity(slots as usize),
            free: Vec::new(),
            kept: VecDeque::new(),
            deadlines: Deadlines::new(),
            pauses: BinaryHeap::new(),
            sources: Sources::new(job),
            recorder: Recorder::new(),
            ledger: Ledger::new(),
            now: 0,
            awaited: 0,
            window: Window::new(0, u64::MAX, job.timeout_ns),
            in_flight: 0,
            in_flight_counted: 0,
            finished: false,
            started: 0,
            instants,
            waiting_for_slot: false,
            gauge_due: 0,
        })
    }

    /// Runs the load; `started` is the start of the run on the monotonic clock.
    pub(super) fn run(mut self, started: u64) -> nix::Result<Yield> {
        self.started = started;
        self.now = started;
        let open = started.saturating_add(self.job.open_ns);
        let close = match self.job.task {
            Task::Closed(ClosedEnd::After(duration)) => open.saturating_add(duration),
            Task::Closed(ClosedEnd::Requests(_)) => u64::MAX,
            Task::Open { end_ns, .. } => started.saturating_add(end_ns),
        };
        self.window = Window::new(open, close, self.job.timeout_ns);
        self.recorder.strips = Strips::of(
            open,
            close,
            match self.job.task {
                Task::Closed(_) => strips::Instant::Ended,
                Task::Open { .. } => strips::Instant::Intended,
            },
        );
        self.tick();
        while !self.done() {
            self.heed_stop();
            self.launch();
            let pause_ns = self.pause_ns();
            self.transport.wait(pause_ns)?;
            self.wake(pause_ns);
            for _ in 0..HANDLED_AT_ONCE {
                let Some(event) = self.transport.next() else {
                    break;
                };
                if self.finished {
                    break;
                }
                self.handle(event);
                self.launch_due();
            }
            self.expire();
            self.show();
        }
        Ok(self.close_books())
    }

    /// Reads the clock.
    pub(super) fn tick(&mut self) {
        self.note(sys::now_ns());
    }

    /// Reads the clock after a wait that was to take so long at most.
    fn wake(&mut self, pause_ns: u64) {
        // The wait is no time away; of what is beyond it the clock makes a stretch.
        self.awaited = self.now.saturating_add(pause_ns);
        self.tick();
    }

    /// Notes an instant, which may be a little before others noted already, and moves the window on when it is time.
    pub(super) fn note(&mut self, at: u64) {
        let known = self.now.max(self.awaited);
        if at.saturating_sub(known) >= AWAY_LEAST_NS {
            self.count_away(known, at);
        }
        self.now = self.now.max(at);
        if self.now >= self.window.boundary {
            self.turn_phase();
        }
    }

    /// Counts a stretch without a reading of the clock, as far as it lies in the window; late answers of an open loop belong
    /// to the measurement, too.
    fn count_away(&mut self, from: u64, to: u64) {
        let end = match self.job.task {
            Task::Closed(_) => self.window.close,
            Task::Open { .. } => self.window.close.saturating_add(self.window.grace_ns),
        };
        let away_ns = to.min(end).saturating_sub(from.max(self.window.open));
        self.ledger.away_ns += away_ns;
        self.ledger.away_longest_ns = self.ledger.away_longest_ns.max(away_ns);
    }

    fn turn_phase(&mut self) {
        if self.window.phase == Phase::WarmingUp {
            self.window.phase = Phase::Measuring;
            self.window.boundary = self.window.close;
            if self.job.thread == 0 {
                self.signals.probe.window_opened();
            }
            self.window.cpu_at_open = sys::thread_cpu_ns();
            self.window.opened_at = self.now;
            if matches!(self.job.task, Task::Closed(ClosedEnd::After(_))) {
                self.take_over();
            }
        }
        if self.window.phase == Phase::Measuring && self.now >= self.window.close {
            self.window.phase = Phase::Grace;
            self.window.boundary = self.window.close.saturating_add(self.window.grace_ns);
            if self.job.thread == 0 {
                self.signals.probe.window_closed();
            }
            self.count_cpu();
            self.finished |= matches!(self.job.task, Task::Closed(_));
        }
        if self.window.phase == Phase::Grace && self.now >= self.window.boundary {
            self.finished = true;
        }
    }

    /// Hands the requests under way over to a window that counts by completion.
    fn take_over(&mut self) {
        let open = self.window.open;
        for slot in &mut self.slots {
            if slot.in_flight() {
                slot.counted = true;
                self.ledger.sent += 1;
                self.in_flight_counted += 1;
                self.ledger.carried_in_ns += open.saturating_sub(slot.times.intended);
            } else if let State::Pausing(until) = slot.state {
                let rest_ns = until.saturating_sub(open);
                self.ledger.paused_ns += rest_ns;
                self.ledger.backoff_ns += if slot.backs_off() { rest_ns } else { 0 };
            }
        }
    }

    fn count_cpu(&mut self) {
        self.ledger.cpu_ns = sys::thread_cpu_ns().saturating_sub(self.window.cpu_at_open);
        self.ledger.cpu_wall_ns = self.now - self.window.opened_at;
    }

    /// Brings the end forward when the caller asks for it; what is under way then stays without an outcome.
    fn heed_stop(&mut self) {
        let stop_at = self.signals.stop_at_ns.load(Ordering::Relaxed);
        if stop_at == u64::MAX {
            return;
        }
        self.window.grace_ns = 0;
        match self.window.phase {
            Phase::WarmingUp if stop_at <= self.window.open => self.finished = true,
            Phase::WarmingUp | Phase::Measuring => {
                self.window.close = self.window.close.min(stop_at.max(self.now));
                if self.window.phase == Phase::Measuring {
                    self.window.boundary = self.window.close;
                }
            }
            Phase::Grace => self.finished = true,
        }
    }

    fn done(&self) -> bool {
        let settled = self.in_flight_counted == 0;
        self.finished
            || match self.job.task {
                Task::Closed(ClosedEnd::After(_)) => false,
                Task::Closed(ClosedEnd::Requests(requests)) => {
                    settled && self.ledger.sent >= requests
                }
                Task::Open { .. } => {
                    settled && self.window.phase == Phase::Grace && self.next_due().is_none()
                }
            }
    }

    /// Begins whatever is to be begun now.
    fn launch(&mut self) {
        if let Task::Closed(_) = self.job.task {
            for _ in 0..LAUNCHED_AT_ONCE {
                let Some(joins_at) = self.next_joins_at() else {
                    break;
                };
                if joins_at > self.now || self.finished {
                    break;
                }
                let index = self.new_slot();
                // Without a ramp all are wanted at once, but not before their turn: the start is no measurement.
                let intended = if self.job.ramp_ns == 0 {
                    self.now
                } else {
                    joins_at
                };
                self.begin_client(index, intended);
            }
        }
        if self.job.opens_first {
            for _ in 0..LAUNCHED_AT_ONCE {
                if self.slots.len() == self.job.connections as usize || self.window.opened() {
                    break;
                }
                let index = self.new_slot();
                self.tick();
                self.begin(index, self.now, false);
            }
        }
        while let Some(Reverse((due, index))) = self.pauses.peek().copied() {
            if due > self.now || self.finished {
                break;
            }
            self.pauses.pop();
            self.begin_client(index, due);
        }
        self.launch_due();
    }

    /// Begins the open-loop requests whose instant has come, as far as connections are free.
    fn launch_due(&mut self) {
        while let Some(due) = self.next_due() {
            if due > self.now || self.finished {
                self.waiting_for_slot = false;
                return;
            }
            let Some(index) = self.open_slot() else {
                self.waiting_for_slot = true;
                return;
            };
            if let Some(instants) = &mut self.instants {
                instants.next();
            }
            let counted = (self.window.open..self.window.close).contains(&due);
            self.tick();
            self.begin(index, due, counted);
            if counted {
                self.ledger.waited_for_slot += u64::from(self.waiting_for_slot);
                self.note_send();
            }
        }
    }

    /// Next open-loop instant that is still to be sent, in absolute time.
    fn next_due(&self) -> Option<u64> {
        let due = self.started.saturating_add(self.instants.as_ref()?.peek());
        (due < self.window.close).then_some(due)
    }

    /// A slot for an open-loop request: one with a kept connection rather than one without, and of those the one that has
    /// been idle longest, so that each connection has its turn.
    fn open_slot(&mut self) -> Option<u32> {
        self.kept
            .pop_front()
            .or_else(|| self.free.pop())
            .or_else(|| (self.slots.len() < self.job.connections as usize).then(|| self.new_slot()))
    }

    fn new_slot(&mut self) -> u32 {
        let index = u32::try_from(self.slots.len())
            .unwrap_or_else(|_| unreachable!("connections are counted in 32 bits"));
        self.slots
            .push(Slot::new(Answer::to(self.job.conversation)));
        index
    }

    /// When the next closed-loop client joins: one after the other over the ramp, all threads taken together.
    fn next_joins_at(&self) -> Option<u64> {
        let begun = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let Job {
            thread,
            threads,
            connections,
            ramp_ns,
            ..
        } = self.job;
        let place = u128::from(begun) * u128::from(*threads) + u128::from(*thread);
        let behind =
            u128::from(*ramp_ns) * place / (u128::from(*connections) * u128::from(*threads)).max(1);
        (begun < *connections).then(|| self.started + u64::try_from(behind).unwrap_or(*ramp_ns))
    }

    fn note_send(&mut self) {
        let Window { open, close, .. } = self.window;
        let at = u128::from(self.now.saturating_sub(open)) * SEND_BINS as u128
            / u128::from((close - open).max(1));
        if let Some(bin) = usize::try_from(at)
            .ok()
            .and_then(|at| self.ledger.sends.get_mut(at))
        {
            *bin += 1;
        }
    }

    /// How long there is nothing to do but wait for events.
    fn pause_ns(&self) -> u64 {
        if self.finished || self.job.pacing == Pacing::Spin {
            return 0;
        }
        let mut until = self.window.boundary.min(self.now + NAP_NS);
        if let Some(oldest) = self.deadlines.oldest() {
            until = until.min(
                self.slots[oldest as usize]
                    .times
                    .start
                    .saturating_add(self.job.timeout_ns),
            );
        }
        if let Some(Reverse((due, _))) = self.pauses.peek() {
            until = until.min(*due);
        }
        match self.job.task {
            Task::Closed(_) => {
                until = until.min(self.next_joins_at().unwrap_or(u64::MAX));
            }
            Task::Open { .. } if !self.waiting_for_slot => {
                until = until.min(self.next_due().unwrap_or(u64::MAX));
            }
            _ => {}
        }
        until.saturating_sub(self.now)
    }

    fn show(&mut self) {
        if self.now < self.gauge_due {
            return;
        }
        self.gauge_due = self.now + GAUGE_NS;
        if let Some(handover) = &self.gauge.handover {
            let (open, sent) = (self.window.open, self.ledger.sent);
            let boundary = handover.offer(self.now, open, sent, &mut self.recorder);
            self.gauge_due = self.gauge_due.min(boundary);
        }
        let [completed, failed] = self.recorder.ended();
        self.gauge.completed.store(completed, Ordering::Relaxed);
        self.gauge.failed.store(failed, Ordering::Relaxed);
        self.gauge
            .in_flight
            .store(self.in_flight, Ordering::Relaxed);
        self.gauge
            .offered
            .store(self.ledger.sent, Ordering::Relaxed);
    }

    fn close_books(mut self) -> Yield {
        if self.window.phase == Phase::Measuring {
            self.count_cpu();
        }
        let by_count = matches!(self.job.task, Task::Closed(ClosedEnd::Requests(_)));
        let end = if by_count && self.window.close == u64::MAX {
            self.window.last_end
        } else {
            self.window.close
        };
        self.ledger.window_ns = if self.window.opened() {
            end.saturating_sub(self.window.open)
        } else {
            0
        };
        let counted = self
            .slots
            .iter()
            .filter(|slot| slot.counted && slot.in_flight());
        for slot in counted {
            self.ledger.in_flight_at_end += 1;
            self.ledger.carried_out_ns += end.saturating_sub(slot.times.intended);
        }
        for slot in &self.slots {
            if slot.joined > 0 {
                self.ledger.client_ns += end.saturating_sub(slot.joined);
            }
            if let State::Pausing(until) = slot.state {
                let beyond = until.saturating_sub(end);
                self.ledger.paused_ns = self.ledger.paused_ns.saturating_sub(beyond);
                if slot.backs_off() {
                    self.ledger.backoff_ns = self.ledger.backoff_ns.saturating_sub(beyond);
                }
                // Over, and the next request not begun: the generator's lateness is the client's waiting.
                self.ledger.carried_out_ns += end.saturating_sub(until);
            }
        }
        if let Task::Closed(ClosedEnd::After(_)) = self.job.task {
            self.ledger.client_ns = u64::from(self.job.connections) * self.ledger.window_ns;
        }
        Yield {
            recorder: self.recorder,
            ledger: self.ledger,
        }
    }
}
