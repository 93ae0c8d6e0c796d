//! One line on standard error, rewritten in place, if standard error is a terminal.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use terminal_size::{Width, terminal_size_of};

use crate::engine::Progress;
use crate::histograms::{Histograms, percentile_ns};
use crate::intervals::Interval;
use crate::text::time;
use crate::workload::{Pace, Workload};

/// Columns of a terminal that does not say how many it has.
const COLUMNS: usize = 80;

/// Shortest time between two drawings.
pub(super) const REDRAW: Duration = Duration::from_millis(500);

/// Failures so far, by cause.
type Causes = BTreeMap<String, u64>;

/// The live line.
pub(super) struct Live {
    /// Rate of the plan.
    offered_per_s: Option<f64>,
    style: Style,
    /// Time before the measured window.
    opens_after: Duration,
    failed: Cell<Causes>,
    /// Part of the measured window that has been shown.
    shown: Cell<Duration>,
    /// Columns in use.
    drawn: Cell<usize>,
}

/// What the terminal can do.
#[derive(Clone, Copy, Debug)]
struct Style {
    /// Whether it understands control sequences.
    escapes: bool,
    /// Whether to use colour.
    colour: bool,
}

impl Live {
    /// A line about `workload`, if standard error is a terminal.
    pub(super) fn new(workload: &Workload) -> Option<Self> {
        if !io::stderr().is_terminal() {
            return None;
        }
        let escapes = env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
        // https://no-color.org: any value but an empty one.
        let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Some(Self {
            offered_per_s: match workload.pace {
                Pace::Open { rate_per_s, .. } => Some(rate_per_s),
                Pace::Closed { .. } => None,
            },
            style: Style {
                escapes,
                colour: escapes && !no_colour,
            },
            opens_after: workload.ramp + workload.warmup,
            failed: Cell::new(Causes::new()),
            shown: Cell::new(Duration::ZERO),
            drawn: Cell::new(0),
        })
    }

    /// Shows that the warm-up is under way, until it ends.
    pub(super) fn warming_up(&self, progress: &Progress) {
        if progress.elapsed < self.opens_after {
            let text = format!(
                "warming up, {:.1} s  {} in flight",
                progress.elapsed.as_secs_f64(),
                progress.in_flight
            );
            self.draw(&[(text, false)]);
        }
    }

    /// Shows the interval that has just ended and the percentiles of the window so far, at most once per [`REDRAW`].
    pub(super) fn show(&self, interval: &Interval, so_far: &Histograms) {
        let mut failed = self.failed.take();
        for (cause, phases) in &interval.failed {
            *failed.entry(cause.clone()).or_default() += phases.values().sum::<u64>();
        }
        let end = interval.start + interval.length;
        if end.saturating_sub(self.shown.get()) >= REDRAW {
            self.shown.set(end);
            self.draw(&self.parts(interval, so_far, &failed));
        }
        self.failed.set(failed);
    }

    #[allow(clippy::cast_precision_loss)] // counts of half a second
    fn parts(
        &self,
        interval: &Interval,
        so_far: &Histograms,
        failed: &Causes,
    ) -> [(String, bool); 2] {
        let ended = interval.ok
            + interval
                .failed
                .values()
                .flat_map(BTreeMap::values)
                .sum::<u64>();
        let rate = ended as f64 / interval.length.as_secs_f64().max(1e-9);
        let offered = self
            .offered_per_s
            .map_or(String::new(), |offered| format!(" of {offered}/s"));
        let [p50, p99] =
            [500, 990].map(|permille| written(percentile_ns(&so_far.response, permille)));
        let causes: Vec<String> = failed
            .iter()
            .map(|(cause, count)| format!("{count} {cause}"))
            .collect();
        let total: u64 = failed.values().sum();
        let at = (interval.start + interval.length).as_secs_f64();
        let figures = format!(
            "{at:.1} s  {rate:.0}/s{offered}  p50 {p50}  p99 {p99}  lag {}  {} in flight  ",
            written(percentile_ns(&so_far.lag, 990)),
            interval.in_flight
        );
        let failures = match total {
            0 => ("0 failed".to_owned(), false),
            _ => (format!("{total} failed ({})", causes.join(", ")), true),
        };
        [(figures, false), failures]
    }

    pub(super) fn clear(&self) {
        if self.drawn.get() > 0 {
            self.draw(&[]);
        }
    }

    /// Overwrites the line with the parts, cut off at the edge of the terminal; the flag of a part marks a warning.
    fn draw(&self, parts: &[(String, bool)]) {
        let width =
            terminal_size_of(io::stderr()).map_or(COLUMNS, |(Width(width), _)| width.into());
        let (line, columns) = compose(parts, width.saturating_sub(1), self.style);
        let before = self.drawn.replace(columns);
        let over = match self.style.escapes {
            true => format!("\r\x1b[K{line}"),
            // The terminal understands only a carriage return, so spaces overwrite the rest of the old line.
            false => {
                let blank = " ".repeat(before.saturating_sub(columns));
                let back = if columns == 0 { "\r" } else { "" };
                format!("\r{line}{blank}{back}")
            }
        };
        let mut stderr = io::stderr().lock();
        // A terminal that is gone must not end the load.
        let _ = stderr
            .write_all(over.as_bytes())
            .and_then(|()| stderr.flush());
    }
}

/// The parts as far as they fit `width` columns, and the number of columns they take.
fn compose(parts: &[(String, bool)], width: usize, style: Style) -> (String, usize) {
    let mut line = String::new();
    let mut columns = 0;
    for (text, warning) in parts {
        let fitting: String = text.chars().take(width - columns).collect();
        columns += fitting.chars().count();
        if *warning && style.colour && !fitting.is_empty() {
            line += &format!("\x1b[31m{fitting}\x1b[0m");
        } else {
            line += &fitting;
        }
    }
    (line, columns)
}

#[allow(clippy::cast_precision_loss)] // an hour of nanoseconds is exact in a double
fn written(ns: Option<u64>) -> String {
    ns.map_or("–".to_owned(), |ns| time(ns as f64 / 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_never_wraps_and_colours_only_what_is_seen() {
        let parts = [
            ("0123456789".to_owned(), false),
            ("bad".to_owned(), true),
            ("rest".to_owned(), false),
        ];
        let style = |colour| Style {
            escapes: true,
            colour,
        };
        assert_eq!(
            compose(&parts, 12, style(false)),
            ("0123456789ba".into(), 12)
        );
        assert_eq!(
            compose(&parts, 12, style(true)),
            ("0123456789\x1b[31mba\x1b[0m".into(), 12)
        );
        assert_eq!(compose(&parts, 10, style(true)), ("0123456789".into(), 10));
        assert_eq!(compose(&parts, 0, style(true)), (String::new(), 0));
    }
}
