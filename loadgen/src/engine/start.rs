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

/// Waits until `start_at`, and returns that instant in nanoseconds of the monotonic clock, however late the wake-up is, and
/// how late it was; without `start_at`, returns the present instant.
///
/// # Errors
/// [`LoadError::Late`] if the instant has passed before the wait, or too long before its end.
/// [`LoadError::StoppedInWarmup`] if the observer asks to stop.
pub(super) fn wait(
    start_at: Option<SystemTime>,
    observer: &dyn Observer,
) -> Result<(u64, Option<PlannedStart>), LoadError> {
    let Some(start_at) = start_at else {
        return Ok((sys::now_ns(), None));
    };
    let at = utc(start_at);
    let mut late_max = Duration::ZERO;
    loop {
        let (now_ns, clock) = (sys::now_ns(), SystemTime::now());
        let Ok(ahead) = start_at.duration_since(clock) else {
            let late = clock.duration_since(start_at).unwrap_or_default();
            if late > late_max {
                return Err(LoadError::Late { at, late });
            }
            let planned = PlannedStart {
                at,
                late_us: late.as_secs_f64() * 1e6,
                clock_error_us: sys::clock_error_us(),
            };
            return Ok((now_ns.saturating_sub(nanoseconds(late)), Some(planned)));
        };
        if observer.should_stop() {
            return Err(LoadError::StoppedInWarmup);
        }
        thread::sleep(ahead.min(SLEEP_MAX));
        late_max = LATE_MAX;
    }
}
