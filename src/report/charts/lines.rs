//! A figure against levels in their order: a line per model, its interval a pale band; what is missing leaves a gap.

use crate::analysis::bootstrap::Interval;

use super::axis::{LogAxis, Scale};
use super::legend::Legend;
use super::marks::{self, SAMPLE};
use super::svg::{Anchor, LINE, Svg, wrapped, wraps};
use super::ticks::{self, Write, labels_below, room_left, ticks_left};
use super::{Frame, MARGIN, Name};

/// Lines that a level's name may take below the axis.
const MOST_LINES: usize = 3;

/// Between the ends of an axis of numbers and the sides of the plot, in pixels.
const INSET: f64 = 14.0;

/// A figure against levels.
#[derive(Clone, Copy)]
pub(in crate::report) struct LineChart<'a> {
    pub(in crate::report) name: Name<'a>,
    /// The levels, in order.
    pub(in crate::report) levels: &'a [Level],
    /// What the levels are.
    pub(in crate::report) levels_title: &'a str,
    /// What the figure is, with its unit.
    pub(in crate::report) figure_title: &'a str,
    /// Whether the figure's axis is logarithmic; it begins at 0 otherwise.
    pub(in crate::report) is_log: bool,
    /// Writes a tick of the figure's axis.
    pub(in crate::report) write: Write<'a>,
    pub(in crate::report) lines: &'a [Line],
}

/// One level.
#[derive(Clone, Debug)]
pub(in crate::report) struct Level {
    /// How it is written on the axis.
    pub(in crate::report) name: String,
    /// What it is a number of: with one above zero for every level, they lie on a log axis; evenly spaced otherwise.
    pub(in crate::report) number: Option<f64>,
}

/// One model's figures.
#[derive(Clone, Debug)]
pub(in crate::report) struct Line {
    pub(in crate::report) title: String,
    /// As many as there are levels; `None` where the level is missing.
    pub(in crate::report) points: Vec<Option<Point>>,
}

/// A figure at one level.
#[derive(Clone, Debug)]
pub(in crate::report) struct Point {
    pub(in crate::report) value: f64,
    pub(in crate::report) interval: Option<Interval>,
    /// Whose it is, where, and what it comes to, in words.
    pub(in crate::report) say: String,
}

impl Point {
    fn reach(&self) -> impl Iterator<Item = f64> + '_ {
        let interval = self.interval.into_iter();
        interval
            .flat_map(|Interval { low, high }| [low, high])
            .chain([self.value])
    }
}

/// Draws the lines; `None` when there is no point.
pub(in crate::report) fn lines(frame: Frame, chart: &LineChart<'_>) -> Option<String> {
    let points = chart
        .lines
        .iter()
        .flat_map(|line| line.points.iter().flatten());
    let values: Vec<f64> = points.flat_map(Point::reach).collect();
    if !values.iter().any(|value| value.is_finite()) {
        return None;
    }
    let figure_title = ticks::title(frame, chart.figure_title);
    let top = MARGIN + ticks::height(&figure_title) + 12.0;
    let bottom = top + if frame.is_narrow() { 250.0 } else { 340.0 };
    let y = if chart.is_log {
        Scale::log(&values, bottom, top)
    } else {
        Scale::from_zero(&values, bottom, top)
    };
    let left = room_left(frame, &y, chart.write);
    let right = frame.width - MARGIN - 4.0;
    let across = Across::new(frame, chart.levels, (left, right));
    let levels_title = ticks::title(frame, chart.levels_title);
    let entries = chart.lines.iter().enumerate();
    let entries = entries.map(|(number, line)| (Some(number), line.title.as_str()));
    let legend = Legend::new(entries, SAMPLE, frame.inside());
    let title_top = bottom + across.height() + 8.0;
    let key_top = title_top + ticks::height(&levels_title) + 6.0;
    let legend_top = key_top + across.key.as_ref().map_or(0.0, Legend::height);
    let mut svg = Svg::new(frame, legend_top + legend.height(), chart.name);

    svg.texts(
        "axis",
        (MARGIN, MARGIN + 11.0),
        Anchor::Start,
        &figure_title,
    );
    ticks_left(&mut svg, &y, chart.write, (left, right));
    across.draw(&mut svg, frame, (top, bottom));
    let middle = (frame.width / 2.0, title_top + 12.0);
    svg.texts("axis", middle, Anchor::Middle, &levels_title);
    if let Some(key) = &across.key {
        // It has no signs: its texts begin at the margin.
        key.draw(&mut svg, (0.0, key_top), |_, _, _| ());
    }
    for (number, line) in chart.lines.iter().enumerate() {
        svg.one(&[number], |svg| draw(svg, number, line, &across.places, &y));
    }
    legend.draw(&mut svg, (MARGIN, legend_top), marks::sample);
    Some(svg.finish())
}

fn draw(svg: &mut Svg, number: usize, line: &Line, places: &[f64], y: &Scale) {
    let points = || {
        let points = line.points.iter().zip(places);
        points.map(|(point, x)| {
            let point = point.as_ref().filter(|point| point.value.is_finite());
            point.map(|point| (*x, point))
        })
    };
    let intervals = points().map(|there| {
        let (x, point) = there?;
        let Interval { low, high } = point.interval?;
        Some((x, y.place(low), y.place(high)))
    });
    for stretch in stretches(intervals) {
        if let [(x, low, high)] = stretch[..] {
            // An area between neighbours needs two of them.
            let class = format!("series {}", marks::colour(number));
            svg.line(&class, (x, low), (x, high));
            continue;
        }
        let there = stretch.iter().map(|(x, low, _)| (*x, *low));
        let back = stretch.iter().rev().map(|(x, _, high)| (*x, *high));
        marks::area(svg, number, &there.chain(back).collect::<Vec<_>>());
    }
    for stretch in stretches(points()) {
        let at = |(x, point): (f64, &Point)| (x, y.place(point.value));
        let places: Vec<(f64, f64)> = stretch.iter().copied().map(at).collect();
        if places.len() > 1 {
            marks::line(svg, number, &places);
        }
        for ((_, point), place) in stretch.iter().zip(places) {
            svg.saying(&point.say, |svg| marks::marker(svg, number, place));
        }
    }
}

/// Neighbours that are there, stretch by stretch.
fn stretches<T>(places: impl Iterator<Item = Option<T>>) -> Vec<Vec<T>> {
    let mut stretches = Vec::new();
    let mut stretch = Vec::new();
    for place in places {
        match place {
            Some(place) => stretch.push(place),
            None => stretches.push(std::mem::take(&mut stretch)),
        }
    }
    stretches.push(stretch);
    stretches.retain(|stretch| !stretch.is_empty());
    stretches
}

/// The horizontal axis: where the levels are, and how they are written.
#[derive(Debug)]
struct Across {
    places: Vec<f64>,
    names: Names,
    /// What numbers stand for, where there is no room for names.
    key: Option<Legend>,
}

/// How levels are written.
#[derive(Debug)]
enum Names {
    /// Each below its place, in so many lines.
    Below(Vec<Vec<String>>),
    /// On one line, those left out that would touch another.
    Thinned(Vec<String>),
}

impl Across {
    fn new(frame: Frame, levels: &[Level], (left, right): (f64, f64)) -> Self {
        let names = || levels.iter().map(|level| level.name.as_str());
        let numbers: Option<Vec<f64>> = levels
            .iter()
            .map(|level| level.number.filter(|number| *number > 0.0))
            .collect();
        if let Some(numbers) = numbers {
            return Self {
                places: on_a_log_axis(&numbers, (left + INSET, right - INSET)),
                names: Names::Thinned(names().map(str::to_owned).collect()),
                key: None,
            };
        }
        let slot = (right - left) / levels.len() as f64;
        let places = (0..levels.len()).map(|number| left + (number as f64 + 0.5) * slot);
        let places = places.collect();
        let width = slot - 8.0;
        if names().all(|name| wraps(name, width, MOST_LINES)) {
            let names = names().map(|name| wrapped(name, width, MOST_LINES));
            return Self {
                places,
                names: Names::Below(names.collect()),
                key: None,
            };
        }
        let numbered: Vec<String> = names()
            .zip(1..)
            .map(|(name, number)| format!("{number}: {name}"))
            .collect();
        let entries = numbered.iter().map(|text| (None, text.as_str()));
        let numbers = (1..=levels.len()).map(|number| number.to_string());
        Self {
            places,
            names: Names::Thinned(numbers.collect()),
            key: Some(Legend::new(entries, 0.0, frame.inside())),
        }
    }

    /// Height of what is written right below the axis, in pixels.
    fn height(&self) -> f64 {
        let lines = match &self.names {
            Names::Below(names) => names.iter().map(Vec::len).max().unwrap_or(0),
            Names::Thinned(_) => 1,
        };
        6.0 + lines as f64 * LINE
    }

    fn draw(&self, svg: &mut Svg, frame: Frame, (top, bottom): (f64, f64)) {
        let grid: Vec<_> = self
            .places
            .iter()
            .map(|x| ((*x, top), (*x, bottom)))
            .collect();
        svg.lines("grid", &grid);
        let baseline = bottom + 18.0;
        let places = self.places.iter().copied();
        match &self.names {
            Names::Below(names) => {
                for (x, lines) in places.zip(names) {
                    svg.texts("label", (x, baseline), Anchor::Middle, lines);
                }
            }
            Names::Thinned(names) => {
                let texts: Vec<(f64, String)> = places.zip(names.iter().cloned()).collect();
                labels_below(svg, frame, &texts, baseline);
            }
        }
    }
}

fn on_a_log_axis(numbers: &[f64], (start, end): (f64, f64)) -> Vec<f64> {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(0.0, f64::max);
    if low >= high {
        return vec![(start + end) / 2.0; numbers.len()];
    }
    let axis = LogAxis {
        low,
        high,
        start,
        end,
    };
    numbers.iter().map(|number| axis.place(*number)).collect()
}

#[cfg(test)]
mod tests {
    use crate::report::charts::{NARROW, WIDE, checker};

    use super::*;

    fn level(name: &str, number: Option<f64>) -> Level {
        Level {
            name: name.to_owned(),
            number,
        }
    }

    fn line(title: &str, values: &[Option<f64>]) -> Line {
        let point = |value: &f64| Point {
            value: *value,
            interval: Some(Interval {
                low: value * 0.8,
                high: value * 1.1,
            }),
            say: format!("{title}: {value}"),
        };
        Line {
            title: title.to_owned(),
            points: values
                .iter()
                .map(|value| value.as_ref().map(point))
                .collect(),
        }
    }

    fn drawn(frame: Frame, levels: &[Level], is_log: bool, all: &[Line]) -> Option<String> {
        let chart = LineChart {
            name: Name {
                id: "lines",
                title: "Lines",
                description: "What lines show.",
            },
            levels,
            levels_title: "levels of which there are many, whose title does not fit one narrow line",
            figure_title: "good requests a second, all of which were answered within the time",
            is_log,
            write: &|value| format!("{value} requests"),
            lines: all,
        };
        lines(frame, &chart)
    }

    #[test]
    fn lines_stay_readable_whatever_they_show() {
        let clients = [1.0, 2.0, 3.0, 4.0, 16.0, 64.0, 65.0, 4096.0]
            .map(|number: f64| level(&format!("{number} clients"), Some(number)));
        let named = ["alone", "1 % heavy", "always a heavy one", "0.5 × capacity"]
            .map(|name| level(name, None));
        let long: Vec<Level> = (0..40).map(|_| level(checker::LONG_TITLE, None)).collect();
        let huge = [Some(1e-6), Some(3.0), None, Some(1e12)];
        let many: Vec<Line> = (0..20).map(|_| line(checker::LONG_TITLE, &huge)).collect();
        let zeros = [line("Iterative", &[Some(0.0), Some(0.0)])];
        let mixed = [line("Iterative", &[Some(0.0), Some(9.0), Some(12.0)])];
        for frame in [WIDE, NARROW] {
            for levels in [&clients[..], &clients[..1], &named, &long] {
                for all in [&many[..], &many[..1], &zeros, &mixed] {
                    for is_log in [false, true] {
                        let svg = drawn(frame, levels, is_log, all).expect("a drawing");
                        checker::assert_readable(&svg);
                        assert_eq!(svg.matches("<g class=\"one\"").count(), all.len());
                        assert_eq!(svg.matches("<g class=\"entry\"").count(), all.len());
                    }
                }
            }
        }
        assert!(drawn(WIDE, &named, false, &[]).is_none());
        assert!(drawn(WIDE, &named, false, &[line("Iterative", &[None])]).is_none());
    }

    #[test]
    fn a_missing_level_is_a_gap() {
        let levels = ["1", "2", "3", "4", "5"].map(|name| level(name, None));
        let gap = [Some(1.0), Some(2.0), None, Some(3.0), Some(4.0)];
        let svg = drawn(WIDE, &levels, false, &[line("Iterative", &gap)]).expect("a drawing");
        // Two pieces of the line, and a sample in the legend.
        assert_eq!(svg.matches("class=\"series c0\"").count(), 3);
        assert_eq!(svg.matches("class=\"band c0\"").count(), 2);
        assert_eq!(svg.matches("data-say=").count(), 4);
    }

    #[test]
    fn names_too_long_for_their_places_are_numbered_and_told_below() {
        let levels: Vec<Level> = (0..12).map(|_| level("always a heavy one", None)).collect();
        let svg = drawn(NARROW, &levels, false, &[line("Iterative", &[Some(1.0)])]);
        let texts = checker::texts(&svg.expect("a drawing"));
        assert!(
            texts.contains(&"12: always a heavy one".to_owned()),
            "{texts:?}"
        );
    }
}
