//! What follows a run from outside: on the calling thread, or at the edges of the measured window.

use std::time::Duration;

use crate::histograms::Histograms;
use crate::intervals::Interval;

/// Follows a run from the calling thread.
pub trait Observer {
    /// Receives a snapshot, at most twice a second.
    fn progress(&self, _progress: &Progress) {}

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

/// State of a run; the counts are those of the measured window and up to 0.1 s old.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Time since the start, warm-up included.
    pub elapsed: Duration,
    /// Requests ended, successfully or not.
    pub completed: u64,
    /// Requests failed.
    pub failed: u64,
    /// Requests under way, at this moment.
    pub in_flight: u64,
    /// Requests begun.
    pub offered: u64,
}
