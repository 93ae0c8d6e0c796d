//! The figures of a slice and of a reading, from what was counted and recorded.

use std::sync::OnceLock;

use hdrhistogram::Histogram;
use hola_loadgen::{Histograms, percentile_ns};

use super::{Reading, Slice, to_f64};
use crate::metric::Metric;

/// Percentiles that metrics ask for, in permille.
const TAIL_PERMILLE: [u64; 4] = [500, 900, 990, 999];

/// What metrics need from a reading's histogram, once it has been decoded: a decoded histogram takes a quarter of a
/// megabyte, and a run has thousands.
#[derive(Clone, Debug, Default)]
pub(crate) struct DecodedTail(OnceLock<Option<PercentileTail>>);

/// Readings are the same whether their histograms are decoded or not.
impl PartialEq for DecodedTail {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Clone, Copy, Debug)]
struct PercentileTail {
    count: u64,
    percentiles_ns: [Option<u64>; TAIL_PERMILLE.len()],
}

/// A server that used this share of its CPU time was at full capacity. The rest is its own pauses between two clients.
pub const FULL_SHARE: f64 = 0.95;

impl Slice {
    /// Whether its figures count: no check failed.
    pub fn counts(&self) -> bool {
        self.failed_checks.is_empty()
    }

    /// Share of its CPUs' time that the server used in the window, 0…1.
    pub fn server_share(&self) -> f64 {
        let window_us = to_f64(self.window_us) * f64::from(self.server_cpus.max(1));
        if window_us > 0.0 {
            self.cpu_us / window_us
        } else {
            0.0
        }
    }

    /// CPU time of the server per request answered, in microseconds.
    pub fn cpu_us_per_request(&self) -> Option<f64> {
        (self.answered > 0 && self.cpu_us > 0.0).then(|| self.cpu_us / to_f64(self.answered))
    }

    /// Context switches on the server's CPUs per request answered.
    pub fn switches_per_request(&self) -> Option<f64> {
        let switches = self.switches.filter(|&switches| switches > 0)?;
        (self.answered > 0).then(|| to_f64(switches) / to_f64(self.answered))
    }

    /// Right answers per second.
    pub fn good_per_s(&self) -> Option<f64> {
        (self.window_us > 0 && self.answered > 0)
            .then(|| to_f64(self.answered) * 1e6 / to_f64(self.window_us))
    }

    /// Right answers per second of a server at full capacity; `None` for a server with CPU time left, which has not
    /// shown its capacity.
    pub fn capacity_per_s(&self) -> Option<f64> {
        self.good_per_s()
            .filter(|_| self.server_share() >= FULL_SHARE)
    }

    /// CPU time that a server without clients uses, in milliseconds per second.
    pub fn standing_cpu_ms_per_s(&self) -> Option<f64> {
        (self.answered == 0 && self.window_us > 0)
            .then(|| self.cpu_us * 1e3 / to_f64(self.window_us))
    }

    /// Requests that failed, of all that ended, 0…1.
    pub fn failed_share(&self) -> Option<f64> {
        let all = self.answered + self.failed;
        (all > 0).then(|| to_f64(self.failed) / to_f64(all))
    }
}

impl Reading {
    /// Response time that `permille` of the requests do not exceed, in microseconds. `None` if fewer than ten lie
    /// beyond it, or if enough requests failed to change it: of their times only a lower bound is known.
    pub fn response_us(&self, permille: u64) -> Option<f64> {
        let failed: u64 = self.undisturbed().map(|slice| slice.failed).sum();
        let tail = self.tail()?;
        if failed * 1000 >= tail.count * (1000 - permille.min(1000)) && failed > 0 {
            return None;
        }
        let place = TAIL_PERMILLE.iter().position(|kept| *kept == permille)?;
        Some(to_f64(tail.percentiles_ns[place]?) / 1e3)
    }

    fn tail(&self) -> Option<PercentileTail> {
        let read = || {
            let histogram = self.histogram()?;
            Some(PercentileTail {
                count: histogram.len(),
                percentiles_ns: TAIL_PERMILLE.map(|permille| percentile_ns(&histogram, permille)),
            })
        };
        *self.tail.0.get_or_init(read)
    }

    /// Response times of its undisturbed slices, in nanoseconds, decoded on each call.
    pub fn histogram(&self) -> Option<Histogram<u64>> {
        Histograms::decode(self.response_histogram.as_ref()?)
    }

    /// Its slices that count.
    pub fn counted(&self) -> impl Iterator<Item = &Slice> {
        self.slices.iter().filter(|slice| slice.counts())
    }

    /// Those of them whose response times are the server's.
    pub fn undisturbed(&self) -> impl Iterator<Item = &Slice> {
        self.counted().filter(|slice| !slice.is_disturbed)
    }

    /// What a procedure found.
    pub fn figure(&self, metric: Metric) -> Option<f64> {
        self.figures.get(&metric).copied()
    }
}
