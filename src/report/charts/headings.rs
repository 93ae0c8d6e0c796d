//! Headings of rows: whose the row is, and its figure as it is written.

use super::svg::{Anchor, LINE, Svg, fitted, text_width};
use super::{Frame, MARGIN};

/// Between a title and a figure on the same line, in pixels.
const GAP: f64 = 12.0;

/// How the headings of a drawing's rows are laid out: all in the same way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Headings {
    frame: Frame,
    /// Whether figures stand below titles, because there is no room beside each of them.
    is_double: bool,
}

impl Headings {
    /// Headings for rows, each with its title and its figure.
    pub(super) fn new<'a>(
        frame: Frame,
        mut rows: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let is_double = rows
            .any(|(title, figure)| text_width(title) + GAP + text_width(figure) > frame.inside());
        Self { frame, is_double }
    }

    pub(super) fn height(self) -> f64 {
        if self.is_double { 2.0 * LINE } else { LINE }
    }

    /// Writes a heading whose upper edge is at `top`.
    pub(super) fn draw(self, svg: &mut Svg, top: f64, title: &str, figure: &str) {
        let width = self.frame.inside();
        let baseline = top + 12.0;
        let title = fitted(title, width);
        svg.text("name", (MARGIN, baseline), Anchor::Start, &title);
        let figure = fitted(figure, width);
        if self.is_double {
            let below = (MARGIN, baseline + LINE);
            svg.text("figure", below, Anchor::Start, &figure);
        } else {
            let right = (self.frame.width - MARGIN, baseline);
            svg.text("figure", right, Anchor::End, &figure);
        }
    }
}
