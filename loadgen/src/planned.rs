//! When the requests of a plan are due, and how many there are: a pure function of the plan as published.

use crate::schedule::Schedule;
use crate::summary::Plan;
use crate::units::from_seconds;

impl Plan {
    /// Planned instants of an open loop, over all ranks.
    pub(crate) fn schedule(&self) -> Option<Schedule> {
        let steady = Schedule::new(self.arrivals?, self.rate_per_s?, self.seed);
        Some(steady.ramped(from_seconds(self.ramp_s)))
    }

    /// When the measured window opens, in nanoseconds from the start.
    pub(crate) fn opens_ns(&self) -> u64 {
        from_seconds(self.ramp_s).saturating_add(from_seconds(self.warmup_s))
    }

    /// When the measured window closes, in nanoseconds from the start; the largest number if a closed loop ends by a
    /// count.
    pub(crate) fn closes_ns(&self) -> u64 {
        match (self.schedule(), self.requests, self.duration_s) {
            (Some(schedule), Some(requests), _) => schedule.end_of(self.opens_ns(), requests),
            (_, None, Some(duration_s)) => self.opens_ns().saturating_add(from_seconds(duration_s)),
            _ => u64::MAX,
        }
    }

    /// Requests of the measured window, over all ranks; `None` if a closed loop ends by time.
    pub(crate) fn planned(&self) -> Option<u64> {
        match self.schedule() {
            Some(schedule) => Some(schedule.count(self.opens_ns(), self.closes_ns())),
            None => self.requests,
        }
    }
}
