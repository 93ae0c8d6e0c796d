//! Every trial of every model as a dot: a row per model, the median a tick, the interval a whisker.

use crate::analysis::bootstrap::Interval;

use super::axis::Scale;
use super::headings::Headings;
use super::legend::Legend;
use super::marks::{self, DOT};
use super::svg::{Anchor, LINE, Svg};
use super::ticks::{self, Write, ticks_below};
use super::{Frame, MARGIN, Name};

/// Below a row's heading: for its dots, and some room, in pixels.
const BELOW: f64 = 36.0;

/// Height over which the dots of a row are spread, in pixels.
const SPREAD: f64 = 16.0;

/// How far the median's tick reaches up and down: beyond the dots that may hide it, in pixels.
const TICK: f64 = 13.0;

/// Width of a sign in the legend, in pixels.
const SIGN: f64 = 18.0;

/// From so many times the smallest value on, a linear scale would press most of the dots together at its start.
const WIDE_RANGE: f64 = 50.0;

/// Trials of models, side by side.
#[derive(Clone, Copy)]
pub(in crate::report) struct DotChart<'a> {
    pub(in crate::report) name: Name<'a>,
    /// What the figure is, with its unit.
    pub(in crate::report) figure_title: &'a str,
    /// Writes a tick of the scale.
    pub(in crate::report) write: Write<'a>,
    /// What the legend calls a trial's dot, the median's tick and the interval's whisker.
    pub(in crate::report) signs: [&'a str; 3],
    pub(in crate::report) rows: &'a [DotRow],
}

/// One model's trials.
#[derive(Clone, Debug)]
pub(in crate::report) struct DotRow {
    pub(in crate::report) title: String,
    /// Every valid trial.
    pub(in crate::report) trials: Vec<f64>,
    pub(in crate::report) median: f64,
    pub(in crate::report) interval: Option<Interval>,
    /// The median and its interval, written out.
    pub(in crate::report) label: String,
    /// Whose they are and what they come to, in words.
    pub(in crate::report) say: String,
}

impl DotRow {
    fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.trials.iter().copied().chain([self.median])
    }
}

/// Whether rows are drawn on a log scale: the largest value is more than fifty times the smallest above zero.
pub(in crate::report) fn dots_are_log(rows: &[DotRow]) -> bool {
    let values = || rows.iter().flat_map(DotRow::values);
    let smallest = values().filter(|value| *value > 0.0).reduce(f64::min);
    let largest = values().reduce(f64::max);
    smallest
        .zip(largest)
        .is_some_and(|(smallest, largest)| largest / smallest > WIDE_RANGE)
}

/// Draws the rows, in the order given.
pub(in crate::report) fn dots(frame: Frame, chart: &DotChart<'_>) -> String {
    let legend = Legend::new(chart.signs.map(|text| (None, text)), SIGN, frame.inside());
    let figure_title = ticks::title(frame, chart.figure_title);
    let texts = chart
        .rows
        .iter()
        .map(|row| (row.title.as_str(), row.label.as_str()));
    let headings = Headings::new(frame, texts);
    let row_height = headings.height() + BELOW;
    let top = MARGIN + legend.height();
    let bottom = top + chart.rows.len() as f64 * row_height;
    let height = bottom + 30.0 + ticks::height(&figure_title);
    let mut svg = Svg::new(frame, height, chart.name);

    legend.draw(&mut svg, (MARGIN, 2.0), |svg, place, (x, y)| match place {
        0 => svg.circle("mark", (x + SIGN / 2.0, y), DOT),
        1 => svg.line(
            "median",
            (x + SIGN / 2.0, y - 7.0),
            (x + SIGN / 2.0, y + 7.0),
        ),
        _ => marks::whisker(svg, x, x + SIGN, y),
    });
    let scale = scale(frame, chart.rows);
    ticks_below(&mut svg, frame, &scale, chart.write, (top + 4.0, bottom));
    let below = (MARGIN, bottom + 22.0 + LINE);
    svg.texts("axis", below, Anchor::Start, &figure_title);
    for (number, row) in chart.rows.iter().enumerate() {
        let y = top + number as f64 * row_height + 6.0;
        svg.one(&[number], |svg| {
            headings.draw(svg, y, &row.title, &row.label);
            draw(svg, row, y + headings.height() + BELOW / 2.0 - 3.0, &scale);
        });
    }
    svg.finish()
}

fn scale(frame: Frame, rows: &[DotRow]) -> Scale {
    let values: Vec<f64> = rows
        .iter()
        .flat_map(|row| {
            let interval = row.interval.into_iter();
            row.values()
                .chain(interval.flat_map(|ends| [ends.low, ends.high]))
        })
        .collect();
    // Room at both ends for a dot.
    let (start, end) = (MARGIN + 2.0 * DOT, frame.width - MARGIN - 2.0 * DOT);
    if dots_are_log(rows) {
        Scale::log(&values, start, end)
    } else {
        Scale::from_zero(&values, start, end)
    }
}

fn draw(svg: &mut Svg, row: &DotRow, y: f64, scale: &Scale) {
    svg.saying(&row.say, |svg| {
        if let Some(Interval { low, high }) = row.interval {
            marks::whisker(svg, scale.place(low), scale.place(high), y);
        }
        tick(svg, scale.place(row.median), y);
        for (trial, number) in row.trials.iter().zip(0..) {
            let down = (marks::spread(number) - 0.5) * SPREAD;
            svg.circle("dot", (scale.place(*trial), y + down), DOT);
        }
    });
}

/// The tick of a median.
fn tick(svg: &mut Svg, x: f64, y: f64) {
    for class in ["median-halo", "median"] {
        svg.line(class, (x, y - TICK), (x, y + TICK));
    }
}

#[cfg(test)]
mod tests {
    use crate::report::charts::{NARROW, WIDE, checker};

    use super::*;

    fn row(title: &str, trials: &[f64]) -> DotRow {
        DotRow {
            title: title.to_owned(),
            trials: trials.to_vec(),
            median: trials[trials.len() / 2],
            interval: Some(Interval {
                low: trials[0],
                high: trials[trials.len() - 1],
            }),
            label: format!("{} [{}, {}]", trials[0], trials[0], trials[0]),
            say: title.to_owned(),
        }
    }

    fn drawn(frame: Frame, rows: &[DotRow]) -> String {
        let chart = DotChart {
            name: Name {
                id: "dots",
                title: "Dots",
                description: "What dots show.",
            },
            figure_title: "memory for each client that waits, in bytes, of which there are many",
            write: &|value| format!("{value} B"),
            signs: ["one trial", "median", "95 % interval"],
            rows,
        };
        dots(frame, &chart)
    }

    #[test]
    fn dots_stay_readable_whatever_they_show() {
        let huge: Vec<DotRow> = (0..20)
            .map(|power| row(checker::LONG_TITLE, &[0.0, 10f64.powi(power - 8)]))
            .collect();
        let zeros = [row("Iterative", &[0.0])];
        for frame in [WIDE, NARROW] {
            for rows in [&huge[..], &huge[..1], &zeros, &[]] {
                let svg = drawn(frame, rows);
                checker::assert_readable(&svg);
                let trials: usize = rows.iter().map(|row| row.trials.len()).sum();
                assert_eq!(svg.matches("class=\"dot\"").count(), trials);
                assert_eq!(svg.matches("data-say=").count(), rows.len());
            }
        }
    }

    #[test]
    fn a_wide_range_is_drawn_by_its_logarithm_and_zero_stands_apart() {
        let near = [row("Iterative", &[0.0, 2.0, 100.0])];
        let far = [row("Iterative", &[2.0, 101.0])];
        let far_from_zero = [row("Iterative", &[0.0, 2.0, 101.0])];
        assert!(!dots_are_log(&near) && dots_are_log(&far) && dots_are_log(&far_from_zero));
        let has_break = |rows| drawn(WIDE, rows).contains("class=\"break\"");
        assert!(!has_break(&near) && !has_break(&far) && has_break(&far_from_zero));
    }
}
