//! A measurement: the published summary and the distributions behind it.

use std::time::Duration;

use crate::checks;
use crate::evidence::ratio;
use crate::histograms::Histograms;
use crate::summary::{Counts, Generator, Rates, SCHEMA_VERSION, Summary, add_failures};
use crate::totals::Totals;
use crate::units::nanoseconds;
use crate::url_record::RecordedUrl;

/// The result of one run, or of several merged runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// The published figures.
    pub summary: Summary,
    /// Distributions, in nanoseconds.
    pub histograms: Histograms,
    /// Actual length of the measured window; for merged measurements, the sum.
    pub window: Duration,
    /// Whether the run was stopped before the end of its plan.
    pub interrupted: bool,
    /// Results of each URL, in the order of [`Summary::urls`].
    urls: Vec<RecordedUrl>,
}

impl Measurement {
    /// The measurement of a run.
    pub(crate) fn new(totals: Totals) -> Self {
        Self {
            summary: totals.summary(),
            window: totals.window(),
            interrupted: totals.evidence.stopped,
            histograms: totals.histograms,
            urls: totals.urls,
        }
    }

    /// Adds another measurement of the same plan, as if one run had made both.
    ///
    /// Histograms and counts are added, and percentiles are read from the sums. Rates are weighted by window length,
    /// CPU time by number of requests. Checks on sums are run again; any other check passes if it passes in both parts.
    pub fn merge(&mut self, other: &Self) {
        let (mine, theirs) = (&mut self.summary, &other.summary);
        let windows = [self.window.as_secs_f64(), other.window.as_secs_f64()];
        let mean = |a: f64, b: f64, weights: [f64; 2]| {
            let total = weights[0] + weights[1];
            if total > 0.0 {
                (a * weights[0] + b * weights[1]) / total
            } else {
                0.0
            }
        };
        let (one, two) = (&mut mine.generator, &theirs.generator);
        let ended = [
            mine.rates.completed_per_s * windows[0],
            theirs.rates.completed_per_s * windows[1],
        ];
        one.cpu_us_per_request = match (one.cpu_us_per_request, two.cpu_us_per_request) {
            (Some(a), Some(b)) => Some(mean(a, b, ended)),
            (a, b) => a.or(b),
        };
        one.cpu_share = one.cpu_share.max(two.cpu_share);
        one.threads = one.threads.max(two.threads);
        let (one, two) = (&mut mine.rates, &theirs.rates);
        one.offered_per_s = mean(one.offered_per_s, two.offered_per_s, windows);
        one.completed_per_s = mean(one.completed_per_s, two.completed_per_s, windows);
        one.good_per_s = mean(one.good_per_s, two.good_per_s, windows);
        add_counts(&mut mine.counts, &theirs.counts);
        let kernels = mine.kernel.zip(theirs.kernel);
        mine.kernel = kernels.map(|(a, b)| a.plus(b));
        self.histograms.merge(&other.histograms);
        mine.latency_us = self.histograms.latencies();
        for (mine, theirs) in self.urls.iter_mut().zip(&other.urls) {
            mine.record.merge(&theirs.record);
        }
        mine.urls = self.urls.iter().map(RecordedUrl::summary).collect();
        mine.validity = checks::merged(mine, theirs, &self.histograms);
        self.window += other.window;
        self.interrupted |= other.interrupted;
    }
}

impl Totals {
    /// Turns the counts into figures, and runs the checks on them.
    pub(crate) fn summary(&self) -> Summary {
        let (window_counts, evidence) = (&self.window_counts, &self.evidence);
        let window = self.window();
        let counts = Counts {
            planned: evidence.planned,
            sent: window_counts.sent,
            ok: self.ok,
            not_sent: evidence.planned.saturating_sub(window_counts.sent),
            in_flight_at_end: window_counts.in_flight_at_end,
            closed_between_requests: window_counts.closed_between_requests,
            failed: self.failed.clone(),
        };
        let mut summary = Summary {
            schema_version: SCHEMA_VERSION,
            model: None,
            url: self.url.clone(),
            plan: self.plan.clone(),
            rates: Rates {
                offered_per_s: per_second(evidence.offered.unwrap_or(window_counts.sent), window),
                completed_per_s: per_second(window_counts.ended, window),
                good_per_s: per_second(window_counts.good, window),
            },
            counts,
            latency_us: self.histograms.latencies(),
            urls: self.urls.iter().map(RecordedUrl::summary).collect(),
            generator: Generator {
                engine: evidence.engine,
                pacing: evidence.pacing,
                threads: evidence.threads,
                cpu_us_per_request: ratio(window_counts.cpu_ns, window_counts.ended)
                    .map(|ns| ns / 1e3),
                cpu_share: evidence.cpu_share,
            },
            kernel: evidence.kernel,
            start: evidence.start.clone(),
            validity: Vec::new(),
        };
        summary.validity = checks::all(&summary, self);
        summary
    }

    fn window(&self) -> Duration {
        Duration::from_nanos(self.window_counts.window_ns)
    }
}

fn add_counts(mine: &mut Counts, theirs: &Counts) {
    mine.planned += theirs.planned;
    mine.sent += theirs.sent;
    mine.ok += theirs.ok;
    mine.not_sent += theirs.not_sent;
    mine.in_flight_at_end += theirs.in_flight_at_end;
    mine.closed_between_requests += theirs.closed_between_requests;
    add_failures(&mut mine.failed, &theirs.failed);
}

fn per_second(count: u64, window: Duration) -> f64 {
    ratio(count, nanoseconds(window)).map_or(0.0, |per_ns| per_ns * 1e9)
}
