//! The charts of a report, as SVG to be placed inside an HTML page.
//!
//! Drawn by a small builder of our own. Plotters was tried on the percentile chart: its SVG has no title or description
//! to read aloud, writes colours into every element so that a page cannot darken them, cuts a dashed line into a
//! hundred pieces and rounds to whole pixels. Each chart is drawn twice from the same code, for wide and for narrow
//! screens, because text scaled down with the drawing cannot be read on a telephone; the page shows one of the two.
//!
//! A chart is told numbers and texts that are already written, and knows no figure by name; only `cost` and `curve` are
//! about one each. For the page's script a drawing says of its parts whose they are and what they mean: all of a series
//! is in `g.one`, its entry in the legend in `g.entry`, both with its number as `data-series`, or the numbers of several
//! that share a part; and whatever has something to say has it as `data-say`.
mod axis;
#[cfg(test)]
mod checker;
mod cost;
mod curve;
mod dots;
mod forest;
mod headings;
mod legend;
mod lines;
mod map;
mod marks;
mod svg;
mod ticks;

pub(super) use cost::{CostBar, cost};
pub(super) use curve::{Series, curve};
pub(super) use dots::{DotChart, DotRow, dots};
pub(super) use forest::{Claimed, Forest, ForestEffect, ForestRow, Outcome, Threshold, forest};
pub(super) use lines::{Level, Line, LineChart, Point, lines};
pub(super) use map::{Map, MapCell, MapModel, map};

/// A drawing's size on the page it is made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Class of the drawing, by which the page shows one of the two.
    pub(super) name: &'static str,
    /// Width, in pixels.
    pub(super) width: f64,
}

/// For screens from 700 px.
pub(super) const WIDE: Frame = Frame {
    name: "wide",
    width: 960.0,
};

/// For narrower screens.
pub(super) const NARROW: Frame = Frame {
    name: "narrow",
    width: 360.0,
};

/// For every screen, where a chart is one of many.
pub(super) const SMALL: Frame = Frame {
    name: "small",
    width: 360.0,
};

/// Left free around a drawing, in pixels.
const MARGIN: f64 = 8.0;

impl Frame {
    /// Whether a chart is drawn a second time, for other screens.
    fn is_one_of_two(self) -> bool {
        self.name != SMALL.name
    }

    fn is_narrow(self) -> bool {
        self.width < 500.0
    }

    /// Width inside the margins, in pixels.
    fn inside(self) -> f64 {
        self.width - 2.0 * MARGIN
    }
}

/// What a drawing is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    /// Unique in the page.
    pub(super) id: &'a str,
    /// Read aloud first.
    pub(super) title: &'a str,
    /// Read aloud after it: what the drawing shows, with its figures.
    pub(super) description: &'a str,
}
