//! Access for `benches/anatomy` only: the recorder is private, and a bench of a copy of it would not measure the
//! code that runs.

use crate::recorder::Recorder;
use crate::request::{RequestOutcome, RequestTimes};
use crate::time_slices::{SliceKey, TimeSlices};

/// The recorder of one worker thread in a window of ten seconds.
#[derive(Debug)]
pub struct Recording(Recorder);

impl Recording {
    /// Creates an empty recorder.
    #[allow(clippy::new_without_default)] // one caller
    pub fn new() -> Self {
        let mut recorder = Recorder::new();
        recorder.time_slices = TimeSlices::new(0, 10_000_000_000, SliceKey::Ended);
        Self(recorder)
    }

    /// Records a good answer: its request began at `start_ns` of the window and took `response_ns`.
    pub fn record(&mut self, start_ns: u64, response_ns: u64) {
        let times = RequestTimes {
            intended: start_ns,
            start: start_ns + response_ns / 100,
            connected: start_ns + response_ns / 10,
            written: start_ns + response_ns / 9,
            first_byte: start_ns + response_ns,
            end: start_ns + response_ns,
        };
        self.0.record(&times, RequestOutcome::Ok);
    }
}
