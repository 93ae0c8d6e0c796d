//! What happened to the requests of one worker thread, kept in bounded memory and merged without loss.

use std::collections::BTreeMap;

use crate::histograms::Histograms;
use crate::request::{Cause, Phase, RequestOutcome, RequestTimes};
use crate::time_slices::TimeSlices;
use crate::url_record::UrlRecord;
use hdrhistogram::Histogram;

/// Counts and distributions of the requests that belong to the measured window.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) histograms: Histograms,
    pub(crate) time_slices: TimeSlices,
    /// Results of each URL, if they are asked for.
    pub(crate) urls: Vec<UrlRecord>,
    pub(crate) ok: u64,
    failed: BTreeMap<(Cause, Phase), u64>,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            histograms: Histograms::new(),
            time_slices: TimeSlices::default(),
            urls: Vec::new(),
            ok: 0,
            failed: BTreeMap::new(),
        }
    }

    /// An empty recorder with results of each of so many URLs.
    pub(crate) fn with_urls(urls: usize) -> Self {
        Self {
            urls: vec![UrlRecord::new(); urls],
            ..Self::new()
        }
    }

    /// Takes the counts and distributions and leaves empty ones; [`Recorder::merge`] undoes this. The time slices and the
    /// results of each URL stay: they cover the whole window, and are read only after its end.
    pub(crate) fn take(&mut self) -> Self {
        let mut part = Self::new();
        std::mem::swap(&mut part.histograms, &mut self.histograms);
        std::mem::swap(&mut part.ok, &mut self.ok);
        std::mem::swap(&mut part.failed, &mut self.failed);
        part
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ok == 0 && self.failed.is_empty()
    }

    pub(crate) fn record(&mut self, times: &RequestTimes, outcome: RequestOutcome) {
        let since = |later: u64, earlier: u64| later.saturating_sub(earlier);
        let response = since(times.end, times.intended);
        let enter = |histogram: &mut Histogram<u64>, value| histogram.saturating_record(value);
        let histograms = &mut self.histograms;
        enter(&mut histograms.response, response);
        self.time_slices.record(times, response);
        enter(&mut histograms.service, since(times.end, times.start));
        enter(&mut histograms.lag, since(times.start, times.intended));
        if times.connected > 0 {
            enter(&mut histograms.connect, since(times.connected, times.start));
        }
        if times.first_byte > 0 && times.written > 0 {
            let first_byte = since(times.first_byte, times.written);
            enter(&mut histograms.first_byte, first_byte);
        }
        match outcome {
            RequestOutcome::Ok => self.ok += 1,
            RequestOutcome::Failed(cause, phase) => {
                enter(&mut histograms.failed, response);
                *self.failed.entry((cause, phase)).or_default() += 1;
            }
        }
    }

    /// Records the request in the results of its URL, if they are asked for.
    pub(crate) fn record_url(&mut self, url: u32, times: &RequestTimes, outcome: RequestOutcome) {
        if let Some(record) = self.urls.get_mut(url as usize) {
            let response_ns = times.end.saturating_sub(times.intended);
            record.record(response_ns, outcome == RequestOutcome::Ok);
        }
    }

    /// Adds what another thread recorded.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.histograms.merge(&other.histograms);
        self.time_slices.merge(&other.time_slices);
        if self.urls.is_empty() {
            self.urls.clone_from(&other.urls);
        } else {
            for (mine, theirs) in self.urls.iter_mut().zip(&other.urls) {
                mine.merge(theirs);
            }
        }
        self.ok += other.ok;
        for (key, count) in &other.failed {
            *self.failed.entry(*key).or_default() += count;
        }
    }

    /// Failures by name, as published.
    pub(crate) fn failures(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        let mut named: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for ((cause, phase), count) in &self.failed {
            let phases = named.entry(cause.name()).or_default();
            *phases.entry(phase.name().to_owned()).or_default() += count;
        }
        named
    }
}
