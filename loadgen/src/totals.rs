//! What all threads of a run counted and recorded together, or all ranks of it. A measurement is made of this alone.

use std::collections::BTreeMap;

use crate::engine::window_counts::WindowCounts;
use crate::evidence::Evidence;
use crate::histograms::Histograms;
use crate::recorder::Recorder;
use crate::summary::{Plan, add_failures};
use crate::time_slices::TimeSlices;
use crate::url_record::RecordedUrl;
use crate::workload::Workload;

/// Counts, distributions and evidence of a run.
#[derive(Clone, Debug)]
pub(crate) struct Totals {
    /// Target, as a URL.
    pub(crate) url: String,
    /// The whole load, of which a rank makes a share.
    pub(crate) plan: Plan,
    /// Right answers.
    pub(crate) ok: u64,
    /// Failures, by cause and phase.
    pub(crate) failed: BTreeMap<String, BTreeMap<String, u64>>,
    pub(crate) histograms: Histograms,
    /// Results of each URL, if there are several.
    pub(crate) urls: Vec<RecordedUrl>,
    pub(crate) time_slices: TimeSlices,
    pub(crate) window_counts: WindowCounts,
    pub(crate) evidence: Evidence,
}

impl Totals {
    /// The totals of a run of `workload`.
    pub(crate) fn new(
        workload: &Workload,
        recorder: Recorder,
        window_counts: WindowCounts,
        evidence: Evidence,
    ) -> Self {
        let failed = recorder.failures();
        let urls = workload.url_mix.iter().zip(recorder.urls);
        let urls = urls.map(|(url, record)| RecordedUrl {
            url: workload.url_of(&url.path),
            weight: url.weight,
            record,
        });
        Self {
            url: workload.url(),
            plan: workload.plan(),
            ok: recorder.ok,
            failed,
            histograms: recorder.histograms,
            urls: urls.collect(),
            time_slices: recorder.time_slices,
            window_counts,
            evidence,
        }
    }

    /// Adds those of another rank of the same run.
    pub(crate) fn add(&mut self, other: &Self) {
        self.ok += other.ok;
        add_failures(&mut self.failed, &other.failed);
        self.histograms.merge(&other.histograms);
        for (mine, theirs) in self.urls.iter_mut().zip(&other.urls) {
            mine.record.merge(&theirs.record);
        }
        self.time_slices.merge(&other.time_slices);
        self.window_counts.merge(&other.window_counts);
        self.evidence.add(&other.evidence);
    }
}
