//! Response-time percentiles on a log tail axis: each step to the right is a ten times rarer request.

use crate::analysis::distribution::CurvePoint;
use crate::language::Language;
use crate::report::{numbers, words};

use super::axis::{LogAxis, Scale};
use super::legend::Legend;
use super::marks::{self, SAMPLE};
use super::svg::{Anchor, Svg};
use super::ticks::{self, labels_below, room_left, ticks_left};
use super::{Frame, MARGIN, Name};

/// Nearer places are one to the eye, in pixels.
const CLOSE: f64 = 4.0;

/// Left end of the axis: one request in two is slower than the median.
const COMMONEST: f64 = 2.0;

/// One model's curve.
#[derive(Clone, Debug)]
pub(in crate::report) struct Series {
    pub(in crate::report) title: String,
    pub(in crate::report) points: Vec<CurvePoint>,
}

/// Draws the curves; `None` when no curve has two points. `id` is the drawing's own in the page.
pub(in crate::report) fn curve(
    frame: Frame,
    id: &str,
    series: &[Series],
    description: &str,
    language: Language,
) -> Option<String> {
    let points = || series.iter().flat_map(|one| &one.points);
    let low = points().map(drawn_us).reduce(f64::min)?;
    let high = points().map(drawn_us).reduce(f64::max)?;
    let rarest = points().map(|point| point.one_in).reduce(f64::max)?;
    if rarest <= COMMONEST {
        return None;
    }

    let bottom = if frame.is_narrow() { 280.0 } else { 380.0 };
    let y = Scale::Log {
        axis: LogAxis {
            low: low / 1.15,
            high: high * 1.25,
            start: bottom,
            end: 10.0,
        },
        zero: None,
    };
    let write = |value| numbers::tick_us(value, language);
    let left = room_left(frame, &y, &write);
    let right = frame.width - 26.0;
    let x = LogAxis {
        low: COMMONEST,
        high: rarest,
        start: left,
        end: right,
    };
    let entries = series.iter().enumerate();
    let entries = entries.map(|(number, one)| (Some(number), one.title.as_str()));
    let legend = Legend::new(entries, SAMPLE, frame.inside());
    let axis_title = ticks::title(frame, language.of(words::CURVE_AXIS));
    let legend_top = bottom + 36.0 + ticks::height(&axis_title);
    let called = Name {
        id,
        title: language.of(words::CURVE_CHART),
        description,
    };
    let mut svg = Svg::new(frame, legend_top + legend.height(), called);

    ticks_left(&mut svg, &y, &write, (left, right));
    let mut texts = Vec::new();
    for one_in in shares(rarest) {
        let at = x.place(one_in);
        texts.push((at, numbers::tail(one_in, language)));
    }
    let grid: Vec<_> = texts
        .iter()
        .map(|(at, _)| ((*at, 10.0), (*at, bottom)))
        .collect();
    svg.lines("grid", &grid);
    labels_below(&mut svg, frame, &texts, bottom + 18.0);
    let below = (frame.width / 2.0, bottom + 40.0);
    svg.texts("axis", below, Anchor::Middle, &axis_title);

    for (number, one) in series.iter().enumerate() {
        let at = |point: &CurvePoint| (x.place(point.one_in), y.place(drawn_us(point)));
        svg.one(&[number], |svg| {
            let places = thinned(one.points.iter().map(at).collect());
            marks::line(svg, number, &places);
            for share in shares(rarest) {
                let Some(response_us) = between(&one.points, share) else {
                    continue;
                };
                let (share_text, time) = (
                    numbers::tail(share, language),
                    numbers::duration_us(response_us, language),
                );
                let say = format!("{}, {share_text}: {time}", one.title);
                let at = (x.place(share), y.place(response_us));
                svg.saying(&say, |svg| marks::marker(svg, number, at));
            }
        });
    }
    legend.draw(&mut svg, (MARGIN, legend_top), marks::sample);
    Some(svg.finish())
}

/// A point's response time as it is drawn: a histogram's zero has no place on a log axis, half its smallest step stands
/// for it.
fn drawn_us(point: &CurvePoint) -> f64 {
    point.response_us.max(0.0005)
}

/// Places without those too close to the one before to be told apart; the ends stay.
fn thinned(places: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let last = places.len().saturating_sub(1);
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (number, place) in places.into_iter().enumerate() {
        let is_near = kept.last().is_some_and(|before| {
            (place.0 - before.0).abs() < CLOSE && (place.1 - before.1).abs() < CLOSE
        });
        if !is_near || number == last {
            kept.push(place);
        }
    }
    kept
}

/// The percentiles named on the axis, as one request in so many: 50 %, 90 %, 99 %, …
fn shares(rarest: f64) -> impl Iterator<Item = f64> {
    [COMMONEST, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7]
        .into_iter()
        .take_while(move |one_in| *one_in <= rarest * (1.0 + 1e-9))
}

/// Response time at a place of the axis, between two points of a curve as it is drawn; `None` past its end.
fn between(points: &[CurvePoint], one_in: f64) -> Option<f64> {
    let after = points
        .iter()
        .position(|point| point.one_in >= one_in * (1.0 - 1e-9))?;
    let Some(before) = after.checked_sub(1) else {
        return Some(drawn_us(&points[after]));
    };
    let (from, to) = (points[before], points[after]);
    let share = (one_in / from.one_in).ln() / (to.one_in / from.one_in).ln();
    let low = drawn_us(&from);
    Some(low * (drawn_us(&to) / low).powf(share))
}

#[cfg(test)]
mod tests {
    use crate::report::charts::{NARROW, WIDE, checker};

    use super::*;

    fn series(title: &str, fastest_us: f64, decades: i32) -> Series {
        let points = (0..=decades).map(|decade| CurvePoint {
            one_in: COMMONEST.max(10f64.powi(decade)),
            response_us: fastest_us * 2f64.powi(decade),
        });
        Series {
            title: title.to_owned(),
            points: points.collect(),
        }
    }

    #[test]
    fn curves_stay_readable_whatever_they_show() {
        let many: Vec<Series> = (0..20)
            .map(|number| series(checker::LONG_TITLE, 10f64.powi(number - 4), 7))
            .collect();
        let zero = [series("Iterative", 0.0, 2)];
        let same = [Series {
            title: "Iterative".to_owned(),
            points: vec![CurvePoint {
                one_in: 10.0,
                response_us: 35.0,
            }],
        }];
        for frame in [WIDE, NARROW] {
            for series in [&many[..], &many[..1], &zero, &same] {
                let svg = curve(
                    frame,
                    "curve",
                    series,
                    "What curves show.",
                    Language::English,
                )
                .expect("a drawing");
                checker::assert_readable(&svg);
                assert_eq!(svg.matches("<g class=\"one\"").count(), series.len());
                assert_eq!(svg.matches("<g class=\"entry\"").count(), series.len());
                assert!(svg.matches("data-say=").count() >= series.len());
            }
        }
        assert!(curve(WIDE, "curve", &[], "Nothing.", Language::English).is_none());
        assert!(
            curve(
                WIDE,
                "curve",
                &[series("Iterative", 9.0, 0)],
                "Nothing.",
                Language::English
            )
            .is_none()
        );
    }

    #[test]
    fn a_marker_says_whose_it_is_and_what_it_marks() {
        let drawn = curve(
            WIDE,
            "curve",
            &[series("Iterative", 9.0, 2)],
            "",
            Language::English,
        )
        .expect("a drawing");
        assert!(
            drawn.contains("data-say=\"Iterative, 99 %: 36.0 µs\""),
            "{drawn}"
        );
    }
}
