//! Follows one load: the live line, the lines of NDJSON and the interval log.

use std::cell::RefCell;
use std::io::{self, IsTerminal};
use std::time::Duration;

use super::histogram_log::HistogramLog;
use super::live::{Live, REDRAW};
use super::outputs::Outputs;
use super::{Format, Output};
use crate::engine::{Observer, Progress};
use crate::histograms::Histograms;
use crate::intervals::Interval;
use crate::summary::Line;
use crate::workload::Workload;
use crate::{sys, text};

/// An observer that shows and writes intervals. If the live line is redrawn more often than intervals end, the workers
/// deliver parts of an interval.
pub(super) struct Watch<'a> {
    live: Option<Live>,
    outputs: &'a Outputs,
    lines: bool,
    log: RefCell<Option<HistogramLog<'a>>>,
    interval: Duration,
    /// Parts that make an interval.
    parts: u32,
    /// Parts of the current interval: their number and their sum.
    pending: RefCell<Option<(u32, Interval)>>,
    /// Whether the result is only for standard output.
    for_stdout_alone: bool,
    /// The error of standard output, if a write failed.
    failure: RefCell<Option<String>>,
}

impl<'a> Watch<'a> {
    /// Watches a load and writes to `outputs` what `output` asks for.
    pub(super) fn new(
        workload: &Workload,
        output: &Output,
        outputs: &'a Outputs,
        log: Option<HistogramLog<'a>>,
    ) -> Self {
        let lines = output.format == Format::Ndjson;
        // On a terminal, the NDJSON lines themselves show the progress.
        let crowded = lines && output.file.is_none() && io::stdout().is_terminal();
        let live = if crowded { None } else { Live::new(workload) };
        let wanted = lines || log.is_some();
        let parts = match (wanted, &live) {
            (true, Some(_)) => u32::try_from(output.interval.as_nanos() / REDRAW.as_nanos())
                .unwrap_or(u32::MAX)
                .max(1),
            _ => 1,
        };
        Self {
            live,
            outputs,
            lines,
            log: RefCell::new(log),
            interval: if wanted { output.interval } else { REDRAW },
            parts,
            pending: RefCell::new(None),
            for_stdout_alone: output.is_for_stdout_alone(),
            failure: RefCell::new(None),
        }
    }

    /// Writes what is still pending and clears the live line.
    ///
    /// # Errors
    /// The error of standard output, if a write failed.
    pub(super) fn close(&self) -> Result<(), String> {
        if let Some(live) = &self.live {
            live.clear();
        }
        if let Some((_, interval)) = self.pending.take() {
            self.write(&interval);
        }
        self.failure.take().map_or(Ok(()), Err)
    }

    fn write(&self, interval: &Interval) {
        if self.lines && self.failure.borrow().is_none() {
            let written = text::json::line(&Line::Interval(Box::new(interval.summary())))
                .and_then(|line| self.outputs.write(&line));
            self.failure.replace(written.err());
        }
        let mut log = self.log.borrow_mut();
        if let Some(Err(reason)) = log.as_mut().map(|log| log.write(interval)) {
            self.outputs
                .report(&format!("{reason}; the load goes on without its log"));
            *log = None;
        }
    }

    /// Adds a part to the current interval, and writes the interval when it is complete.
    fn gather(&self, part: &Interval) {
        let mut pending = self.pending.borrow_mut();
        let count = match &mut *pending {
            Some((count, interval)) => {
                interval.append(part);
                *count += 1;
                *count
            }
            None => {
                *pending = Some((1, part.clone()));
                1
            }
        };
        if count >= self.parts
            && let Some((_, interval)) = pending.take()
        {
            self.write(&interval);
        }
    }
}

impl Observer for Watch<'_> {
    fn progress(&self, progress: &Progress) {
        if let Some(live) = &self.live {
            live.warming_up(progress);
        }
    }

    fn interval_length(&self) -> Option<Duration> {
        let wanted = self.live.is_some() || self.lines || self.log.borrow().is_some();
        wanted.then(|| self.interval / self.parts)
    }

    fn interval(&self, interval: &Interval, so_far: &Histograms) {
        if self.lines || self.log.borrow().is_some() {
            self.gather(interval);
        }
        if let Some(live) = &self.live {
            live.show(interval, so_far);
        }
    }

    fn should_stop(&self) -> bool {
        // A result without a reader, or one that cannot be written, is not worth measuring.
        let is_unread = self.outputs.reader_has_gone() && self.for_stdout_alone;
        sys::interrupted().is_some() || is_unread || self.failure.borrow().is_some()
    }
}
