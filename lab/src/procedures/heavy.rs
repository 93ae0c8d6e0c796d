//! A heavy request beside a load: as soon as one is answered the next is asked.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::aside::{Aside, Bell};
use super::client::ask;
use super::{microseconds, to_f64};

/// Longest wait for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Pause after a failure, so that a dead server is not asked without end.
const PAUSE: Duration = Duration::from_millis(50);

/// Keeps one heavy request under way, each on a connection of its own.
#[derive(Debug)]
pub struct HeavyRequest(Aside<HeavyCounts>);

/// What became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeavyCounts {
    /// Answered with 200.
    pub answered: usize,
    /// Answered otherwise, or not at all.
    pub failed: usize,
    /// All the time that the answered ones took.
    pub time: Duration,
}

impl HeavyCounts {
    /// The same by name, with the mean time of an answer.
    pub fn figures(&self) -> BTreeMap<String, f64> {
        let mut figures = BTreeMap::from([
            ("heavy_answered".to_owned(), to_f64(self.answered)),
            ("heavy_failed".to_owned(), to_f64(self.failed)),
        ]);
        if self.answered > 0 {
            let mean_us = microseconds(self.time) / to_f64(self.answered);
            figures.insert("heavy_response_us".to_owned(), mean_us);
        }
        figures
    }
}

impl HeavyRequest {
    /// Starts to ask `target` for `path`, such as `/compute/50000000`, from a thread on `cpus`.
    ///
    /// # Errors
    /// One plain sentence, when there is no thread to be had.
    pub fn start(target: SocketAddr, path: &str, cpus: &[usize]) -> Result<Self, String> {
        let path = path.to_owned();
        let aside = Aside::start(cpus, move |bell| keep_asking(target, &path, bell))?;
        Ok(HeavyRequest(aside))
    }

    /// Breaks off the one under way, which is not counted.
    pub fn finish(self) -> HeavyCounts {
        self.0.finish()
    }
}

fn keep_asking(target: SocketAddr, path: &str, bell: &Bell) -> HeavyCounts {
    let mut counts = HeavyCounts::default();
    while !bell.has_rung() {
        let begun = Instant::now();
        match ask(target, path, None, ANSWER_MAX, || !bell.has_rung()) {
            Ok(reply) if reply.status == 200 => {
                counts.answered += 1;
                counts.time += begun.elapsed();
                continue;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => break,
            Ok(_) | Err(_) => counts.failed += 1,
        }
        bell.rings_within(PAUSE);
    }
    counts
}
