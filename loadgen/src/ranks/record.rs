//! What one rank keeps, besides its distributions, which are in its log.

use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

use crate::engine::window_counts::WindowCounts;
use crate::evidence::Evidence;
use crate::histograms::Histograms;
use crate::kernel;
use crate::rank::Rank;
use crate::summary::{SCHEMA_VERSION, Summary};
use crate::throttling::Throttling;
use crate::time_slices::TimeSlices;
use crate::totals::Totals;
use crate::url_record::{RecordedUrl, UrlRecord};

/// The result of one rank: the figures of its share, and what the checks of the whole load need of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RankRecord {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Name of the load that all its ranks have in common.
    pub run_id: String,
    /// Number of this rank, from zero.
    pub rank: u32,
    /// Number of ranks.
    pub ranks: u32,
    /// Whether it was stopped before the end of its plan.
    pub interrupted: bool,
    /// Plan of the whole load, and figures of this share of it.
    pub summary: Summary,
    /// Counts over the measured window.
    pub(crate) window_counts: WindowCounts,
    /// Response times in equal parts of the window, as the base64 of HdrHistograms; none if it was not divided.
    #[schemars(with = "Vec<String>")]
    pub(crate) time_slices: TimeSlices,
    /// Response times of each URL and of the failures among them, as the base64 of HdrHistograms; in the order of the
    /// summary's `urls`.
    #[schemars(with = "Vec<[String; 2]>")]
    pub(crate) url_records: Vec<UrlRecord>,
    /// Network namespace that the kernel's counters are of, and the boot of its machine; `null` if unknown.
    pub(crate) network: Option<String>,
    /// Time that a CPU quota took from this process; `null` if nothing counts it.
    pub(crate) throttling: Option<Throttling>,
}

impl RankRecord {
    /// The record of one rank of the load `run_id`.
    pub(crate) fn new(run_id: &str, totals: &Totals) -> Self {
        let evidence = &totals.evidence;
        let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            schema_version: SCHEMA_VERSION,
            run_id: run_id.to_owned(),
            rank: number(evidence.rank.index()),
            ranks: number(evidence.rank.count()),
            interrupted: evidence.stopped,
            summary: totals.summary(),
            window_counts: totals.window_counts.clone(),
            time_slices: totals.time_slices.clone(),
            url_records: totals.urls.iter().map(|url| url.record.clone()).collect(),
            network: kernel::namespace(),
            throttling: evidence.throttling,
        }
    }

    /// Its published JSON Schema.
    pub fn schema() -> Schema {
        schema_for!(Self)
    }

    /// What it was made of, with the distributions of its log.
    ///
    /// # Errors
    /// Says what does not agree.
    pub(super) fn totals(self, histograms: Histograms) -> Result<Totals, String> {
        self.verify(&histograms)?;
        let urls = self.recorded_urls();
        let Summary {
            url,
            plan,
            counts,
            generator,
            start,
            ..
        } = self.summary;
        Ok(Totals {
            url,
            plan,
            ok: counts.ok,
            failed: counts.failed,
            histograms,
            urls,
            time_slices: self.time_slices,
            window_counts: self.window_counts,
            evidence: Evidence {
                // The sum over all ranks is of the whole plan.
                rank: Rank::ONLY,
                planned: counts.planned,
                offered: None,
                schedule: None,
                engine: generator.engine,
                pacing: generator.pacing,
                threads: generator.threads,
                cpu_share: generator.cpu_share,
                stopped: self.interrupted,
                kernel: None,
                throttling: self.throttling,
                start,
            },
        })
    }

    /// Its results of each URL.
    fn recorded_urls(&self) -> Vec<RecordedUrl> {
        let urls = self.summary.urls.iter().zip(&self.url_records);
        urls.map(|(url, record)| RecordedUrl {
            url: url.url.clone(),
            weight: url.weight,
            record: record.clone(),
        })
        .collect()
    }

    /// Checks that every planned request is counted once, and that counts, figures and distributions agree.
    fn verify(&self, histograms: &Histograms) -> Result<(), String> {
        let (summary, window_counts) = (&self.summary, &self.window_counts);
        let counts = &summary.counts;
        let is_counted_once = counts.planned == counts.not_sent + counts.sent
            && counts.sent == counts.ended() + counts.in_flight_at_end
            && counts.sent == window_counts.sent
            && counts.in_flight_at_end == window_counts.in_flight_at_end
            && histograms.response.len() == counts.ended()
            && histograms.failed.len() == counts.failed_total();
        if !is_counted_once {
            return Err("its counts do not add up".to_owned());
        }
        if !window_counts.is_whole() {
            return Err("its counts over time are not whole".to_owned());
        }
        if histograms.latencies() != summary.latency_us {
            return Err("its log has other distributions than its summary".to_owned());
        }
        let urls = self.recorded_urls();
        if !urls
            .iter()
            .map(RecordedUrl::summary)
            .eq(summary.urls.iter().cloned())
        {
            return Err("its URLs have other distributions than its summary".to_owned());
        }
        Ok(())
    }
}
