//! Response times of a cell as an interval log of HdrHistogram (V2, compressed), an interval per trial.

use std::fmt::Write;

use hola_loadgen::Histograms;
use jiff::Timestamp;

use crate::analysis::Analysis;
use crate::analysis::cells::{Cell, Taken};
use crate::lab::record::Run;

use super::place;
use crate::visible::one_line;

/// Nanoseconds in a millisecond, the unit of the maximum, which people read; the histograms keep nanoseconds.
const NS_PER_MS: f64 = 1e6;

/// Column names, as HdrHistogram's own writer has them.
const LEGEND: &str =
    r#""StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram""#;

/// One trial's response times.
struct Interval<'a> {
    /// When the trial was begun.
    started_at: Timestamp,
    /// Its measured window, in seconds.
    length_s: f64,
    /// Its longest response time, in milliseconds.
    max_ms: f64,
    /// Its histogram, as the trial recorded it.
    encoded: &'a str,
}

/// The log of a cell's valid trials, the same that its percentile curve adds up; `None` where there are none.
///
/// A trial has no line when its histogram or its start cannot be read. Stamps count from the first trial's start, to the
/// second, as trials record it; a trial's window opens a moment later, when its server is up and warm.
pub(super) fn text(run: &Run, analysis: &Analysis<'_>, cell: &Cell<'_>) -> Option<String> {
    if cell.is_generator_bound() {
        return None;
    }
    let trial_s = analysis.design.trial_s;
    let of_trial = |taken| interval(taken, trial_s);
    let mut intervals: Vec<Interval<'_>> = cell.valid.iter().filter_map(of_trial).collect();
    // A clock that was set back in between must not make a stamp negative.
    intervals.sort_by_key(|interval| interval.started_at);
    let first = intervals.first()?.started_at;
    let [experiment, level, model] = place(analysis, cell);
    let about = format!(
        "{model}, {level}, {experiment}, run {}: response times in nanoseconds, an interval per valid trial",
        run.name
    );
    let base = seconds(first);
    let mut log = format!(
        "#[{}]\n\
         #[Histogram log format version 1.2]\n\
         #[StartTime: {base:.3} (seconds since epoch), {first}]\n\
         #[BaseTime: {base:.3} (seconds since epoch)]\n\
         #[MaxValueDivisor: {NS_PER_MS:.3}]\n\
         {LEGEND}\n",
        one_line(&about)
    );
    for interval in &intervals {
        // Writing to a string cannot fail.
        let _ = writeln!(
            log,
            "{:.3},{:.3},{:.3},{}",
            seconds(interval.started_at) - base,
            interval.length_s,
            interval.max_ms,
            interval.encoded
        );
    }
    Some(log)
}

fn interval<'a>(taken: &Taken<'a>, trial_s: f64) -> Option<Interval<'a>> {
    let measured = taken.measured;
    let encoded = measured.response_histogram.as_deref()?.trim();
    let histogram = Histograms::decode(encoded)?;
    let window_s = measured.load.as_ref().and_then(|load| load.plan.duration_s);
    Some(Interval {
        started_at: taken.started_at.parse().ok()?,
        length_s: window_s.unwrap_or(trial_s),
        max_ms: histogram.max() as f64 / NS_PER_MS,
        encoded,
    })
}

fn seconds(instant: Timestamp) -> f64 {
    instant.as_millisecond() as f64 / 1e3
}
