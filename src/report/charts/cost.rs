//! Server CPU per request: a bar per model, user and system stacked, every trial a dot, the interval a whisker.

use crate::analysis::bootstrap::Interval;
use crate::report::{numbers, words};

use super::Frame;
use super::axis::linear_ticks;
use super::svg::{Anchor, Svg, fitted, flow, text_width};

const MARGIN: f64 = 8.0;
const LEGEND_LINE: f64 = 20.0;
const ROW: f64 = 52.0;
const BAR: f64 = 20.0;
const DOT: f64 = 3.2;

/// One model's bar.
#[derive(Clone, Debug)]
pub(in crate::report) struct CostBar {
    pub(in crate::report) title: String,
    /// Median, in µs per request.
    pub(in crate::report) median: f64,
    pub(in crate::report) interval: Option<Interval>,
    /// Share of user time, 0…1; `None` where no time was counted.
    pub(in crate::report) user_share: Option<f64>,
    /// Every valid trial's value.
    pub(in crate::report) trials: Vec<f64>,
    /// The median and its interval, written out.
    pub(in crate::report) label: String,
}

/// Draws the bars, in the order given.
pub(in crate::report) fn cost(frame: Frame, bars: &[CostBar], description: &str) -> String {
    let available = frame.width - 2.0 * MARGIN;
    let legend = [
        words::COST_USER,
        words::COST_SYSTEM,
        words::COST_TRIAL,
        words::COST_INTERVAL,
    ];
    let (places, lines) = flow(&legend.map(|text| 22.0 + text_width(text)), available);
    let top = MARGIN + lines * LEGEND_LINE;
    let bottom = top + bars.len() as f64 * ROW;
    let mut svg = Svg::new(frame, bottom + 46.0, "cost", words::COST_CHART, description);

    for ((text, (x, line)), kind) in legend.iter().zip(places).zip(0..) {
        let (x, y) = (MARGIN + x, MARGIN + line * LEGEND_LINE + 6.0);
        match kind {
            0 => svg.rect("user", (x, y - 6.0), (14.0, 12.0)),
            1 => svg.rect("system", (x, y - 6.0), (14.0, 12.0)),
            2 => svg.circle("mark", (x + 7.0, y), DOT),
            _ => whisker(&mut svg, x, x + 14.0, y),
        }
        svg.text("label", (x + 22.0, y + 4.5), Anchor::Start, text);
    }

    let largest = bars.iter().flat_map(reach).fold(0.0, f64::max);
    // Room at the right end for a dot and for the last tick's label.
    let scale = if largest > 0.0 {
        (available - 24.0) / largest
    } else {
        0.0
    };
    let place = |value: f64| MARGIN + value * scale;
    for tick in linear_ticks(largest, if frame.width < 500.0 { 4.0 } else { 8.0 }) {
        let x = place(tick);
        svg.line("grid", (x, top + 4.0), (x, bottom));
        let anchor = if tick == 0.0 {
            Anchor::Start
        } else {
            Anchor::Middle
        };
        svg.text("label", (x, bottom + 17.0), anchor, &numbers::tick(tick));
    }
    svg.text(
        "axis",
        (MARGIN, bottom + 37.0),
        Anchor::Start,
        words::COST_AXIS,
    );

    for (bar, row) in bars.iter().zip(0..) {
        let y = top + f64::from(row) * ROW;
        let label_width = text_width(&bar.label);
        let title = fitted(&bar.title, available - label_width - 12.0);
        svg.text("name", (MARGIN, y + 19.0), Anchor::Start, &title);
        let right = (frame.width - MARGIN, y + 19.0);
        svg.text("figure", right, Anchor::End, &bar.label);
        draw(&mut svg, bar, y + 26.0, place);
    }
    svg.finish()
}

fn draw(svg: &mut Svg, bar: &CostBar, y: f64, place: impl Fn(f64) -> f64) {
    let user = bar.median * bar.user_share.unwrap_or(0.0);
    let (start, split, end) = (place(0.0), place(user), place(bar.median));
    svg.rect("user", (start, y), (split - start, BAR));
    let rest = if bar.user_share.is_some() {
        "system"
    } else {
        "whole"
    };
    svg.rect(rest, (split, y), (end - split, BAR));
    if let Some(Interval { low, high }) = bar.interval {
        whisker(svg, place(low), place(high), y + BAR / 2.0);
    }
    for (trial, number) in bar.trials.iter().zip(0..) {
        // Spread over the bar by the golden ratio, so that equal values stay apart and every build draws the same.
        let height = (f64::from(number) * 0.618_034 + 0.2).fract();
        svg.circle("dot", (place(*trial), y + 2.0 + height * (BAR - 4.0)), DOT);
    }
}

fn whisker(svg: &mut Svg, from: f64, to: f64, y: f64) {
    // A pale line below the dark one keeps it visible on every bar.
    for class in ["halo", "whisker"] {
        svg.line(class, (from, y), (to, y));
        svg.line(class, (from, y - 5.0), (from, y + 5.0));
        svg.line(class, (to, y - 5.0), (to, y + 5.0));
    }
}

fn reach(bar: &CostBar) -> impl Iterator<Item = f64> + '_ {
    let interval = bar.interval.map_or(0.0, |interval| interval.high);
    bar.trials.iter().copied().chain([bar.median, interval])
}
