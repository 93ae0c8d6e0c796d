//! The distributions of a measurement, in nanoseconds, and the percentiles read from them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

use crate::summary::{Distribution, Latencies};

/// Longest time that is resolved, one hour; a longer one is recorded as this.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// Significant decimal digits: a value is off by at most 0.1 %.
const DIGITS: u8 = 3;

/// Minimum number of samples beyond a percentile for it to be printed.
const MIN_BEYOND: u64 = 10;

/// Distributions of the intervals between a request's timestamps, in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Histograms {
    /// Intended instant to last byte or failure.
    pub response: Histogram<u64>,
    /// Start to last byte or failure.
    pub service: Histogram<u64>,
    /// Start of a connection to established.
    pub connect: Histogram<u64>,
    /// Request written to first byte of the answer.
    pub first_byte: Histogram<u64>,
    /// Intended instant to start.
    pub lag: Histogram<u64>,
    /// The failures among the samples of `response`, recorded at their elapsed time: right-censored samples.
    pub failed: Histogram<u64>,
}

impl Histograms {
    /// Creates empty histograms at their final size.
    pub fn new() -> Self {
        Self {
            response: empty_histogram(),
            service: empty_histogram(),
            connect: empty_histogram(),
            first_byte: empty_histogram(),
            lag: empty_histogram(),
            failed: empty_histogram(),
        }
    }

    /// Each histogram by its name.
    pub(crate) fn named(&self) -> [(&'static str, &Histogram<u64>); 6] {
        [
            ("response", &self.response),
            ("service", &self.service),
            ("connect", &self.connect),
            ("first_byte", &self.first_byte),
            ("lag", &self.lag),
            ("failed", &self.failed),
        ]
    }

    /// As [`Histograms::named`], to be changed.
    pub(crate) fn named_mut(&mut self) -> [(&'static str, &mut Histogram<u64>); 6] {
        [
            ("response", &mut self.response),
            ("service", &mut self.service),
            ("connect", &mut self.connect),
            ("first_byte", &mut self.first_byte),
            ("lag", &mut self.lag),
            ("failed", &mut self.failed),
        ]
    }

    /// Adds the samples of `other`, without loss.
    pub fn merge(&mut self, other: &Self) {
        for ((_, mine), (_, theirs)) in self.named_mut().into_iter().zip(other.named()) {
            // Every histogram of this type has the same bounds, or came from another version with narrower ones.
            mine.auto(true);
            mine.add(theirs).unwrap_or_else(|error| {
                unreachable!("a resizing histogram takes any other: {error}")
            });
        }
    }

    /// The published figures.
    pub fn latencies(&self) -> Latencies {
        let none = empty_histogram();
        Latencies {
            response: distribution(&self.response, &self.failed),
            service: distribution(&self.service, &self.failed),
            connect: distribution(&self.connect, &none),
            first_byte: distribution(&self.first_byte, &none),
            lag: distribution(&self.lag, &none),
        }
    }

    /// One histogram as base64 of its HdrHistogram V2 encoding with DEFLATE, readable by every HdrHistogram library.
    pub fn encode(histogram: &Histogram<u64>) -> String {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new()
            .serialize(histogram, &mut bytes)
            .unwrap_or_else(|error| unreachable!("writing to memory does not fail: {error}"));
        STANDARD.encode(bytes)
    }

    /// Decodes the text of [`Histograms::encode`]; `None` for any other text.
    pub fn decode(text: &str) -> Option<Histogram<u64>> {
        let bytes = STANDARD.decode(text).ok()?;
        Deserializer::new().deserialize(&mut bytes.as_slice()).ok()
    }

    /// As [`Histograms::decode`], with the bounds of `empty`.
    pub(crate) fn decode_into(mut empty: Histogram<u64>, text: &str) -> Option<Histogram<u64>> {
        empty.add(Self::decode(text)?).ok()?;
        Some(empty)
    }
}

impl Default for Histograms {
    fn default() -> Self {
        Self::new()
    }
}

pub(crate) fn empty_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_NS, DIGITS)
        .unwrap_or_else(|error| unreachable!("constant bounds are valid: {error}"))
}

/// Figures of `histogram`. Those of its samples that are also in `censored` mean "at least this long".
///
/// If the rank of a percentile exceeds the number of uncensored samples, its value is only a lower bound, and
/// [`Distribution::censored`] names it. The same holds for the maximum if it is a censored sample.
pub(crate) fn distribution(histogram: &Histogram<u64>, censored: &Histogram<u64>) -> Distribution {
    let count = histogram.len();
    if count == 0 {
        return Distribution::default();
    }
    let us = |ns: f64| Some(ns / 1e3);
    #[allow(clippy::cast_precision_loss)] // an hour of nanoseconds is exact in a double
    let whole_us = |ns: u64| us(ns as f64);
    let percentile = |permille| percentile_ns(histogram, permille).and_then(whole_us);
    let known = count - censored.len().min(count);
    let mut at_least: Vec<String> = [("p50", 500), ("p90", 900), ("p99", 990), ("p99_9", 999)]
        .into_iter()
        .filter(|(_, permille)| supported(count, *permille) && rank(count, *permille) > known)
        .map(|(name, _)| name.to_owned())
        .collect();
    if !censored.is_empty() && (known == 0 || censored.max() >= histogram.max()) {
        at_least.push("max".to_owned());
    }
    Distribution {
        count,
        mean: us(histogram.mean()),
        min: whole_us(histogram.min()),
        p50: percentile(500),
        p90: percentile(900),
        p99: percentile(990),
        p99_9: percentile(999),
        max: whole_us(histogram.max()),
        censored: at_least,
    }
}

/// The percentile of `permille`, by exact rank and at most 0.1 % above the sample; `None` when fewer than ten samples
/// lie beyond it.
pub fn percentile_ns(histogram: &Histogram<u64>, permille: u64) -> Option<u64> {
    if !supported(histogram.len(), permille) {
        return None;
    }
    value_at_rank(histogram, rank(histogram.len(), permille))
}

/// The sample of this rank, counted from one, and at most 0.1 % above it; `None` if there are fewer samples.
pub(crate) fn value_at_rank(histogram: &Histogram<u64>, rank: u64) -> Option<u64> {
    let mut seen = 0;
    let step = histogram.iter_recorded().find(|step| {
        seen += step.count_since_last_iteration();
        seen >= rank
    })?;
    Some(step.value_iterated_to().min(histogram.max()))
}

/// Rank, counted from one, of the percentile of `permille` among `count` samples: the exact share, rounded up.
fn rank(count: u64, permille: u64) -> u64 {
    u64::try_from((u128::from(count) * u128::from(permille)).div_ceil(1000))
        .unwrap_or(u64::MAX)
        .max(1)
}

fn supported(count: u64, permille: u64) -> bool {
    u128::from(count) * u128::from(1000 - permille.min(1000)) >= u128::from(MIN_BEYOND) * 1000
}
