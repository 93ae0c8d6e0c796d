//! Follows one load: the lines of NDJSON, the interval log and the live line.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::time::Duration;

use hola_base::output::{say, wants_colours};
use indicatif::{ProgressBar, ProgressStyle};

use super::exit::LoadFailure;
use super::outputs::Outputs;
use super::{Format, LoadArgs};
use crate::engine::{self, LoadError, NoObserver, Observer};
use crate::histograms::{Histograms, percentile_ns};
use crate::intervals::Interval;
use crate::summary::{Counts, Line, add_failures};
use crate::totals::Totals;
use crate::workload::{Pace, Workload};
use crate::{sys, text};

/// Length of intervals that are only for the live line.
const SHOWN_INTERVAL: Duration = Duration::from_millis(500);

/// From now on, SIGINT and SIGTERM end a load early and keep what it measured.
pub(super) fn note_interrupts() -> Result<(), String> {
    sys::note_interrupts().map_err(|error| format!("cannot watch for SIGINT and SIGTERM: {error}"))
}

/// Runs one load and watches it; `None` if it ended before its window, or if the result has no reader any more.
pub(super) fn measure(
    load: &Workload,
    args: &LoadArgs,
    outputs: &mut Outputs,
) -> Result<Option<Totals>, LoadFailure> {
    if outputs.is_unread() {
        return Ok(None);
    }
    let watch = Watch::new(load, args, outputs);
    let result = engine::collect(load, &watch, &NoObserver);
    watch.finish()?;
    match result {
        Ok(totals) => Ok(Some(totals)),
        Err(error @ LoadError::StoppedInWarmup) => {
            say(error);
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// An observer that writes each interval as it ends, and shows on a terminal how the load goes.
struct Watch<'a> {
    load: &'a Workload,
    /// Whether each interval is a line of the result.
    has_lines: bool,
    interval_length: Option<Duration>,
    /// A line on standard error, if that is a terminal that can erase it again.
    live: ProgressBar,
    state: RefCell<State<'a>>,
}

/// What changes while a load runs.
struct State<'a> {
    outputs: &'a mut Outputs,
    /// Whether the interval log has its header.
    has_header: bool,
    /// The error of standard output, if a write failed.
    failure: Option<String>,
    /// Failures so far.
    failed: Counts,
    /// Figures up to the end of the last interval, for the live line.
    figures: String,
}

impl<'a> Watch<'a> {
    /// Watches `load`, and writes to `outputs` what `args` asks for.
    fn new(load: &'a Workload, args: &LoadArgs, outputs: &'a mut Outputs) -> Self {
        let has_lines = args.format == Format::Ndjson;
        // On a terminal, the lines themselves show the progress.
        let live = if has_lines && args.output.is_none() && io::stdout().is_terminal() {
            ProgressBar::hidden()
        } else {
            ProgressBar::no_length()
        };
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            live.set_style(style);
        }
        let is_written = has_lines || outputs.has_hlog();
        let interval_length = match is_written {
            true => Some(args.interval),
            false => (!live.is_hidden()).then_some(SHOWN_INTERVAL),
        };
        Self {
            load,
            has_lines,
            interval_length,
            live,
            state: RefCell::new(State {
                outputs,
                has_header: false,
                failure: None,
                failed: Counts::default(),
                figures: String::new(),
            }),
        }
    }

    /// Erases the live line, and returns the error of standard output, if a write failed.
    fn finish(self) -> Result<(), String> {
        self.live.finish_and_clear();
        self.state.into_inner().failure.map_or(Ok(()), Err)
    }

    /// Figures for the live line: the rate of the interval, the others of the window so far.
    #[allow(clippy::cast_precision_loss)] // an hour of nanoseconds is exact in a double
    fn figures(&self, interval: &Interval, so_far: &Histograms, failed: &Counts) -> String {
        let failed_now = interval.failed.values().flat_map(BTreeMap::values);
        let ended = interval.ok + failed_now.sum::<u64>();
        let rate = ended as f64 / interval.length.as_secs_f64().max(1e-9);
        let offered = match self.load.pace {
            Pace::Open { rate_per_s, .. } => format!(" of {rate_per_s}/s"),
            Pace::Closed { .. } => String::new(),
        };
        let time = |histogram, permille| match percentile_ns(histogram, permille) {
            Some(ns) => text::time(ns as f64 / 1e3),
            None => "–".to_owned(),
        };
        format!(
            "{rate:.0}/s{offered}  p50 {}  p99 {}  lag {}  {}",
            time(&so_far.response, 500),
            time(&so_far.response, 990),
            time(&so_far.lag, 990),
            failures(failed)
        )
    }
}

/// Failures for the live line, in red where colours are wanted.
fn failures(counts: &Counts) -> String {
    let (total, causes) = (counts.failed_total(), counts.failures());
    match total {
        0 => "0 failed".to_owned(),
        _ if wants_colours() => format!("\x1b[31m{total} failed ({causes})\x1b[0m"),
        _ => format!("{total} failed ({causes})"),
    }
}

impl Observer for Watch<'_> {
    fn progress(&self, elapsed: Duration, in_flight: u64) {
        let line = match elapsed.checked_sub(self.load.ramp + self.load.warmup) {
            None => {
                let elapsed = elapsed.as_secs_f64();
                format!("warming up, {elapsed:.1} s  {in_flight} in flight")
            }
            Some(elapsed) => {
                let (elapsed, state) = (elapsed.as_secs_f64(), self.state.borrow());
                format!("{elapsed:.1} s  {in_flight} in flight  {}", state.figures)
            }
        };
        self.live.set_message(line);
    }

    fn interval_length(&self) -> Option<Duration> {
        self.interval_length
    }

    fn interval(&self, interval: &Interval, so_far: &Histograms) {
        let state = &mut *self.state.borrow_mut();
        if self.has_lines && state.failure.is_none() {
            let line = text::json_line(&Line::Interval(Box::new(interval.summary())));
            let written = line.and_then(|line| state.outputs.write(&line));
            state.failure = written.err();
        }
        if state.outputs.has_hlog() {
            let url = (!state.has_header).then(|| self.load.url());
            state.has_header = true;
            let written = text::hdr::log(interval, url.as_deref())
                .and_then(|lines| state.outputs.write_hlog(&lines));
            if let Err(reason) = written {
                let message = format!("{reason}; the load goes on without its log");
                self.live.suspend(|| state.outputs.report(&message));
            }
        }
        if !self.live.is_hidden() {
            add_failures(&mut state.failed.failed, &interval.failed);
            state.figures = self.figures(interval, so_far, &state.failed);
        }
    }

    fn should_stop(&self) -> bool {
        let state = self.state.borrow();
        // A result without a reader, or one that cannot be written, is not worth measuring.
        sys::interrupted().is_some() || state.outputs.is_unread() || state.failure.is_some()
    }
}
