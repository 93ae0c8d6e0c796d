//! The instant at which a run starts: when its threads are ready, or a planned one that several processes share.

use std::thread;
use std::time::{Duration, SystemTime};

use super::{LoadError, Observer};
use crate::summary::PlannedStart;
use crate::sys;
use crate::units::{nanoseconds, utc};

/// Longest sleep before a planned start, so that a request to stop is seen in time, and a clock that is set meanwhile.
const SLEEP_MAX: Duration = Duration::from_millis(50);

/// Latest wake-up that still counts as a start at the planned instant: a shared machine takes this from a thread
/// occasionally.
const LATE_MAX: Duration = Duration::from_millis(100);

/// The start of a run.
#[derive(Debug)]
pub(super) struct Start {
    /// On the monotonic clock, in nanoseconds.
    pub(super) at_ns: u64,
    /// The planned start, if there is one.
    pub(super) planned: Option<PlannedStart>,
}

impl Start {
    /// Waits until `start_at`, and returns that instant, however late the wake-up is; without it, returns the present one.
    ///
    /// # Errors
    /// [`LoadError::Late`] if the instant has passed before the wait, or too long before its end.
    /// [`LoadError::StoppedInWarmup`] if the observer asks to stop.
    pub(super) fn wait(
        start_at: Option<SystemTime>,
        observer: &dyn Observer,
    ) -> Result<Self, LoadError> {
        let Some(start_at) = start_at else {
            return Ok(Self {
                at_ns: sys::now_ns(),
                planned: None,
            });
        };
        let late = |late| LoadError::Late {
            at: utc(start_at),
            late,
        };
        let mut late_max = Duration::ZERO;
        loop {
            let (now_ns, clock) = (sys::now_ns(), SystemTime::now());
            let Ok(ahead) = start_at.duration_since(clock) else {
                let passed = clock.duration_since(start_at).unwrap_or_default();
                if passed > late_max {
                    return Err(late(passed));
                }
                return Ok(Self::planned(start_at, passed, now_ns));
            };
            if observer.should_stop() {
                return Err(LoadError::StoppedInWarmup);
            }
            thread::sleep(ahead.min(SLEEP_MAX));
            late_max = LATE_MAX;
        }
    }

    /// A start that was planned for an instant that `passed` ago, seen from `now_ns`.
    fn planned(start_at: SystemTime, passed: Duration, now_ns: u64) -> Self {
        Self {
            at_ns: now_ns.saturating_sub(nanoseconds(passed)),
            planned: Some(PlannedStart {
                at: utc(start_at),
                late_us: passed.as_secs_f64() * 1e6,
                clock_error_us: sys::clock_error_us(),
            }),
        }
    }
}
