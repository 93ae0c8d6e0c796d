//! Counts of a worker thread: requests sent, requests without an outcome, and what they cost.

use std::sync::atomic::AtomicU64;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evidence::ratio;
use crate::intervals::IntervalSender;
use crate::timeline::Timeline;

/// Equal parts of the window in which sends are counted, to check whether they are spread as planned.
pub(crate) const SEND_BINS: usize = 200;

/// Counts over the measured window, kept separately from the recorder, so that one can check the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct WindowCounts {
    /// Requests begun that belong to the window.
    pub(crate) sent: u64,
    /// Requests of the window without an outcome at the end.
    pub(crate) in_flight_at_end: u64,
    /// Requests that ended in the window, whether they belong to it or not.
    pub(crate) ended: u64,
    /// Requests that ended in the window with the right answer.
    pub(crate) good: u64,
    /// Requests that had to wait for one of the allowed connections.
    pub(crate) waited_for_slot: u64,
    /// Kept connections that the server closed while it owed no answer.
    pub(crate) closed_between_requests: u64,
    /// Length of the window.
    pub(crate) window_ns: u64,
    /// CPU time of the thread in the window.
    pub(crate) cpu_ns: u64,
    /// Time over which `cpu_ns` was counted.
    pub(crate) cpu_wall_ns: u64,
    /// Time that clients spent in the window, summed over clients: the population of Little's law times the window.
    pub(crate) client_ns: u64,
    /// Part of `client_ns` spent between requests: thinking, or backing off after failures.
    pub(crate) paused_ns: u64,
    /// Part of `paused_ns` spent backing off after failures.
    pub(crate) backoff_ns: u64,
    /// Time in the window during which the thread wanted to run but did not.
    pub(crate) away_ns: u64,
    /// The longest stretch of it.
    pub(crate) away_longest_ns: u64,
    /// Part of recorded responses that lies before the window.
    pub(crate) carried_in_ns: u64,
    /// Time in the window of requests still under way at its end.
    pub(crate) carried_out_ns: u64,
    /// Sends per part of the window (open loop).
    pub(crate) sends: Vec<u64>,
    /// When good answers came.
    pub(crate) answers: Timeline,
}

impl WindowCounts {
    pub(crate) fn new() -> Self {
        Self {
            sends: vec![0; SEND_BINS],
            ..Self::default()
        }
    }

    /// CPU time over wall time, 0…1.
    pub(crate) fn cpu_share(&self) -> f64 {
        ratio(self.cpu_ns, self.cpu_wall_ns).unwrap_or(0.0)
    }

    /// Whether its series have their lengths, which those of a file may not have.
    pub(crate) fn is_whole(&self) -> bool {
        self.sends.len() == SEND_BINS && self.answers.is_whole()
    }

    /// Adds another thread's counts. The window and the time away are maxima: a thread that did not run did not do its
    /// share, whatever the other threads did.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.sent += other.sent;
        self.in_flight_at_end += other.in_flight_at_end;
        self.ended += other.ended;
        self.good += other.good;
        self.waited_for_slot += other.waited_for_slot;
        self.closed_between_requests += other.closed_between_requests;
        self.window_ns = self.window_ns.max(other.window_ns);
        self.cpu_ns += other.cpu_ns;
        self.cpu_wall_ns += other.cpu_wall_ns;
        self.client_ns += other.client_ns;
        self.paused_ns += other.paused_ns;
        self.backoff_ns += other.backoff_ns;
        self.away_ns = self.away_ns.max(other.away_ns);
        self.away_longest_ns = self.away_longest_ns.max(other.away_longest_ns);
        self.carried_in_ns += other.carried_in_ns;
        self.carried_out_ns += other.carried_out_ns;
        for (mine, theirs) in self.sends.iter_mut().zip(&other.sends) {
            *mine += theirs;
        }
        self.answers.merge(&other.answers);
    }
}

/// What a worker publishes while it runs, a few times a second and never per request.
#[derive(Debug, Default)]
pub(crate) struct WorkerGauge {
    /// Requests under way.
    pub(crate) in_flight: AtomicU64,
    /// Channel for the recorder at the end of each interval, if the observer asks for intervals.
    pub(crate) interval_sender: Option<IntervalSender>,
}
