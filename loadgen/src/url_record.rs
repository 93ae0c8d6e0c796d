//! Results of one URL, in a load that chooses among several.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::histograms::{Histograms, distribution, empty_histogram};
use crate::summary::UrlSummary;

/// Distributions of the requests for one URL, in nanoseconds. Stored as a text for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "[String; 2]", try_from = "[String; 2]")]
pub(crate) struct UrlRecord {
    /// Intended instant to last byte or failure.
    response: Histogram<u64>,
    /// The failures among them.
    failed: Histogram<u64>,
}

impl UrlRecord {
    pub(crate) fn new() -> Self {
        Self {
            response: empty_histogram(),
            failed: empty_histogram(),
        }
    }

    /// Records a request that took `response_ns`.
    pub(crate) fn record(&mut self, response_ns: u64, is_ok: bool) {
        self.response.saturating_record(response_ns);
        if !is_ok {
            self.failed.saturating_record(response_ns);
        }
    }

    /// Adds what another thread or rank recorded.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.response, &other.response),
            (&mut self.failed, &other.failed),
        ] {
            mine.add(theirs)
                .unwrap_or_else(|error| unreachable!("both have the same bounds: {error}"));
        }
    }
}

/// A URL with its results.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordedUrl {
    pub(crate) url: String,
    pub(crate) weight: u32,
    pub(crate) record: UrlRecord,
}

impl RecordedUrl {
    /// The published figures.
    pub(crate) fn summary(&self) -> UrlSummary {
        let UrlRecord { response, failed } = &self.record;
        UrlSummary {
            url: self.url.clone(),
            weight: self.weight,
            ok: response.len() - failed.len(),
            failed: failed.len(),
            response_us: distribution(response, failed),
        }
    }
}

impl From<UrlRecord> for [String; 2] {
    fn from(record: UrlRecord) -> Self {
        [record.response, record.failed].map(|histogram| Histograms::encode(&histogram))
    }
}

impl TryFrom<[String; 2]> for UrlRecord {
    type Error = &'static str;

    fn try_from(texts: [String; 2]) -> Result<Self, Self::Error> {
        match texts.map(|text| Histograms::decode_into(empty_histogram(), &text)) {
            [Some(response), Some(failed)] if failed.len() <= response.len() => {
                Ok(Self { response, failed })
            }
            _ => Err("these are not the distributions of a URL"),
        }
    }
}
