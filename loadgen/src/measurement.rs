//! A measurement: the published summary and the distributions behind it.

use std::time::Duration;

use crate::checks;
use crate::engine::window_counts::WindowCounts;
use crate::evidence::{Evidence, ratio};
use crate::histograms::Histograms;
use crate::recorder::Recorder;
use crate::summary::{Counts, Generator, Rates, SCHEMA_VERSION, Summary};
use crate::workload::Workload;

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
}

impl Measurement {
    /// Turns the merged counts of all threads into figures, and runs the checks on them.
    pub(crate) fn build(
        workload: &Workload,
        recorder: Recorder,
        window_counts: &WindowCounts,
        evidence: &Evidence,
    ) -> Self {
        let window = Duration::from_nanos(window_counts.window_ns);
        let counts = Counts {
            planned: evidence.planned,
            sent: window_counts.sent,
            ok: recorder.ok,
            not_sent: evidence.planned.saturating_sub(window_counts.sent),
            in_flight_at_end: window_counts.in_flight_at_end,
            closed_between_requests: window_counts.closed_between_requests,
            failed: recorder.failures(),
        };
        let mut summary = Summary {
            schema_version: SCHEMA_VERSION,
            model: None,
            url: workload.url(),
            plan: workload.plan(),
            rates: Rates {
                offered_per_s: per_second(evidence.offered.unwrap_or(window_counts.sent), window),
                completed_per_s: per_second(window_counts.ended, window),
                good_per_s: per_second(window_counts.good, window),
            },
            counts,
            latency_us: recorder.histograms.latencies(),
            generator: Generator {
                engine: Some(evidence.engine),
                pacing: workload.pacing,
                threads: evidence.threads,
                cpu_us_per_request: ratio(window_counts.cpu_ns, window_counts.ended)
                    .map(|ns| ns / 1e3),
                cpu_share: evidence.cpu_share,
            },
            kernel: evidence.kernel,
            validity: Vec::new(),
        };
        summary.validity = checks::all(&summary, &recorder, workload, window_counts, evidence);
        Self {
            summary,
            histograms: recorder.histograms,
            window,
            interrupted: evidence.stopped,
        }
    }

    /// Adds another measurement of the same plan, as if one run had made both.
    ///
    /// Histograms and counts are added, and percentiles are read from the sums. Rates are weighted by window length,
    /// CPU time by number of requests. Checks on sums are run again; any other check passes if it passes in both parts.
    pub fn merge(&mut self, other: &Self) {
        let (mine, theirs) = (&mut self.summary, &other.summary);
        let windows = [self.window.as_secs_f64(), other.window.as_secs_f64()];
        let weighted = |values: [f64; 2], weights: [f64; 2]| {
            let total = weights[0] + weights[1];
            if total > 0.0 {
                (values[0] * weights[0] + values[1] * weights[1]) / total
            } else {
                0.0
            }
        };
        let ended = [
            mine.rates.completed_per_s * windows[0],
            theirs.rates.completed_per_s * windows[1],
        ];
        mine.generator.cpu_us_per_request = match (
            mine.generator.cpu_us_per_request,
            theirs.generator.cpu_us_per_request,
        ) {
            (Some(a), Some(b)) => Some(weighted([a, b], ended)),
            (one, other) => one.or(other),
        };
        mine.generator.cpu_share = mine.generator.cpu_share.max(theirs.generator.cpu_share);
        mine.generator.threads = mine.generator.threads.max(theirs.generator.threads);
        for (a, b) in [
            (&mut mine.rates.offered_per_s, theirs.rates.offered_per_s),
            (
                &mut mine.rates.completed_per_s,
                theirs.rates.completed_per_s,
            ),
            (&mut mine.rates.good_per_s, theirs.rates.good_per_s),
        ] {
            *a = weighted([*a, b], windows);
        }
        add_counts(&mut mine.counts, &theirs.counts);
        mine.kernel = match (mine.kernel, theirs.kernel) {
            (Some(a), Some(b)) => Some(a.plus(b)),
            _ => None,
        };
        self.histograms.merge(&other.histograms);
        mine.latency_us = self.histograms.latencies();
        mine.validity = checks::merged(mine, theirs, &self.histograms);
        self.window += other.window;
        self.interrupted |= other.interrupted;
    }
}

fn add_counts(mine: &mut Counts, theirs: &Counts) {
    mine.planned += theirs.planned;
    mine.sent += theirs.sent;
    mine.ok += theirs.ok;
    mine.not_sent += theirs.not_sent;
    mine.in_flight_at_end += theirs.in_flight_at_end;
    mine.closed_between_requests += theirs.closed_between_requests;
    for (cause, phases) in &theirs.failed {
        let known = mine.failed.entry(cause.clone()).or_default();
        for (phase, count) in phases {
            *known.entry(phase.clone()).or_default() += count;
        }
    }
}

fn per_second(count: u64, window: Duration) -> f64 {
    let nanoseconds = u64::try_from(window.as_nanos()).unwrap_or(u64::MAX);
    ratio(count, nanoseconds).map_or(0.0, |per_ns| per_ns * 1e9)
}
