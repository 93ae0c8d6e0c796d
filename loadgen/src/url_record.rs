//! Results of one URL, in a load that chooses among several.

use hdrhistogram::Histogram;

use crate::histograms::{distribution, empty_histogram};
use crate::summary::UrlSummary;

/// Distributions of the requests for one URL, in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
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

    /// Adds what another thread recorded.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.response, &other.response),
            (&mut self.failed, &other.failed),
        ] {
            mine.add(theirs)
                .unwrap_or_else(|error| unreachable!("both have the same bounds: {error}"));
        }
    }

    /// The published figures, for this URL of this weight.
    pub(crate) fn summary(&self, url: String, weight: u32) -> UrlSummary {
        let failed = self.failed.len();
        UrlSummary {
            url,
            weight,
            ok: self.response.len() - failed,
            failed,
            response_us: distribution(&self.response, &self.failed),
        }
    }
}
