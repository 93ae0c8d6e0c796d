//! Axes as they are drawn: grid, written ticks and titles, none of which touches another.

use super::axis::Scale;
use super::svg::{Anchor, LINE, Svg, fitted, text_width, wrapped};
use super::{Frame, MARGIN};

/// Least room between two texts on one line, in pixels.
const BETWEEN: f64 = 8.0;

/// Ticks wanted on a vertical linear scale.
const UPWARDS: f64 = 5.0;

/// How much of a drawing's width the ticks at its left may take.
const MOST_ROOM: f64 = 0.3;

/// A function that writes the value of a tick.
pub(super) type Write<'a> = &'a dyn Fn(f64) -> String;

/// Where a drawing's plot may begin, so that the written ticks of a vertical scale have room at its left.
pub(super) fn room_left(frame: Frame, scale: &Scale, write: Write<'_>) -> f64 {
    let ticks = scale.ticks(UPWARDS).into_iter();
    let widths = ticks.map(|tick| text_width(&write(tick)));
    MARGIN + BETWEEN + widths.fold(0.0, f64::max).min(frame.width * MOST_ROOM)
}

/// Grid lines of a vertical scale from `left` to `right`, and their values at the left.
pub(super) fn ticks_left(
    svg: &mut Svg,
    scale: &Scale,
    write: Write<'_>,
    (left, right): (f64, f64),
) {
    let mut last = f64::INFINITY;
    let places = scale
        .ticks(UPWARDS)
        .into_iter()
        .map(|tick| scale.place(tick));
    let grid: Vec<_> = places.map(|y| ((left, y), (right, y))).collect();
    svg.lines("grid", &grid);
    for tick in scale.ticks(UPWARDS) {
        let y = scale.place(tick);
        if last - y >= LINE {
            // Half a pixel more, so that rounding cuts nothing.
            let text = fitted(&write(tick), left - MARGIN - BETWEEN + 0.5);
            svg.text("label", (left - BETWEEN, y + 4.0), Anchor::End, &text);
            last = y;
        }
    }
    if let Some(y) = scale.breaks_at() {
        svg.line("break", (left, y), (right, y));
    }
}

/// Grid lines of a horizontal scale from `top` to `bottom`, and their values below.
pub(super) fn ticks_below(
    svg: &mut Svg,
    frame: Frame,
    scale: &Scale,
    write: Write<'_>,
    (top, bottom): (f64, f64),
) {
    let wanted = if frame.is_narrow() { 4.0 } else { 8.0 };
    let ticks = scale.ticks(wanted).into_iter();
    let texts: Vec<_> = ticks.map(|tick| (scale.place(tick), write(tick))).collect();
    let grid: Vec<_> = texts
        .iter()
        .map(|(x, _)| ((*x, top), (*x, bottom)))
        .collect();
    svg.lines("grid", &grid);
    if let Some(x) = scale.breaks_at() {
        svg.line("break", (x, top), (x, bottom));
    }
    labels_below(svg, frame, &texts, bottom + 18.0);
}

/// Texts centred below their places and moved inside the drawing; one that would touch the one before is left out.
pub(super) fn labels_below(svg: &mut Svg, frame: Frame, texts: &[(f64, String)], baseline: f64) {
    let mut taken = f64::NEG_INFINITY;
    for (x, text) in texts {
        let text = fitted(text, frame.inside());
        let half = text_width(&text) / 2.0;
        let x = inside(frame, *x, half);
        if x - half >= taken + BETWEEN {
            svg.text("label", (x, baseline), Anchor::Middle, &text);
            taken = x + half;
        }
    }
}

/// A centre moved so that what reaches as far as `half` to both sides is inside the drawing.
pub(super) fn inside(frame: Frame, centre: f64, half: f64) -> f64 {
    centre.min(frame.width - MARGIN - half).max(MARGIN + half)
}

/// An axis's title, as many lines as it needs.
pub(super) fn title(frame: Frame, text: &str) -> Vec<String> {
    wrapped(text, frame.inside(), 3)
}

/// Height of lines of text, in pixels.
pub(super) fn height(lines: &[String]) -> f64 {
    lines.len() as f64 * LINE
}
