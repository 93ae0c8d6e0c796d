//! An estimate with its interval.

use hola_lab::metric::Scale;

use crate::statistics::{
    TrimmedMean, p_value, pooled_sd, pseudo_median, reach, standard_deviation,
};

/// A quantity with its 95 % confidence interval over blocks.
///
/// On [`Scale::Ratio`] the computation uses logarithms, and `value`, `low` and `high` are the exponentials: a ratio, or
/// an absolute value. On [`Scale::Plain`] the computation uses the values themselves, or differences.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The quantity: a ratio or a difference, or a value in its metric's unit.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Number of blocks; for a comparison of two runs, the smaller of the two numbers; for a summary of machines, theirs.
    pub blocks: u32,
    /// Standard deviation between blocks: of logarithms on [`Scale::Ratio`].
    pub between_sd: f64,
    /// Standard deviation between the cycles of a block, on the same scale; `None` if no block has two values.
    pub within_sd: Option<f64>,
    /// Scale of the computation.
    pub scale: Scale,
    /// Standard error of the value, on the same scale.
    pub standard_error: f64,
    /// Degrees of freedom of the interval.
    pub freedom: f64,
}

impl Estimate {
    /// Estimates from one value per block, on the computation scale: logarithms on [`Scale::Ratio`]. `None` with fewer
    /// than three blocks.
    pub(crate) fn from_blocks(values: &[f64], scale: Scale) -> Option<Self> {
        let found = TrimmedMean::new(values)?;
        Some(Estimate {
            blocks: u32::try_from(values.len()).unwrap_or(u32::MAX),
            between_sd: standard_deviation(values)?,
            ..Self::from_mean(found.mean, found.standard_error, found.freedom, scale)
        })
    }

    /// Estimates from the cycles of each block. Each block counts once, by the pseudo-median of its cycles.
    pub(crate) fn from_cycles(blocks: &[Vec<f64>], scale: Scale) -> Option<Self> {
        let values = blocks.iter().filter_map(|cycles| pseudo_median(cycles));
        let values: Vec<f64> = values.collect();
        Some(Estimate {
            within_sd: pooled_sd(blocks.iter().map(Vec::as_slice)),
            ..Self::from_blocks(&values, scale)?
        })
    }

    /// Estimates from a mean, its standard error and its degrees of freedom, on the computation scale.
    pub(crate) fn from_mean(mean: f64, standard_error: f64, freedom: f64, scale: Scale) -> Self {
        let half = reach(freedom) * standard_error;
        Estimate {
            value: shown(mean, scale),
            low: shown(mean - half, scale),
            high: shown(mean + half, scale),
            blocks: 0,
            between_sd: 0.0,
            within_sd: None,
            scale,
            standard_error,
            freedom,
        }
    }

    /// Half of the interval's width: relative on [`Scale::Ratio`] (0.05 is ±5 %), in the metric's unit on
    /// [`Scale::Plain`].
    pub fn half_width(&self) -> f64 {
        match self.scale {
            Scale::Ratio => (self.high / self.low).sqrt() - 1.0,
            Scale::Plain => (self.high - self.low) / 2.0,
        }
    }

    /// Whether `value` lies in the interval, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Whether the whole interval lies between `low` and `high`.
    pub fn is_within(&self, low: f64, high: f64) -> bool {
        low <= self.low && self.high <= high
    }

    /// The value of a comparison without a difference: 1 for ratios, 0 for differences.
    pub fn no_difference(&self) -> f64 {
        match self.scale {
            Scale::Ratio => 1.0,
            Scale::Plain => 0.0,
        }
    }

    /// The natural logarithm of a ratio, and its standard error; `None` on [`Scale::Plain`], and if there is none.
    pub fn log_ratio(&self) -> Option<(f64, f64)> {
        let log = (self.scale == Scale::Ratio).then(|| self.value.ln())?;
        (log.is_finite() && self.standard_error.is_finite()).then_some((log, self.standard_error))
    }

    /// Two-sided p-value of the hypothesis that `value` is true. It is below 0.05 exactly if the interval excludes
    /// `value`.
    pub fn p_value(&self, value: f64) -> f64 {
        let distance = computed(self.value, self.scale) - computed(value, self.scale);
        p_value(distance, self.standard_error, self.freedom)
    }
}

/// Converts a value from the computation scale to the one that is shown.
pub(crate) fn shown(computed: f64, scale: Scale) -> f64 {
    match scale {
        Scale::Ratio => computed.exp(),
        Scale::Plain => computed,
    }
}

/// Converts a value that is shown to the computation scale.
pub(crate) fn computed(shown: f64, scale: Scale) -> f64 {
    match scale {
        Scale::Ratio => shown.ln(),
        Scale::Plain => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGS: [f64; 8] = [0.043, 0.061, 0.022, 0.058, 0.049, 0.071, 0.035, 0.052];

    #[test]
    fn an_interval_over_blocks_and_its_p_values_agree_with_scipy() {
        // exp of scipy.stats.t.interval(0.95, 7, mean, sem); scipy.stats.ttest_1samp
        let found = Estimate::from_blocks(&LOGS, Scale::Ratio).expect("blocks");
        for (found, golden) in [
            (found.value, 0.048_875f64.exp()),
            (found.low, 0.035_927_756_766_663_31f64.exp()),
            (found.high, 0.061_822_243_233_336_675f64.exp()),
            (found.p_value(1.0), 4.499_899_863_054_188e-5),
            (found.p_value(0.04f64.exp()), 0.149_072_578_654_252_05),
        ] {
            assert!((found - golden).abs() <= 1e-9 * golden, "{found} {golden}");
        }
        assert_eq!(found.blocks, 8);
        assert!((found.half_width() - 0.013_03).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn two_blocks_have_no_interval_and_equal_blocks_a_narrow_one() {
        assert_eq!(Estimate::from_blocks(&[0.1, 0.2], Scale::Plain), None);
        let equal = Estimate::from_blocks(&[6.0; 3], Scale::Plain).expect("blocks");
        assert_eq!((equal.low, equal.high), (6.0, 6.0));
        assert_eq!((equal.p_value(5.0), equal.p_value(6.0)), (0.0, 1.0));
    }

    #[test]
    fn a_p_value_is_small_just_where_the_interval_leaves_the_value_out() {
        let found = Estimate::from_blocks(&LOGS, Scale::Ratio).expect("blocks");
        for (end, beyond) in [(found.low, 0.999), (found.high, 1.001)] {
            assert!(found.p_value(end * beyond) < 0.05);
            assert!(found.p_value(end / beyond) > 0.05);
        }
    }

    #[test]
    fn a_block_counts_once_however_many_cycles_it_has() {
        let blocks = [vec![1.0, 2.0, 10.0], vec![3.0], vec![5.0, 5.0]];
        let found = Estimate::from_cycles(&blocks, Scale::Plain).expect("blocks");
        assert!((found.value - (3.75 + 3.0 + 5.0) / 3.0).abs() < 1e-12);
        assert!(found.within_sd.is_some());
    }
}
