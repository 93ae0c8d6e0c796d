//! Lines with bands; each line has its name at its end.

use super::Hue;
use super::axis::Axis;
use super::svg::{Drawing, fitted, text_width};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 430.0;

/// Width of the series' names at the right.
const ROOM: f64 = 158.0;

/// Minimum distance between two names.
const LINE: f64 = 15.0;

/// A chart of lines.
pub(crate) struct LineChart<'a> {
    /// Description for readers who cannot see the chart.
    pub(crate) label: String,
    /// Label of the horizontal axis, and its ticks: value and text.
    pub(crate) x_label: String,
    pub(crate) x_ticks: Vec<(f64, String)>,
    /// Label of the vertical axis, which is logarithmic, and the format of its values.
    pub(crate) y_label: String,
    pub(crate) write: &'a dyn Fn(f64) -> String,
    pub(crate) series: Vec<Series>,
}

/// One line.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) hue: Hue,
    pub(crate) points: Vec<Point>,
}

/// One point of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Ends of its interval.
    pub(crate) interval: Option<(f64, f64)>,
}

impl LineChart<'_> {
    /// Draws the chart; `None` without points.
    pub(crate) fn draw(&self) -> Option<Drawing> {
        let points = || self.series.iter().flat_map(|one| &one.points);
        points().next()?;
        let (top, bottom) = (34.0, HEIGHT - 48.0);
        let reach = |point: &Point| {
            let (low, high) = point.interval.unwrap_or((point.y, point.y));
            [low, point.y, high]
        };
        let y = Axis::log(points().flat_map(reach), (bottom, top));
        let ticks = y.ticks(7.0);
        let widths = ticks.iter().map(|tick| text_width(&(self.write)(*tick)));
        let room = widths.fold(30.0, f64::max);
        let (left, right) = (room + 20.0, WIDTH - ROOM);
        let ticked = self.x_ticks.iter().map(|(x, _)| *x);
        let x = Axis::log(points().map(|point| point.x).chain(ticked), (left, right));

        let mut drawing = Drawing::new(WIDTH, HEIGHT, &self.label);
        drawing.text("h", (4.0, 18.0), &self.y_label);
        for tick in ticks {
            let position = y.position(tick);
            drawing.path("grid", &[(left, position), (right, position)], false);
            drawing.text("q e", (left - 6.0, position + 5.0), &(self.write)(tick));
        }
        let mut taken = f64::NEG_INFINITY;
        for (tick, text) in &self.x_ticks {
            let position = x.position(*tick);
            let half = text_width(text) / 2.0;
            drawing.path("grid", &[(position, top), (position, bottom)], false);
            if position - half > taken {
                drawing.text("q m", (position, bottom + 18.0), text);
                taken = position + half + 4.0;
            }
        }
        let middle = f64::midpoint(left, right);
        drawing.text("q m", (middle, HEIGHT - 8.0), &self.x_label);
        for one in &self.series {
            one.draw_band(&mut drawing, &x, &y);
        }
        let mut ends = Vec::new();
        for (number, one) in self.series.iter().enumerate() {
            let positions = one.points.iter();
            let positions = positions.map(|point| (x.position(point.x), y.position(point.y)));
            let positions: Vec<_> = positions.collect();
            let earlier = self.series[..number].iter();
            let earlier = earlier.filter(|other| other.hue == one.hue);
            let dash = ["", " d1", " d2", " d3"][earlier.count() % 4];
            let class = one.hue.class();
            drawing.path(&format!("line {class}{dash}"), &positions, false);
            if positions.len() < 8 {
                for position in &positions {
                    drawing.dot(&format!("dot {class}"), *position, 3.0);
                }
            }
            ends.extend(positions.last().map(|end| (*end, one)));
        }
        names(&mut drawing, &mut ends, right, (top, bottom));
        Some(drawing)
    }
}

impl Series {
    /// The area between the ends of its intervals, if it has any.
    fn draw_band(&self, drawing: &mut Drawing, x: &Axis, y: &Axis) {
        let edge = |point: &Point, end: fn((f64, f64)) -> f64| {
            let end = point.interval.map_or(point.y, end);
            (x.position(point.x), y.position(end))
        };
        let points = self.points.iter();
        let lower = points.clone().map(|point| edge(point, |(low, _)| low));
        let upper = points.rev().map(|point| edge(point, |(_, high)| high));
        let positions: Vec<_> = lower.chain(upper).collect();
        if self.points.iter().any(|point| point.interval.is_some()) {
            drawing.path(&format!("band {}", self.hue.class()), &positions, true);
        }
    }
}

/// Draws the names at the right, moved apart so that they do not touch. A thin line connects each to the end of its
/// line.
fn names(
    drawing: &mut Drawing,
    ends: &mut [((f64, f64), &Series)],
    right: f64,
    (top, bottom): (f64, f64),
) {
    ends.sort_by(|(one, _), (other, _)| one.1.total_cmp(&other.1));
    let wanted: Vec<f64> = ends.iter().map(|(end, _)| end.1).collect();
    let positions = spread(&wanted, top, bottom + 30.0);
    for (((x, y), one), position) in ends.iter().zip(positions) {
        let class = one.hue.class();
        let lead = [(x + 4.0, *y), (right + 4.0, *y), (right + 12.0, position)];
        drawing.path(&format!("lead {class}"), &lead, false);
        let text = fitted(&one.name, ROOM - 14.0);
        drawing.text(
            &format!("name {class}"),
            (right + 14.0, position + 4.0),
            &text,
        );
    }
}

/// Positions in order, at least [`LINE`] apart if there is room, and as near as possible to the wanted ones.
fn spread(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let last = wanted.len().saturating_sub(1) as f64;
    let gap = if last > 0.0 {
        LINE.min((bottom - top) / last)
    } else {
        LINE
    };
    // A group of names that touch is centred on the mean wanted position of its members (pool adjacent violators).
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for (number, position) in wanted.iter().enumerate() {
        groups.push((position - number as f64 * gap, 1));
        while let [.., (before, members), (after, more)] = groups[..] {
            if before <= after {
                break;
            }
            let all = members + more;
            let mean = (before * members as f64 + after * more as f64) / all as f64;
            groups.truncate(groups.len() - 2);
            groups.push((mean, all));
        }
    }
    let offsets = groups
        .into_iter()
        .flat_map(|(offset, members)| vec![offset; members]);
    let offsets = offsets.map(|offset| offset.min(bottom - last * gap).max(top));
    offsets
        .enumerate()
        .map(|(number, offset)| offset + number as f64 * gap)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_touch_are_moved_apart_in_order() {
        let positions = spread(&[100.0, 101.0, 102.0, 300.0], 0.0, 400.0);
        assert!(
            (positions[1] - 101.0).abs() < 1e-9 && (positions[3] - 300.0).abs() < 1e-9,
            "{positions:?}"
        );
        assert!(
            positions
                .windows(2)
                .all(|pair| pair[1] - pair[0] >= LINE - 1e-9),
            "{positions:?}"
        );
        let low = spread(&[399.0, 399.0], 0.0, 400.0);
        assert!(low[1] <= 400.0 + 1e-9, "{low:?}");
    }
}
