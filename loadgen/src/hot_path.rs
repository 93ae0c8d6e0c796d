//! A door for `benches/hot_path.rs` and nobody else: the recorder is private, and a bench of a copy of it would say nothing
//! about what runs.

use crate::recorder::{Outcome, Recorder, Times};
use crate::strips::{Instant, Strips};

/// The recorder of one worker thread in a window of ten seconds.
#[derive(Debug)]
pub struct Recording(Recorder);

impl Recording {
    /// An empty one.
    #[allow(clippy::new_without_default)] // one caller
    pub fn new() -> Self {
        let mut recorder = Recorder::new();
        recorder.strips = Strips::of(0, 10_000_000_000, Instant::Ended);
        Self(recorder)
    }

    /// Enters a good answer that began at `start_ns` of the window and took `response_ns`.
    pub fn record(&mut self, start_ns: u64, response_ns: u64) {
        let times = Times {
            intended: start_ns,
            start: start_ns + response_ns / 100,
            connected: start_ns + response_ns / 10,
            written: start_ns + response_ns / 9,
            first_byte: start_ns + response_ns,
            end: start_ns + response_ns,
        };
        self.0.record(&times, Outcome::Ok);
    }
}
