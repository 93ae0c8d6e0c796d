//! Server CPU per request: a bar per model, user and system stacked, every trial a dot, the interval a whisker.

use crate::analysis::bootstrap::Interval;
use crate::language::Language;
use crate::report::{numbers, words};

use super::axis::Scale;
use super::headings::Headings;
use super::legend::Legend;
use super::marks::{self, DOT};
use super::svg::{Anchor, LINE, Svg};
use super::ticks::{self, ticks_below};
use super::{Frame, MARGIN, Name};

const SIGN: f64 = 14.0;
const BAR: f64 = 20.0;

/// Above a row's heading, between it and its bar, and below, together, in pixels.
const ROOM: f64 = 16.0;

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

/// Draws the bars, in the order given; `id` is the drawing's own in the page.
pub(in crate::report) fn cost(
    frame: Frame,
    id: &str,
    bars: &[CostBar],
    description: &str,
    language: Language,
) -> String {
    let signs = [
        words::COST_USER,
        words::COST_SYSTEM,
        words::COST_TRIAL,
        words::COST_INTERVAL,
    ]
    .map(|text| language.of(text));
    let legend = Legend::new(signs.map(|text| (None, text)), SIGN, frame.inside());
    let write = |value| numbers::tick(value, language);
    let axis_title = ticks::title(frame, language.of(words::COST_AXIS));
    let texts = bars
        .iter()
        .map(|bar| (bar.title.as_str(), bar.label.as_str()));
    let headings = Headings::new(frame, texts);
    let row = headings.height() + BAR + ROOM;
    let top = MARGIN + legend.height();
    let bottom = top + bars.len() as f64 * row;
    let height = bottom + 30.0 + ticks::height(&axis_title);
    let called = Name {
        id,
        title: language.of(words::COST_CHART),
        description,
    };
    let mut svg = Svg::new(frame, height, called);

    legend.draw(&mut svg, (MARGIN, 2.0), |svg, place, (x, y)| match place {
        0 => svg.rect("user", (x, y - 6.0), (SIGN, 12.0)),
        1 => svg.rect("system", (x, y - 6.0), (SIGN, 12.0)),
        2 => svg.circle("mark", (x + SIGN / 2.0, y), DOT),
        _ => marks::whisker(svg, x, x + SIGN, y),
    });
    let values: Vec<f64> = bars.iter().flat_map(reach).collect();
    // Room at the right end for a dot.
    let scale = Scale::from_zero(&values, MARGIN, frame.width - MARGIN - 2.0 * DOT);
    ticks_below(&mut svg, frame, &scale, &write, (top + 4.0, bottom));
    let below = (MARGIN, bottom + 22.0 + LINE);
    svg.texts("axis", below, Anchor::Start, &axis_title);

    for (number, bar) in bars.iter().enumerate() {
        let y = top + number as f64 * row + 7.0;
        svg.one(&[number], |svg| {
            headings.draw(svg, y, &bar.title, &bar.label);
            let say = format!("{}: {}", bar.title, bar.label);
            let y = y + headings.height() + 3.0;
            svg.saying(&say, |svg| draw(svg, bar, y, &scale));
        });
    }
    svg.finish()
}

fn draw(svg: &mut Svg, bar: &CostBar, y: f64, scale: &Scale) {
    let user = bar.median * bar.user_share.unwrap_or(0.0);
    let [start, split, end] = [0.0, user, bar.median].map(|value| scale.place(value));
    svg.rect("user", (start, y), (split - start, BAR));
    let rest = if bar.user_share.is_some() {
        "system"
    } else {
        "whole"
    };
    svg.rect(rest, (split, y), (end - split, BAR));
    if let Some(Interval { low, high }) = bar.interval {
        marks::whisker(svg, scale.place(low), scale.place(high), y + BAR / 2.0);
    }
    for (trial, number) in bar.trials.iter().zip(0..) {
        let down = 2.0 + marks::spread(number) * (BAR - 4.0);
        svg.circle("dot", (scale.place(*trial), y + down), DOT);
    }
}

fn reach(bar: &CostBar) -> impl Iterator<Item = f64> + '_ {
    let interval = bar.interval.map_or(0.0, |interval| interval.high);
    bar.trials.iter().copied().chain([bar.median, interval])
}

#[cfg(test)]
mod tests {
    use crate::report::charts::{NARROW, WIDE, checker};

    use super::*;

    fn bar(title: &str, median: f64) -> CostBar {
        CostBar {
            title: title.to_owned(),
            median,
            interval: Some(Interval {
                low: median * 0.9,
                high: median * 1.2,
            }),
            user_share: Some(0.2),
            trials: vec![median * 0.8, median, median * 1.3],
            label: format!("{median:.0} [{:.0}, {:.0}]", median * 0.9, median * 1.2),
        }
    }

    #[test]
    fn bars_stay_readable_whatever_they_show() {
        let many: Vec<CostBar> = (0..20)
            .map(|number| bar(checker::LONG_TITLE, 10f64.powi(number - 6)))
            .collect();
        let zero = [bar("Iterative", 0.0)];
        for frame in [WIDE, NARROW] {
            for bars in [&many[..], &many[..1], &zero, &[]] {
                let svg = cost(frame, "cost", bars, "What bars show.", Language::English);
                checker::assert_readable(&svg);
                assert_eq!(svg.matches("<g class=\"one\"").count(), bars.len());
                assert_eq!(svg.matches("data-say=").count(), bars.len());
            }
        }
    }
}
