//! Effects beside each other, each with its interval, against the threshold that is claimed.
mod layout;

use crate::analysis::bootstrap::Interval;

use layout::Layout;

use super::axis::{LinearAxis, LogAxis, Scale};
use super::legend::Legend;
use super::marks;
use super::svg::{Anchor, LINE, Svg, fitted, text_width};
use super::ticks::{self, Write, ticks_below};
use super::{Frame, MARGIN, Name};

/// Width of a sign in the legend, in pixels.
const SIGN: f64 = 12.0;

/// Effects that decide a claim.
#[derive(Clone, Copy)]
pub(in crate::report) struct Forest<'a> {
    pub(in crate::report) name: Name<'a>,
    /// What the effects are.
    pub(in crate::report) effect_title: &'a str,
    /// Whether they are quotients: on a log axis around 1 then, on a linear one around 0 otherwise.
    pub(in crate::report) is_ratio: bool,
    /// Writes a tick of the axis.
    pub(in crate::report) write: Write<'a>,
    /// Where the claim says that effects are.
    pub(in crate::report) claimed: &'a Claimed,
    /// What the legend calls the outcomes: as claimed, against it, open.
    pub(in crate::report) signs: [&'a str; 3],
    pub(in crate::report) rows: &'a [ForestRow],
}

/// The side of a threshold that a claim says, or what is between two.
#[derive(Clone, Debug, Default)]
pub(in crate::report) struct Claimed {
    /// Effects are more than this.
    pub(in crate::report) from: Option<Threshold>,
    /// Effects are less than this.
    pub(in crate::report) to: Option<Threshold>,
}

/// A threshold.
#[derive(Clone, Debug)]
pub(in crate::report) struct Threshold {
    pub(in crate::report) value: f64,
    /// The same, written out.
    pub(in crate::report) text: String,
}

/// One finding.
#[derive(Clone, Debug)]
pub(in crate::report) struct ForestRow {
    /// What was measured; a second line may say over what.
    pub(in crate::report) label: [String; 2],
    /// What came out, or why nothing did.
    pub(in crate::report) effect: Result<ForestEffect, String>,
    /// The whole finding, in words.
    pub(in crate::report) say: String,
}

/// An effect.
#[derive(Clone, Debug)]
pub(in crate::report) struct ForestEffect {
    pub(in crate::report) value: f64,
    /// An end that is infinite, or not above zero on a log axis, is drawn as an arrow.
    pub(in crate::report) interval: Interval,
    pub(in crate::report) outcome: Outcome,
    /// Value and interval, written out.
    pub(in crate::report) figure: String,
}

/// On which side of a claim an effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Outcome {
    /// On the claimed side.
    AsClaimed,
    /// On the other.
    Against,
    /// It cannot be told.
    Open,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::AsClaimed, Self::Against, Self::Open];

    /// Its number as a series, in the order of the legend.
    fn series(self) -> usize {
        self as usize
    }

    /// Its marker: both colour and shape say it.
    fn mark(self, svg: &mut Svg, at: (f64, f64)) {
        let (class, shape) = match self {
            Self::AsClaimed => ("outcome as-claimed", marks::DISC),
            Self::Against => ("outcome against", marks::DIAMOND),
            Self::Open => ("outcome open", marks::SQUARE),
        };
        marks::shape(svg, class, shape, at);
    }
}

/// Draws the findings, in the order given.
pub(in crate::report) fn forest(frame: Frame, chart: &Forest<'_>) -> String {
    let layout = Layout::new(frame, chart.rows);
    let effects = || chart.rows.iter().filter_map(|row| row.effect.as_ref().ok());
    let is_there = |outcome: &Outcome| effects().any(|effect| effect.outcome == *outcome);
    let outcomes: Vec<Outcome> = Outcome::ALL.into_iter().filter(is_there).collect();
    let entries = outcomes
        .iter()
        .map(|outcome| (Some(outcome.series()), chart.signs[outcome.series()]));
    let legend = Legend::new(entries, SIGN, frame.inside());
    let thresholds: Vec<&Threshold> = chart.claimed.from.iter().chain(&chart.claimed.to).collect();
    let top = MARGIN + legend.height() + thresholds.len() as f64 * LINE + 6.0;
    let heights: Vec<f64> = chart.rows.iter().map(|row| layout.height(row)).collect();
    let bottom = top + heights.iter().sum::<f64>();
    let effect_title = ticks::title(frame, chart.effect_title);
    let height = bottom + 30.0 + ticks::height(&effect_title);
    let mut svg = Svg::new(frame, height, chart.name);

    legend.draw(&mut svg, (MARGIN, 2.0), |svg, place, (x, y)| {
        outcomes[place].mark(svg, (x + SIGN / 2.0, y));
    });
    let scale = scale(chart, layout.plot);
    shade(&mut svg, chart.claimed, &scale, layout.plot, (top, bottom));
    ticks_below(&mut svg, frame, &scale, chart.write, (top, bottom));
    let none = scale.place(nothing(chart.is_ratio));
    svg.line("nothing", (none, top), (none, bottom));
    mark_thresholds(
        &mut svg,
        frame,
        &thresholds,
        &scale,
        (MARGIN + legend.height(), bottom),
    );
    let below = (frame.width / 2.0, bottom + 22.0 + LINE);
    svg.texts("axis", below, Anchor::Middle, &effect_title);
    let mut y = top;
    for (row, height) in chart.rows.iter().zip(heights) {
        match &row.effect {
            Ok(effect) => svg.one(&[effect.outcome.series()], |svg| {
                layout.write(svg, row, y);
                let y = layout.middle(row, y);
                svg.saying(&row.say, |svg| draw(svg, effect, y, &scale));
            }),
            Err(reason) => {
                layout.write(&mut svg, row, y);
                let at = layout.reason_at(row, y);
                let lines = layout.reason(reason);
                svg.saying(&row.say, |svg| {
                    svg.texts("label", at, Anchor::Start, &lines);
                });
            }
        }
        y += height;
    }
    svg.finish()
}

/// The effect that is none.
fn nothing(is_ratio: bool) -> f64 {
    if is_ratio { 1.0 } else { 0.0 }
}

/// A scale that holds everything finite, the thresholds and the effect that is none.
fn scale(chart: &Forest<'_>, (start, end): (f64, f64)) -> Scale {
    let effects = chart.rows.iter().filter_map(|row| row.effect.as_ref().ok());
    let thresholds = chart.claimed.from.iter().chain(&chart.claimed.to);
    let values: Vec<f64> = effects
        .flat_map(|effect| [effect.value, effect.interval.low, effect.interval.high])
        .chain(thresholds.map(|threshold| threshold.value))
        .chain([nothing(chart.is_ratio)])
        .filter(|value| value.is_finite() && (*value > 0.0 || !chart.is_ratio))
        .collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if chart.is_ratio {
        let room = (high / low).powf(0.06).max(1.1);
        return Scale::Log {
            axis: LogAxis {
                low: low / room,
                high: high * room,
                start,
                end,
            },
            zero: None,
        };
    }
    let room = if high > low { (high - low) * 0.06 } else { 1.0 };
    Scale::Linear(LinearAxis {
        low: low - room,
        high: high + room,
        start,
        end,
    })
}

fn shade(
    svg: &mut Svg,
    claimed: &Claimed,
    scale: &Scale,
    plot: (f64, f64),
    (top, bottom): (f64, f64),
) {
    let end = |threshold: &Option<Threshold>| threshold.as_ref().map(|one| scale.place(one.value));
    let from = end(&claimed.from).unwrap_or(plot.0);
    let to = end(&claimed.to).unwrap_or(plot.1);
    if claimed.from.is_some() || claimed.to.is_some() {
        svg.rect("claimed", (from, top), (to - from, bottom - top));
    }
}

/// Dashed lines, each with its value on a line of its own above the plot: two may be close to each other.
fn mark_thresholds(
    svg: &mut Svg,
    frame: Frame,
    thresholds: &[&Threshold],
    scale: &Scale,
    (top, bottom): (f64, f64),
) {
    for (threshold, line) in thresholds.iter().zip(1..) {
        let x = scale.place(threshold.value);
        let y = top + f64::from(line) * LINE;
        svg.line("threshold", (x, y), (x, bottom));
        let text = fitted(&threshold.text, frame.inside());
        let x = ticks::inside(frame, x, text_width(&text) / 2.0);
        svg.text("threshold-text", (x, y - 4.0), Anchor::Middle, &text);
    }
}

fn draw(svg: &mut Svg, effect: &ForestEffect, y: f64, scale: &Scale) {
    let Interval { low, high } = effect.interval;
    let is_beyond =
        |value: f64| !value.is_finite() || (value <= 0.0 && matches!(scale, Scale::Log { .. }));
    let from = (scale.place(low), is_beyond(low));
    let to = (scale.place(high), is_beyond(high));
    marks::open_whisker(svg, from, to, y);
    effect.outcome.mark(svg, (scale.place(effect.value), y));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::report::charts::{NARROW, WIDE, checker};

    use super::*;

    const OPEN_ENDED: Interval = Interval {
        low: 0.0,
        high: f64::INFINITY,
    };

    fn row(label: &str, value: f64, interval: Interval, outcome: Outcome) -> ForestRow {
        let Interval { low, high } = interval;
        ForestRow {
            label: [label.to_owned(), format!("÷ {label}")],
            effect: Ok(ForestEffect {
                value,
                interval,
                outcome,
                figure: format!("{value}× [{low}, {high}]"),
            }),
            say: format!("{label}: {value}"),
        }
    }

    fn without(reason: &str) -> ForestRow {
        ForestRow {
            label: ["tokio · 64 clients".to_owned(), String::new()],
            effect: Err(reason.to_owned()),
            say: reason.to_owned(),
        }
    }

    fn threshold(value: f64) -> Option<Threshold> {
        let text = format!("claimed: beyond {value} times");
        Some(Threshold { value, text })
    }

    fn drawn(frame: Frame, rows: &[ForestRow], is_ratio: bool, claimed: &Claimed) -> String {
        let chart = Forest {
            name: Name {
                id: "forest",
                title: "Findings",
                description: "What was found.",
            },
            effect_title: "cost of a request, as a multiple of what it costs the other model",
            is_ratio,
            write: &|value| format!("{value}×"),
            claimed,
            signs: ["as claimed", "against the claim", "open"],
            rows,
        };
        forest(frame, &chart)
    }

    #[test]
    fn findings_stay_readable_whatever_they_are() {
        let outcomes = Outcome::ALL.into_iter().cycle();
        let mut many: Vec<ForestRow> = (-9..11)
            .zip(outcomes)
            .map(|(power, outcome)| {
                let value = 10f64.powi(power);
                let ends = Interval {
                    low: value / 3.0,
                    high: value * 2.0,
                };
                row(checker::LONG_TITLE, value, ends, outcome)
            })
            .collect();
        many.push(without(checker::LONG_TITLE));
        let open = [row("tokio", 1.0, OPEN_ENDED, Outcome::Open)];
        let nothing = [without("too few trials")];
        let claims = [
            Claimed::default(),
            Claimed {
                from: threshold(1.0),
                to: None,
            },
            Claimed {
                from: threshold(0.97),
                to: threshold(1.03),
            },
        ];
        for frame in [WIDE, NARROW] {
            for rows in [&many[..], &open, &nothing, &[]] {
                for (claimed, is_ratio) in claims.iter().zip([true, false, true]) {
                    let svg = drawn(frame, rows, is_ratio, claimed);
                    checker::assert_readable(&svg);
                    assert_eq!(svg.matches("data-say=").count(), rows.len());
                    let effects = rows.iter().filter_map(|row| row.effect.as_ref().ok());
                    let outcomes: BTreeSet<usize> =
                        effects.map(|effect| effect.outcome.series()).collect();
                    let entries = svg.matches("<g class=\"entry\"").count();
                    assert_eq!(entries, outcomes.len());
                }
            }
        }
    }

    #[test]
    fn the_claimed_side_is_shaded_and_outcomes_are_told_by_shape_too() {
        let ends = Interval {
            low: 1.5,
            high: 3.0,
        };
        let rows = Outcome::ALL.map(|outcome| row("tokio", 2.0, ends, outcome));
        let claimed = Claimed {
            from: None,
            to: threshold(1.5),
        };
        let svg = drawn(WIDE, &rows, true, &claimed);
        assert_eq!(svg.matches("class=\"claimed\"").count(), 1);
        assert_eq!(svg.matches("class=\"threshold\"").count(), 1);
        // Once in the legend, once in the plot.
        assert_eq!(
            svg.matches("<circle class=\"outcome as-claimed\"").count(),
            2
        );
        assert_eq!(svg.matches("<path class=\"outcome against\"").count(), 2);
        assert_eq!(svg.matches("<path class=\"outcome open\"").count(), 2);
        for series in 0..3 {
            let own = format!("<g class=\"one\" data-series=\"{series}\">");
            assert_eq!(svg.matches(&own).count(), 1);
        }
    }

    #[test]
    fn an_end_without_a_bound_is_an_arrow_at_the_side_of_the_plot() {
        let svg = drawn(
            NARROW,
            &[row("tokio", 1.0, OPEN_ENDED, Outcome::Open)],
            true,
            &Claimed::default(),
        );
        // An arrow has two strokes at each end, and the shaft is one more.
        let (_, rest) = svg.split_once("class=\"whisker\" d=\"").expect("a whisker");
        let (whisker, _) = rest.split_once('"').expect("an end");
        assert_eq!(whisker.matches('M').count(), 5);
    }
}
