//! What a planned server did, by its own clock.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::connection::Request;
use super::plan::Fate;

/// A request and the instant, in nanoseconds of the monotonic clock, just before its answer was written or its fault
/// produced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) request: Request,
    pub(crate) answered_ns: u64,
}

/// All requests, in the order of their end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) entries: Vec<Entry>,
    /// Connections accepted.
    pub(crate) connections: u64,
    /// Clients that left before their answer was due.
    pub(crate) abandoned: u64,
}

impl Log {
    /// How many requests had this fate.
    pub(crate) fn count(&self, fate: Fate) -> u64 {
        let met = self
            .entries
            .iter()
            .filter(|entry| entry.request.fate == fate);
        met.count() as u64
    }

    /// Delays of the answered requests, sorted, in nanoseconds.
    pub(crate) fn delays_ns(&self) -> Vec<u64> {
        let entries = self.entries.iter();
        let answered = entries.filter(|entry| entry.request.fate == Fate::Answered);
        let delays = answered.map(|entry| entry.answered_ns - entry.request.received_ns);
        sorted(delays)
    }

    /// Quantile of the lateness of answers after their due instant.
    pub(crate) fn late_ns(&self, q: f64) -> u64 {
        quantile(&sorted(self.lateness_ns()), q)
    }

    fn lateness_ns(&self) -> impl Iterator<Item = u64> {
        let entries = self.entries.iter();
        entries.map(|entry| entry.answered_ns.saturating_sub(entry.request.due_ns))
    }

    /// The log as published: counts, and the distribution of delays both as figures and in full, as pairs of a highest
    /// value in nanoseconds and a count.
    pub(crate) fn json(&self, plan: &str) -> Value {
        let delays = histogram(self.delays_ns());
        let pairs: Vec<Value> = delays
            .iter_recorded()
            .map(|step| json!([step.value_iterated_to(), step.count_since_last_iteration()]))
            .collect();
        let mut by_fate: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in &self.entries {
            *by_fate.entry(entry.request.fate.name()).or_default() += 1;
        }
        json!({
            "plan": plan,
            "connections": self.connections,
            "requests": self.entries.len(),
            "abandoned": self.abandoned,
            "by_fate": by_fate,
            "delay_us": figures(&delays),
            "late_us": figures(&histogram(self.lateness_ns())),
            "delay_ns_histogram": pairs,
        })
    }
}

fn sorted(values: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values
}

fn histogram(values: impl IntoIterator<Item = u64>) -> Histogram<u64> {
    let mut histogram =
        Histogram::new_with_bounds(1, 3_600_000_000_000, 3).expect("constant bounds are valid");
    for value in values {
        histogram.saturating_record(value);
    }
    histogram
}

#[allow(clippy::cast_precision_loss)] // an hour of nanoseconds is exact in a double
fn figures(histogram: &Histogram<u64>) -> Value {
    let us = |ns: u64| ns as f64 / 1e3;
    let at = |quantile| us(histogram.value_at_quantile(quantile));
    json!({
        "count": histogram.len(), "mean": histogram.mean() / 1e3, "min": us(histogram.min()), "p50": at(0.5),
        "p90": at(0.9), "p95": at(0.95), "p98_5": at(0.985), "p99": at(0.99), "p99_5": at(0.995),
        "p99_9": at(0.999), "max": us(histogram.max()),
    })
}

/// The sample of rank ⌈q·n⌉ of a sorted sample.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // ranks are far below 2^53
#[allow(clippy::cast_sign_loss)] // and above zero
pub(crate) fn quantile(sorted: &[u64], q: f64) -> u64 {
    // Rounding may change a whole product by one part in 10^16; this must not change the rank.
    let rank = (sorted.len() as f64 * q - 1e-9).ceil().max(1.0) as usize;
    sorted[rank.min(sorted.len()) - 1]
}
