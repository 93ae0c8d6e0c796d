//! What follows a run from outside: on the calling thread, or at the edges of the measured window.

use std::time::Duration;

use crate::histograms::Histograms;
use crate::intervals::Interval;

/// Follows a run from the calling thread.
pub trait Observer {
    /// Receives the time since the start, warm-up included, and the number of requests under way, at most twice a second.
    fn progress(&self, _elapsed: Duration, _in_flight: u64) {}

    /// How often to report an [`Interval`]; with `None`, the default, the workers do not collect intervals.
    fn interval_length(&self) -> Option<Duration> {
        None
    }

    /// Receives the interval that has just ended, and the distributions of the window so far.
    fn interval(&self, _interval: &Interval, _so_far: &Histograms) {}

    /// Called twenty times a second; true ends the run early and keeps what was measured so far.
    fn should_stop(&self) -> bool {
        false
    }
}

/// Is called when the measured window opens and closes, on the thread of the first worker. The call is between two of
/// its events, so a reading belongs to that very instant. The call delays the load, so it must be quick.
pub trait Probe: Sync {
    /// The window opens.
    fn window_opened(&self) {}

    /// The window closes.
    fn window_closed(&self) {}
}

/// An observer and a probe that do nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}

impl Probe for NoObserver {}
