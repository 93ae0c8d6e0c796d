//! Dots with intervals, one per row.

use hola_verdict::Estimate;

use super::Hue;
use super::axis::Axis;
use super::svg::{Drawing, fitted, text_width};

const WIDTH: f64 = 560.0;
const ROW: f64 = 20.0;
const TOP: f64 = 32.0;

/// Maximum width of the names at the left.
const NAMES_MAX: f64 = 250.0;

/// Width of the figures at the right.
const FIGURES: f64 = 74.0;

/// A chart of dots.
pub(crate) struct DotChart<'a> {
    /// Description for readers who cannot see the chart.
    pub(crate) label: String,
    /// Title above the chart.
    pub(crate) title: String,
    /// Label below the axis.
    pub(crate) x_label: String,
    /// Whether the axis is logarithmic, for ratios.
    pub(crate) is_log: bool,
    /// The value of no difference.
    pub(crate) line: f64,
    /// Formats a value.
    pub(crate) write: &'a dyn Fn(f64) -> String,
    pub(crate) rows: Vec<Row>,
}

/// One row.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) hue: Hue,
    pub(crate) estimate: Estimate,
    /// The figure at the right, as text.
    pub(crate) figure: String,
}

impl DotChart<'_> {
    /// Draws the chart; `None` without rows.
    pub(crate) fn draw(&self) -> Option<Drawing> {
        if self.rows.is_empty() {
            return None;
        }
        let names = self.rows.iter().map(|row| text_width(&row.name));
        let room = names.fold(90.0, f64::max).min(NAMES_MAX);
        let (left, right) = (room + 14.0, WIDTH - FIGURES);
        let values = self
            .rows
            .iter()
            .flat_map(|row| [row.estimate.low, row.estimate.value, row.estimate.high]);
        let values = values.chain([self.line]);
        let axis = match self.is_log {
            true => Axis::log(values, (left, right)),
            false => Axis::linear(values, (left, right)),
        };
        let bottom = TOP + ROW * self.rows.len() as f64;
        let mut drawing = Drawing::new(WIDTH, bottom + 42.0, &self.label);
        drawing.text("h", (4.0, 18.0), &fitted(&self.title, WIDTH - 8.0));
        let mut taken = f64::NEG_INFINITY;
        for tick in axis.ticks(5.0) {
            let (position, text) = (axis.position(tick), (self.write)(tick));
            let half = text_width(&text) / 2.0;
            drawing.path("grid", &[(position, TOP), (position, bottom)], false);
            if position - half > taken {
                drawing.text("q m", (position, bottom + 16.0), &text);
                taken = position + half + 6.0;
            }
        }
        let none = axis.position(self.line);
        drawing.path("one", &[(none, TOP - 4.0), (none, bottom)], false);
        let middle = f64::midpoint(left, right);
        drawing.text("q m", (middle, bottom + 35.0), &self.x_label);
        for (number, row) in self.rows.iter().enumerate() {
            let y = TOP + ROW * (number as f64 + 0.5);
            let class = row.hue.class();
            let name = fitted(&row.name, room);
            drawing.text(&format!("name e {class}"), (left - 10.0, y + 4.0), &name);
            let Estimate {
                value, low, high, ..
            } = row.estimate;
            let ends = [low, high].map(|end| (axis.position(end), y));
            drawing.path(&format!("whisker {class}"), &ends, false);
            drawing.dot(&format!("dot {class}"), (axis.position(value), y), 4.5);
            drawing.text("q e", (WIDTH - 4.0, y + 4.0), &row.figure);
        }
        Some(drawing)
    }
}
