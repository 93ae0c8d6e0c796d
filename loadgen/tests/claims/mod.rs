//! Claims about the generator, each checked against a server that logs the truth.
//!
//! The same functions run short in `cargo test` and at full length in the bench `proof`.
#![allow(dead_code)] // the tests and the bench each use their part

mod arithmetic;
mod coverage;
mod delays;
mod faults;
mod pacing;
mod population;
mod queues;
mod stalls;
mod starvation;

use hdrhistogram::Histogram;
use hola_loadgen::percentile_ns;

use crate::truth::log::{Log, quantile};

/// A claim by its number in METHODOLOGY.md, what is known in advance, and its check.
pub(crate) type Claim = (&'static str, &'static str, fn(Scale) -> Finding);

#[rustfmt::skip] // a table
pub(crate) const CLAIMS: &[Claim] = &[
    ("V1", "every answer takes 1, 10 or 100 ms", delays::constant),
    ("V2", "99 % of answers take 1 ms, 1 % take 100 ms", delays::bimodal),
    ("V3", "the server stands still for a tenth of the time", stalls::stall),
    ("V4", "the instants of the schedule", pacing::instants),
    ("V5", "one worker: M/M/1, M/D/1 and, to tell them apart, D/M/1", queues::queues),
    ("V6", "faults by the number of the request, 1 % each; refusals", faults::counted),
    ("V8", "1, 16, 256 clients", population::littles_law),
    ("V9", "the median of the server's delays", coverage::intervals),
    ("V10", "the generator itself lacks files, ports, a queue, time", starvation::causes),
    ("V11", "the sorted samples themselves", arithmetic::ranks_and_merges),
];

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Seconds: enough to catch every seeded bug.
    Quick,
    /// As long as the claim's tolerance asks for.
    Full,
}

impl Scale {
    pub(crate) fn pick<T>(self, quick: T, full: T) -> T {
        match self {
            Scale::Quick => quick,
            Scale::Full => full,
        }
    }
}

/// What was seen, and what of it is wrong.
#[derive(Debug, Default)]
pub(crate) struct Finding {
    pub(crate) seen: Vec<String>,
    pub(crate) wrong: Vec<String>,
}

impl Finding {
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.seen.push(text.into());
    }

    pub(crate) fn require(&mut self, holds: bool, text: impl Into<String>) {
        if !holds {
            self.wrong.push(text.into());
        }
    }

    pub(crate) fn holds(&self) -> bool {
        self.wrong.is_empty()
    }

    /// Notes what was seen, which must hold.
    pub(crate) fn expect(&mut self, holds: bool, text: String) {
        self.require(holds, &*text);
        self.note(text);
    }

    /// Adds another finding.
    pub(crate) fn add(&mut self, other: Self) {
        self.seen.extend(other.seen);
        self.wrong.extend(other.wrong);
    }

    /// Compares a figure with the truth, within this share of it or this many microseconds, whichever is more.
    pub(crate) fn compare(&mut self, name: &str, seen_us: f64, truth_us: f64, within: Within) {
        let [seen_ms, truth_ms] = [seen_us, truth_us].map(|us| us / 1e3);
        let slack_us = within.us.max(within.share * truth_us);
        let text = format!("{name} {seen_ms:.2} ms ({truth_ms:.2})");
        self.expect((seen_us - truth_us).abs() <= slack_us, text);
    }

    /// Compares the percentiles that the sample supports with those of the sorted truth.
    pub(crate) fn compare_percentiles(
        &mut self,
        name: &str,
        seen: &Histogram<u64>,
        truth: &[u64],
        permilles: &[u16],
        within: Within,
    ) {
        for permille in permilles {
            if let Some(seen) = percentile_ns(seen, u64::from(*permille)) {
                let truth = quantile(truth, f64::from(*permille) / 1000.0);
                self.compare(&format!("{name} {permille} ‰"), us(seen), us(truth), within);
            }
        }
    }
}

/// Repeats a check up to three times, until it holds: other load on the machine may spoil some attempts, a bug spoils
/// all.
pub(crate) fn repeatedly(look: impl Fn() -> Finding) -> Finding {
    const LOOKS: u32 = 3;
    let mut finding = look();
    for spoilt in 1..LOOKS {
        if finding.holds() {
            break;
        }
        let wrong = finding.wrong.join(", ");
        finding = look();
        finding.note(format!("(look {spoilt} was spoilt: {wrong})"));
    }
    finding
}

/// A tolerance: the larger of a share and a time.
#[derive(Clone, Copy)]
pub(crate) struct Within {
    pub(crate) share: f64,
    pub(crate) us: f64,
}

/// Tolerance of method and machine if the server's own log is the truth: 1 % or 1 ms. The millisecond is for a busy
/// machine, on which a woken thread waits for a CPU.
pub(crate) const OF_THE_LOG: Within = Within {
    share: 0.01,
    us: 1000.0,
};

/// Lateness of this machine that a quick run must tolerate, in microseconds: twice the 99th percentile of the server's
/// own lateness, which the generator does not cause. A full run needs a quiet machine and tolerates none.
pub(crate) fn unrest_us(scale: Scale, log: &Log) -> f64 {
    scale.pick(2.0 * us(log.late_ns(0.99)), 0.0)
}

/// The samples of a histogram, each to 0.1 %, sorted.
pub(crate) fn samples(histogram: &Histogram<u64>) -> Vec<u64> {
    histogram
        .iter_recorded()
        .flat_map(|step| {
            let count = usize::try_from(step.count_since_last_iteration()).expect("few samples");
            std::iter::repeat_n(step.value_iterated_to(), count)
        })
        .collect()
}

#[allow(clippy::cast_precision_loss)] // times are far below 2^53 ns
pub(crate) fn us(ns: u64) -> f64 {
    ns as f64 / 1e3
}

#[allow(clippy::cast_precision_loss)] // times are far below 2^53 ns
pub(crate) fn mean_us(values_ns: &[u64]) -> f64 {
    us(values_ns.iter().sum()) / values_ns.len() as f64
}
