//! The words for a comparison: better, worse, the same within a margin, or undecided.

use hola_lab::metric::{Better, Metric, Scale};

use super::{Analysis, LevelKey};
use crate::estimate::Estimate;
use crate::statistics::{SIGNIFICANCE, holm};

/// The result of a comparison.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Word {
    /// Better than the other.
    Better,
    /// Worse than the other.
    Worse,
    /// The same within the margin: the whole interval lies inside it. This includes a small difference that is
    /// significant.
    Same {
        /// The margin: 0.05 is ±5 %, or ±0.05 on the plain scale.
        margin: f64,
    },
    /// The interval is too wide to decide.
    Undecided {
        /// Half-width of the interval: the run could not show smaller differences.
        resolution: f64,
    },
}

impl Word {
    /// The word for a single comparison.
    pub fn new(estimate: &Estimate, metric: Metric) -> Self {
        Self::with_p(estimate, metric, estimate.p_value(estimate.no_difference()))
    }

    /// The word for a comparison whose p-value of no difference is corrected for other comparisons.
    pub(crate) fn with_p(estimate: &Estimate, metric: Metric, p_value: f64) -> Self {
        let margin = margin(metric);
        let is_same = match estimate.scale {
            Scale::Ratio => estimate.is_within(1.0 / (1.0 + margin), 1.0 + margin),
            Scale::Plain => estimate.is_within(-margin, margin),
        };
        if is_same {
            return Word::Same { margin };
        }
        if p_value >= SIGNIFICANCE {
            return Word::Undecided {
                resolution: estimate.half_width(),
            };
        }
        let is_lower = estimate.value < estimate.no_difference();
        match is_lower == (metric.definition().better == Better::Lower) {
            true => Word::Better,
            false => Word::Worse,
        }
    }
}

/// Differences up to this are called the same.
pub fn margin(metric: Metric) -> f64 {
    metric.definition().same_within
}

impl Analysis<'_> {
    /// Every participant of a level that is compared with its control, the comparison, and the word for it. Better and
    /// worse are decided after Holm's correction over all of them: of twenty comparisons without a difference, one 95 %
    /// interval excludes 1 by chance.
    pub fn words(&self, at: LevelKey<'_>, metric: Metric) -> Vec<(String, Estimate, Word)> {
        let compared = self.compared(at).into_iter();
        let compared =
            compared.filter_map(|name| Some((name, self.to_control(at, name, metric).ok()?)));
        let compared: Vec<(&str, Estimate)> = compared.collect();
        let p_value = |(_, found): &(&str, Estimate)| found.p_value(found.no_difference());
        let corrected = holm(&compared.iter().map(p_value).collect::<Vec<_>>());
        let word = |((name, found), p): ((&str, Estimate), f64)| {
            (name.into(), found, Word::with_p(&found, metric, p))
        };
        compared.into_iter().zip(corrected).map(word).collect()
    }
}
