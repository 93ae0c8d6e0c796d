//! How a worker follows the clock through the phases of its window, and counts what they hold.

use std::sync::atomic::Ordering;

use super::{Worker, WorkerResult};
use crate::engine::job::ThreadTask;
use crate::engine::slot::State;
use crate::engine::transport::Transport;
use crate::engine::window::WindowPhase;
use crate::sys;

/// Shortest delay of the thread that counts as time away. If ten threads compete for two CPUs, single delays reach 50
/// ms and only show a busy machine. A CPU quota of 30 ms in periods of 100 ms causes delays of 70 ms.
const AWAY_MIN_NS: u64 = 60_000_000;

impl<T: Transport> Worker<'_, T> {
    /// Reads the clock.
    pub(in crate::engine) fn tick(&mut self) {
        self.note(sys::now_ns());
    }

    /// Reads the clock after a wait of at most `pause_ns`.
    pub(super) fn wake(&mut self, pause_ns: u64) {
        // The planned wait is not time away; only the delay beyond it is.
        self.awaited = self.now.saturating_add(pause_ns);
        self.tick();
    }

    /// Advances `now` to an instant, which may be slightly earlier than `now`, and changes the phase of the window when
    /// it is due.
    pub(in crate::engine) fn note(&mut self, at: u64) {
        let known = self.now.max(self.awaited);
        if at.saturating_sub(known) >= AWAY_MIN_NS {
            self.count_away(known, at);
        }
        self.now = self.now.max(at);
        if self.now >= self.window.boundary {
            self.turn_phase();
        }
    }

    /// Counts a span without a clock reading as time away, as far as it lies in the window or in its grace, in which late
    /// answers are measured.
    fn count_away(&mut self, from: u64, to: u64) {
        let end = self.window.close.saturating_add(self.window.grace_ns);
        let away_ns = to.min(end).saturating_sub(from.max(self.window.open));
        self.window_counts.away_ns += away_ns;
        self.window_counts.away_longest_ns = self.window_counts.away_longest_ns.max(away_ns);
    }

    fn turn_phase(&mut self) {
        if self.window.phase == WindowPhase::WarmingUp {
            self.window.phase = WindowPhase::Measuring;
            self.window.boundary = self.window.close;
            if self.job.thread == 0 {
                self.signals.probe.window_opened();
            }
            self.window.cpu_at_open = sys::thread_cpu_ns();
            self.window.opened_at = self.now;
            if matches!(self.job.task, ThreadTask::ClosedFor(_)) {
                self.adopt_in_flight();
            }
        }
        if self.window.phase == WindowPhase::Measuring && self.now >= self.window.close {
            self.window.phase = WindowPhase::Grace;
            self.window.boundary = self.window.close.saturating_add(self.window.grace_ns);
            if self.job.thread == 0 {
                self.signals.probe.window_closed();
            }
            self.count_cpu();
        }
        if self.window.phase == WindowPhase::Grace && self.now >= self.window.boundary {
            self.finished = true;
        }
    }

    /// Counts the requests under way as part of a window that counts by completion.
    fn adopt_in_flight(&mut self) {
        let open = self.window.open;
        for slot in &mut self.slots {
            if slot.in_flight() {
                slot.counted = true;
                self.window_counts.sent += 1;
                self.in_flight_counted += 1;
                self.window_counts.carried_in_ns += open.saturating_sub(slot.times.intended);
            } else if let State::Pausing(until) = slot.state {
                let rest_ns = until.saturating_sub(open);
                self.window_counts.paused_ns += rest_ns;
                self.window_counts.backoff_ns += if slot.backs_off() { rest_ns } else { 0 };
            }
        }
    }

    fn count_cpu(&mut self) {
        self.window_counts.cpu_ns = sys::thread_cpu_ns().saturating_sub(self.window.cpu_at_open);
        self.window_counts.cpu_wall_ns = self.now - self.window.opened_at;
    }

    /// Ends the window early if the caller asks for it; requests then under way stay without an outcome.
    pub(super) fn check_stop(&mut self) {
        let stop_at = self.signals.stop_at_ns.load(Ordering::Relaxed);
        if stop_at == u64::MAX {
            return;
        }
        self.window.grace_ns = 0;
        match self.window.phase {
            WindowPhase::WarmingUp if stop_at <= self.window.open => self.finished = true,
            WindowPhase::WarmingUp | WindowPhase::Measuring => {
                self.window.close = self.window.close.min(stop_at.max(self.now));
                if self.window.phase == WindowPhase::Measuring {
                    self.window.boundary = self.window.close;
                }
            }
            WindowPhase::Grace => self.finished = true,
        }
    }

    pub(super) fn finish_counts(mut self) -> WorkerResult {
        if self.window.phase == WindowPhase::Measuring {
            self.count_cpu();
        }
        let end = match self.window.close {
            // A count of requests has ended it.
            u64::MAX => self.window.last_end,
            close => close,
        };
        if self.window.opened() {
            self.window_counts.window_ns = end.saturating_sub(self.window.open);
        }
        for slot in &self.slots {
            if slot.counted && slot.in_flight() {
                self.window_counts.in_flight_at_end += 1;
                self.window_counts.carried_out_ns += end.saturating_sub(slot.times.intended);
            }
            if slot.joined > 0 {
                self.window_counts.client_ns += end.saturating_sub(slot.joined);
            }
            if let State::Pausing(until) = slot.state {
                let beyond = until.saturating_sub(end);
                self.window_counts.paused_ns = self.window_counts.paused_ns.saturating_sub(beyond);
                if slot.backs_off() {
                    let backoff_ns = &mut self.window_counts.backoff_ns;
                    *backoff_ns = backoff_ns.saturating_sub(beyond);
                }
                // The pause is over, the next request not begun: the generator's lateness counts as the client's
                // waiting.
                self.window_counts.carried_out_ns += end.saturating_sub(until);
            }
        }
        if let ThreadTask::ClosedFor(_) = self.job.task {
            let clients = u64::from(self.job.connections);
            self.window_counts.client_ns = clients * self.window_counts.window_ns;
        }
        WorkerResult {
            recorder: self.recorder,
            window_counts: self.window_counts,
        }
    }
}
