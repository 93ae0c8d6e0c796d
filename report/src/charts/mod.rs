//! The three kinds of chart: lines with bands, dots with intervals, and the map. Of the analysis they know estimates alone.

mod axis;
pub(crate) mod dots;
pub(crate) mod lines;
pub(crate) mod map;
mod svg;

pub(crate) use self::svg::{Drawing, text_width};

/// The colour of a series: what it spends on one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hue {
    Nothing,
    Task,
    Thread,
    Process,
    /// A reference target.
    Target,
}

impl Hue {
    /// Its class in the style sheet.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Hue::Nothing => "nothing",
            Hue::Task => "task",
            Hue::Thread => "thread",
            Hue::Process => "process",
            Hue::Target => "target",
        }
    }
}
