//! Where a cell stands beside the control, also where the two could not be compared.

use super::Analysis;
use super::cells::Cell;
use super::comparison::Verdict;
use super::metric::Metric;

/// What can be said of a cell beside the control, in one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is the control.
    Control,
    /// It was compared, and this is what it came to.
    Compared(Verdict),
    /// None of its trials could be made.
    NotMeasured,
    /// None of its trials is ranked in the metric.
    NotRanked,
    /// Its ranked trials do not have the figure.
    NoFigure,
    /// The control has no ranked trial with the figure at this level.
    NoControl,
    /// Both have the figure, and their medians have no ratio.
    NoRatio,
}

impl Analysis<'_> {
    /// Where a cell of this analysis stands in a metric.
    pub fn standing(&self, cell: &Cell<'_>, metric: Metric) -> Standing {
        if cell.median(metric).is_none() {
            return match cell.struck_median(metric) {
                _ if cell.made() == 0 => Standing::NotMeasured,
                None if cell.ranked() > 0 => Standing::NoFigure,
                _ => Standing::NotRanked,
            };
        }
        if cell.model == self.design.control {
            return Standing::Control;
        }
        match self.comparison(cell.model, cell.level, metric) {
            Some(comparison) => Standing::Compared(comparison.verdict),
            None if self.has_control(cell.level, metric) => Standing::NoRatio,
            None => Standing::NoControl,
        }
    }

    /// Whether the control has a ranked trial with the figure at a level.
    fn has_control(&self, level: &str, metric: Metric) -> bool {
        let mut cells = self.level(level);
        let control = cells.find(|cell| cell.model == self.design.control);
        control.is_some_and(|cell| cell.median(metric).is_some())
    }
}
