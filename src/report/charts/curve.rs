//! Response-time percentiles on a log tail axis: each step to the right is a ten times rarer request.

use std::fmt::Write;

use crate::analysis::distribution::CurvePoint;
use crate::report::{numbers, words};

use super::Frame;
use super::axis::LogAxis;
use super::svg::{Anchor, Svg, TEXT_SIZE, fitted, flow, text_width};

/// Colours of the page's palette; told apart by people with any colour vision.
const COLOURS: usize = 8;

/// Dashes, by number of series. With seven markers, colour, dash and marker repeat together only after 280 models.
const DASHES: [&str; 5] = ["", "7 3", "2 3", "10 3 2 3", "5 2"];

/// Left end of the axis: one request in two is slower than the median.
const COMMONEST: f64 = 2.0;

const MARKERS: usize = 7;
const LEGEND_LINE: f64 = 22.0;
const SAMPLE: f64 = 34.0;

/// One model's curve.
#[derive(Clone, Debug)]
pub(in crate::report) struct Series {
    pub(in crate::report) title: String,
    pub(in crate::report) points: Vec<CurvePoint>,
}

/// Draws the curves; `None` when no curve has two points.
pub(in crate::report) fn curve(
    frame: Frame,
    series: &[Series],
    description: &str,
) -> Option<String> {
    let points = || series.iter().flat_map(|one| &one.points);
    // A histogram's zero has no place on a log axis: half its smallest step stands for it.
    let low = points()
        .map(|point| point.response_us.max(0.0005))
        .reduce(f64::min)?;
    let high = points().map(|point| point.response_us).reduce(f64::max)?;
    let rarest = points().map(|point| point.one_in).reduce(f64::max)?;
    if rarest <= COMMONEST {
        return None;
    }

    let narrow = frame.width < 500.0;
    let left = 64.0;
    let right = frame.width - 26.0;
    let bottom = if narrow { 280.0 } else { 380.0 };
    let x = LogAxis {
        low: COMMONEST,
        high: rarest,
        start: left,
        end: right,
    };
    let y = LogAxis {
        low: low / 1.15,
        high: high.max(low) * 1.25,
        start: bottom,
        end: 10.0,
    };

    let entries: Vec<String> = series
        .iter()
        .map(|one| fitted(&one.title, right - left - SAMPLE))
        .collect();
    let widths: Vec<f64> = entries
        .iter()
        .map(|text| SAMPLE + 8.0 + text_width(text))
        .collect();
    let (places, lines) = flow(&widths, frame.width - 24.0);
    let legend_top = bottom + 68.0;
    let height = legend_top + lines * LEGEND_LINE;
    let mut svg = Svg::new(frame, height, "curve", words::CURVE_CHART, description);

    for tick in y.ticks() {
        let at = y.place(tick);
        svg.line("grid", (left, at), (right, at));
        let text = numbers::tick_us(tick);
        svg.text("label", (left - 8.0, at + 4.0), Anchor::End, &text);
    }
    for one_in in shares(rarest) {
        let at = x.place(one_in);
        svg.line("grid", (at, 10.0), (at, bottom));
        let text = numbers::tail(one_in);
        svg.text("label", (at, bottom + 18.0), Anchor::Middle, &text);
    }
    let centre = ((left + right) / 2.0, bottom + 40.0);
    svg.text("axis", centre, Anchor::Middle, words::CURVE_AXIS);

    for (number, one) in series.iter().enumerate() {
        let at = |point: &CurvePoint| (x.place(point.one_in), y.place(point.response_us.max(low)));
        draw(
            &mut svg,
            number,
            &one.points.iter().map(at).collect::<Vec<_>>(),
        );
        for share in shares(rarest) {
            if let Some(place) = between(&one.points, share) {
                marker(&mut svg, number, (x.place(share), y.place(place.max(low))));
            }
        }
    }
    for (number, (text, (x, line))) in entries.iter().zip(places).enumerate() {
        let (x, y) = (12.0 + x, legend_top + line * LEGEND_LINE);
        draw(&mut svg, number, &[(x, y), (x + SAMPLE, y)]);
        marker(&mut svg, number, (x + SAMPLE / 2.0, y));
        let at = (x + SAMPLE + 8.0, y + TEXT_SIZE / 3.0);
        svg.text("label", at, Anchor::Start, text);
    }
    Some(svg.finish())
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
        return Some(points[after].response_us);
    };
    let (from, to) = (points[before], points[after]);
    let share = (one_in / from.one_in).ln() / (to.one_in / from.one_in).ln();
    let low = from.response_us.max(0.0005);
    Some(low * (to.response_us.max(0.0005) / low).powf(share))
}

fn draw(svg: &mut Svg, number: usize, places: &[(f64, f64)]) {
    let mut data = String::new();
    for (place, (x, y)) in places.iter().enumerate() {
        let letter = if place == 0 { 'M' } else { 'L' };
        // Writing to a String cannot fail.
        let _ = write!(data, "{letter}{x:.1},{y:.1}");
    }
    let class = format!("series c{}", number % COLOURS);
    svg.path(&class, &data, DASHES[number % DASHES.len()]);
}

fn marker(svg: &mut Svg, number: usize, (x, y): (f64, f64)) {
    const SIZE: f64 = 4.5;
    let corners: &[(f64, f64)] = match number % MARKERS {
        0 => return svg.circle(&format!("marker c{}", number % COLOURS), (x, y), SIZE),
        1 => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
        2 => &[(0.0, -1.2), (1.1, 0.9), (-1.1, 0.9)],
        3 => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        4 => &[(0.0, 1.2), (1.1, -0.9), (-1.1, -0.9)],
        5 => &[(-1.3, -0.5), (1.3, -0.5), (1.3, 0.5), (-1.3, 0.5)],
        _ => &[(-0.5, -1.3), (0.5, -1.3), (0.5, 1.3), (-0.5, 1.3)],
    };
    let mut data = String::new();
    for (place, (right, down)) in corners.iter().enumerate() {
        let letter = if place == 0 { 'M' } else { 'L' };
        let _ = write!(
            data,
            "{letter}{:.1},{:.1}",
            x + right * SIZE,
            y + down * SIZE
        );
    }
    data.push('Z');
    svg.path(&format!("marker c{}", number % COLOURS), &data, "");
}
