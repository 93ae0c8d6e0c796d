//! The charts of a report, as SVG to be placed inside an HTML page.
//!
//! Drawn by a small builder of our own. Plotters was tried on the percentile chart: its SVG has no title or description
//! to read aloud, writes colours into every element so that a page cannot darken them, cuts a dashed line into a
//! hundred pieces and rounds to whole pixels. Each chart is drawn twice from the same code, for wide and for narrow
//! screens, because text scaled down with the drawing cannot be read on a telephone; the page shows one of the two.
mod axis;
mod cost;
mod curve;
mod svg;

pub(super) use cost::{CostBar, cost};
pub(super) use curve::{Series, curve};

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
