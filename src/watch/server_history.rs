//! What has been seen of a server in the last two minutes.

use std::collections::VecDeque;

use crate::live::{LiveSample, LiveWorker, ProbeFigures};

/// Samples that are kept: two minutes.
pub(super) const SAMPLES_MAX: usize = 120;

/// What has been seen of a server.
#[derive(Debug)]
pub(super) struct ServerHistory {
    /// What it is, and where it listens.
    pub(super) title: String,
    /// Whether its counters can be read.
    pub(super) has_counters: bool,
    /// The newest samples, the oldest first.
    pub(super) samples: VecDeque<LiveSample>,
}

impl ServerHistory {
    /// Adds the newest sample.
    pub(super) fn push(&mut self, sample: LiveSample) {
        self.samples.push_back(sample);
        if self.samples.len() > SAMPLES_MAX {
            self.samples.pop_front();
        }
    }

    /// What the probe saw last; `None` if there is no probe.
    pub(super) fn probe(&self) -> Option<&ProbeFigures> {
        self.samples.back()?.probe.as_ref()
    }

    /// What each worker did last.
    pub(super) fn workers(&self) -> &[LiveWorker] {
        let last = self.samples.back();
        last.map_or(&[], |sample| &sample.workers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_samples_than_two_minutes_are_forgotten() {
        let mut history = ServerHistory {
            title: String::new(),
            has_counters: true,
            samples: VecDeque::new(),
        };
        for threads in 0..=SAMPLES_MAX as u64 {
            history.push(LiveSample {
                threads,
                ..LiveSample::default()
            });
        }
        let oldest = history.samples.front().map(|sample| sample.threads);
        assert_eq!((history.samples.len(), oldest), (SAMPLES_MAX, Some(1)));
    }
}
