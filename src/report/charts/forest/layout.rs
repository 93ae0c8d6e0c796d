//! Where the parts of a finding are: beside each other in a wide drawing, below each other in a narrow one.

use crate::report::charts::svg::{Anchor, LINE, Svg, fitted, text_width, wrapped};
use crate::report::charts::{Frame, MARGIN};

use super::ForestRow;

/// Between the columns of a wide drawing, in pixels.
const GAP: f64 = 18.0;

/// Height of the interval itself, with some room, in pixels.
const WHISKER: f64 = 22.0;

/// Between two rows, in pixels.
const BETWEEN: f64 = 10.0;

/// Between the sides of the plot and a reason for a missing effect, in pixels.
const INSET: f64 = 4.0;

/// Lines that the reason for a missing effect may take.
const MOST_LINES: usize = 3;

/// Columns of the rows, or of the lines that each has.
#[derive(Debug)]
pub(super) struct Layout {
    frame: Frame,
    /// The plot's left and right.
    pub(super) plot: (f64, f64),
    label_width: f64,
    figure_width: f64,
}

impl Layout {
    pub(super) fn new(frame: Frame, rows: &[ForestRow]) -> Self {
        let effects = rows.iter().filter_map(|row| row.effect.as_ref().ok());
        let figures = widest(effects.map(|effect| effect.figure.as_str()));
        if frame.is_narrow() {
            let figure_width = figures.min(frame.inside() * 0.55);
            return Self {
                frame,
                plot: (MARGIN + 6.0, frame.width - MARGIN - 6.0),
                label_width: frame.inside() - figure_width - 12.0,
                figure_width,
            };
        }
        let labels = widest(rows.iter().flat_map(|row| &row.label).map(String::as_str));
        let label_width = labels.min(frame.inside() * 0.34) + 0.5;
        let figure_width = figures.min(frame.inside() * 0.28) + 0.5;
        Self {
            frame,
            plot: (
                MARGIN + label_width + GAP,
                frame.width - MARGIN - figure_width - GAP,
            ),
            label_width,
            figure_width,
        }
    }

    /// The reason for a missing effect, in lines that fit the plot.
    pub(super) fn reason(&self, reason: &str) -> Vec<String> {
        wrapped(reason, self.plot.1 - self.plot.0 - 2.0 * INSET, MOST_LINES)
    }

    /// Height of what a row is called, in pixels.
    fn label_height(row: &ForestRow) -> f64 {
        if row.label[1].is_empty() {
            LINE
        } else {
            2.0 * LINE
        }
    }

    fn reason_height(&self, row: &ForestRow) -> f64 {
        let reason = row.effect.as_ref().err();
        reason.map_or(0.0, |reason| self.reason(reason).len() as f64 * LINE)
    }

    /// Height of a row, in pixels.
    pub(super) fn height(&self, row: &ForestRow) -> f64 {
        let (label, reason) = (Self::label_height(row), self.reason_height(row));
        let content = if self.frame.is_narrow() {
            label + if row.effect.is_ok() { WHISKER } else { reason }
        } else {
            label.max(reason).max(WHISKER)
        };
        content + BETWEEN
    }

    /// The middle of a row's interval, of a row that begins at `y`.
    pub(super) fn middle(&self, row: &ForestRow, y: f64) -> f64 {
        if self.frame.is_narrow() {
            y + 4.0 + Self::label_height(row) + WHISKER / 2.0
        } else {
            y + self.height(row) / 2.0
        }
    }

    /// Where the reason for a missing effect begins.
    pub(super) fn reason_at(&self, row: &ForestRow, y: f64) -> (f64, f64) {
        let top = if self.frame.is_narrow() {
            y + 4.0 + Self::label_height(row)
        } else {
            y + (self.height(row) - self.reason_height(row)) / 2.0
        };
        (self.plot.0 + INSET, top + 12.0)
    }

    /// Writes what a row is called and what came out.
    pub(super) fn write(&self, svg: &mut Svg, row: &ForestRow, y: f64) {
        let top = if self.frame.is_narrow() {
            y + 4.0
        } else {
            y + (self.height(row) - Self::label_height(row)) / 2.0
        };
        let baseline = top + 12.0;
        let last = if row.label[1].is_empty() { 0 } else { 1 };
        for (line, class) in ["name", "label"].into_iter().enumerate().take(last + 1) {
            // In a narrow drawing a label has all the width, but for the line that the figure ends.
            let is_alone = self.frame.is_narrow() && (line < last || row.effect.is_err());
            let width = if is_alone {
                self.frame.inside()
            } else {
                self.label_width
            };
            let text = fitted(&row.label[line], width);
            let at = (MARGIN, baseline + line as f64 * LINE);
            svg.text(class, at, Anchor::Start, &text);
        }
        if let Ok(effect) = &row.effect {
            let text = fitted(&effect.figure, self.figure_width);
            let y = if self.frame.is_narrow() {
                baseline + last as f64 * LINE
            } else {
                self.middle(row, y) + 4.5
            };
            let right = (self.frame.width - MARGIN, y);
            svg.text("figure", right, Anchor::End, &text);
        }
    }
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> f64 {
    texts.map(text_width).fold(0.0, f64::max)
}
