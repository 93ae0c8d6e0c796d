//! One worker thread: its loop and its pacing.

mod phases;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Probe;
use super::job::{Job, ThreadTask};
use super::slot::{Slot, SlotDeadlines};
use super::source::SourceAddresses;
use super::transport::Transport;
use super::url_chooser::UrlChooser;
use super::window::{Window, WindowPhase};
use super::window_counts::{SEND_BINS, WindowCounts, WorkerGauge};
use crate::answer::Answer;
use crate::recorder::Recorder;
use crate::schedule::Instants;
use crate::sys;
use crate::time_slices::{SliceKey, TimeSlices};
use crate::workload::Pacing;

/// Longest sleep, so that a request to stop is seen in time.
const SLEEP_MAX_NS: u64 = 50_000_000;

/// How often the gauge is refreshed.
const REFRESH_NS: u64 = 100_000_000;

/// Most clients started per round of the event loop, so that answers to the first do not wait until the last has
/// started.
const LAUNCHED_AT_ONCE: u32 = 256;

/// Most events handled per round, so that the rest of the event loop also runs if connections are busy.
const HANDLED_AT_ONCE: u32 = 1024;

/// What all threads of a run share: the instant of an early end, and the probe.
pub(super) struct Signals<'run> {
    /// Instant to stop at; `u64::MAX` when the plan decides.
    pub(super) stop_at_ns: AtomicU64,
    /// Called by the first thread when the window opens and closes.
    pub(super) probe: &'run dyn Probe,
}

/// What one thread returns.
#[derive(Debug)]
pub(super) struct WorkerResult {
    pub(super) recorder: Recorder,
    pub(super) window_counts: WindowCounts,
}

pub(super) struct Worker<'run, T> {
    pub(super) job: &'run Job<'run>,
    signals: &'run Signals<'run>,
    gauge: &'run WorkerGauge,
    pub(super) transport: T,
    pub(super) slots: Vec<Slot>,
    /// Slots without a connection, and slots with an idle one (open loop).
    pub(super) free: Vec<u32>,
    pub(super) kept: VecDeque<u32>,
    pub(super) deadlines: SlotDeadlines,
    /// Clients that pause, by the end of their pause.
    pub(super) pauses: BinaryHeap<Reverse<(u64, u32)>>,
    pub(super) sources: SourceAddresses,
    pub(super) recorder: Recorder,
    pub(super) window_counts: WindowCounts,
    /// Last reading of the clock.
    pub(super) now: u64,
    /// End of the last planned wait.
    awaited: u64,
    pub(super) window: Window,
    pub(super) in_flight: u64,
    pub(super) in_flight_counted: u64,
    /// Set when the window and its grace are over: what ends later is not recorded.
    pub(super) finished: bool,
    started: u64,
    instants: Option<Instants>,
    pub(super) url_chooser: UrlChooser,
    waiting_for_slot: bool,
    refresh_due: u64,
}

impl<'run, T: Transport> Worker<'run, T> {
    /// Prepares everything that can fail before the start.
    ///
    /// # Errors
    /// Says what the system refused.
    pub(super) fn new(
        job: &'run Job<'run>,
        signals: &'run Signals<'run>,
        gauge: &'run WorkerGauge,
    ) -> Result<Self, String> {
        let refused = |what: String| {
            move |errno: nix::errno::Errno| format!("{what}: {}", io::Error::from(errno))
        };
        if let Some(cpu) = job.cpu {
            sys::pin_to(cpu).map_err(refused(format!("cannot run on CPU {cpu} (--cpus)")))?;
        }
        sys::tighten_timers().map_err(refused("cannot set its timer slack (prctl)".into()))?;
        let transport = T::new(job).map_err(refused(format!("cannot use {}", T::NEEDS)))?;
        let (slots, instants) = match &job.task {
            ThreadTask::Open { instants, .. } => {
                (job.connections.min(1024), Some(instants.clone()))
            }
            _ => (job.connections, None),
        };
        Ok(Self {
            job,
            signals,
            gauge,
            transport,
            slots: Vec::with_capacity(slots as usize),
            free: Vec::new(),
            kept: VecDeque::new(),
            deadlines: SlotDeadlines::new(),
            pauses: BinaryHeap::new(),
            sources: SourceAddresses::new(job),
            recorder: Recorder::with_urls(job.workload.urls_recorded()),
            window_counts: WindowCounts::new(),
            now: 0,
            awaited: 0,
            window: Window::new(0, u64::MAX, 0),
            in_flight: 0,
            in_flight_counted: 0,
            finished: false,
            started: 0,
            instants,
            url_chooser: job.url_chooser.clone(),
            waiting_for_slot: false,
            refresh_due: 0,
        })
    }

    /// Runs the load; `started` is the start of the run on the monotonic clock.
    pub(super) fn run(mut self, started: u64) -> nix::Result<WorkerResult> {
        self.started = started;
        self.now = started;
        let open = started.saturating_add(self.job.open_ns);
        let (close, grace_ns, slice_key) = match self.job.task {
            ThreadTask::ClosedFor(duration) => (open.saturating_add(duration), 0, SliceKey::Ended),
            ThreadTask::ClosedRequests(_) => (u64::MAX, 0, SliceKey::Ended),
            ThreadTask::Open { end_ns, .. } => {
                let close = started.saturating_add(end_ns);
                (close, self.job.timeout_ns, SliceKey::Intended)
            }
        };
        self.window = Window::new(open, close, grace_ns);
        self.recorder.time_slices = TimeSlices::new(open, close, slice_key);
        self.tick();
        while !self.done() {
            self.check_stop();
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
            self.publish();
        }
        Ok(self.finish_counts())
    }

    fn done(&self) -> bool {
        let settled = self.in_flight_counted == 0;
        self.finished
            || match self.job.task {
                ThreadTask::ClosedFor(_) => false,
                ThreadTask::ClosedRequests(requests) => {
                    settled && self.window_counts.sent >= requests
                }
                ThreadTask::Open { .. } => {
                    settled && self.window.phase == WindowPhase::Grace && self.next_due().is_none()
                }
            }
    }

    /// Starts the clients and begins the requests that are due.
    fn launch(&mut self) {
        for _ in 0..LAUNCHED_AT_ONCE {
            let due = |joins_at: &u64| *joins_at <= self.now && !self.finished;
            let Some(joins_at) = self.next_joins_at().filter(due) else {
                break;
            };
            let index = self.new_slot();
            // Without a ramp, all clients are due at once, but their intended instant is their actual start: the start
            // is not measured.
            let ramps = self.job.ramp_ns > 0;
            self.begin_client(index, if ramps { joins_at } else { self.now });
        }
        if self.job.workload.kept_connections.is_some() {
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
                self.window_counts.waited_for_slot += u64::from(self.waiting_for_slot);
                self.note_send();
            }
        }
    }

    /// Next open-loop instant that is still to be sent, in absolute time.
    fn next_due(&self) -> Option<u64> {
        let due = self.started.saturating_add(self.instants.as_ref()?.peek());
        (due < self.window.close).then_some(due)
    }

    /// A slot for an open-loop request: one with a kept connection if there is one, and of those the one idle longest,
    /// so that all connections are used in turn.
    fn open_slot(&mut self) -> Option<u32> {
        self.kept
            .pop_front()
            .or_else(|| self.free.pop())
            .or_else(|| (self.slots.len() < self.job.connections as usize).then(|| self.new_slot()))
    }

    fn new_slot(&mut self) -> u32 {
        let index = u32::try_from(self.slots.len())
            .unwrap_or_else(|_| unreachable!("connections are counted in 32 bits"));
        let workload = self.job.workload;
        let answer = Answer::new(workload.conversation, &workload.method);
        self.slots.push(Slot::new(answer));
        index
    }

    /// When the next closed-loop client joins: the clients of all threads, and all ranks, join one by one over the ramp.
    fn next_joins_at(&self) -> Option<u64> {
        let job = self.job;
        let begun = self.slots.len() as u64;
        if job.is_open() || begun >= u64::from(job.connections) {
            return None;
        }
        let threads = u128::from(job.place.count());
        let place = u128::from(begun) * threads + u128::from(job.place.index());
        let behind = u128::from(job.ramp_ns) * place / (u128::from(job.connections) * threads);
        Some(self.started + u64::try_from(behind).unwrap_or(job.ramp_ns))
    }

    fn note_send(&mut self) {
        let Window { open, close, .. } = self.window;
        let at = u128::from(self.now.saturating_sub(open)) * SEND_BINS as u128
            / u128::from((close - open).max(1));
        let bin = usize::try_from(at).ok();
        if let Some(sends) = bin.and_then(|bin| self.window_counts.sends.get_mut(bin)) {
            *sends += 1;
        }
    }

    /// How long the worker may wait for events.
    fn pause_ns(&self) -> u64 {
        if self.finished || self.job.workload.pacing == Pacing::Spin {
            return 0;
        }
        let expires = self.deadlines.oldest().map(|oldest| {
            let start = self.slots[oldest as usize].times.start;
            start.saturating_add(self.job.timeout_ns)
        });
        let pause_ends = self.pauses.peek().map(|Reverse((due, _))| *due);
        let due = self.next_due().filter(|_| !self.waiting_for_slot);
        let latest = self.window.boundary.min(self.now + SLEEP_MAX_NS);
        let instants = [expires, pause_ends, due, self.next_joins_at()];
        let until = instants.into_iter().flatten().fold(latest, u64::min);
        until.saturating_sub(self.now)
    }

    /// Refreshes the gauge, and hands over what an interval that has ended recorded.
    fn publish(&mut self) {
        if self.now < self.refresh_due {
            return;
        }
        self.refresh_due = self.now + REFRESH_NS;
        if let Some(interval_sender) = &self.gauge.interval_sender {
            let (open, sent) = (self.window.open, self.window_counts.sent);
            let boundary = interval_sender.offer(self.now, open, sent, &mut self.recorder);
            self.refresh_due = self.refresh_due.min(boundary);
        }
        self.gauge
            .in_flight
            .store(self.in_flight, Ordering::Relaxed);
    }
}
