//! The statistics of every estimate: a robust mean, an interval over blocks, and a correction for many comparisons.

use statrs::distribution::{ContinuousCDF, Discrete, Hypergeometric, StudentsT};

/// Nominal coverage: the share of experiments whose interval contains the true value.
pub const CONFIDENCE: f64 = 0.95;

/// A difference is significant if its p-value is below this.
pub const SIGNIFICANCE: f64 = 1.0 - CONFIDENCE;

/// Minimum number of blocks for an interval: two blocks give ±12.7 standard errors, too wide to decide anything.
pub const BLOCKS_MIN: usize = 3;

/// The trimmed mean leaves out one value in this many at each end of a sample: a machine that stalls for a moment
/// spoils a block, and that says nothing about the server.
const TRIM_ONE_IN: usize = 10;

/// Standard deviation of a sample (divisor n − 1): 0 for a single value, `None` without values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some(match values.len() {
        1 => 0.0,
        many => (squares / (count(many) - 1.0)).sqrt(),
    })
}

/// A mean that leaves out a tenth of the values at each end, with its standard error. With fewer than ten values it
/// leaves out none and is the ordinary mean. Tukey & McLaughlin, "Less vulnerable confidence and significance
/// procedures for location based on a single sample" (1963).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrimmedMean {
    /// Mean of the remaining values.
    pub mean: f64,
    /// Standard error of the mean, from the Winsorized deviation.
    pub standard_error: f64,
    /// Degrees of freedom of the interval.
    pub freedom: f64,
}

impl TrimmedMean {
    /// `None` with fewer than [`BLOCKS_MIN`] values.
    pub fn new(values: &[f64]) -> Option<Self> {
        if values.len() < BLOCKS_MIN {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let cut = sorted.len() / TRIM_ONE_IN;
        let (least, most) = (sorted[cut], sorted[sorted.len() - 1 - cut]);
        let left = count(sorted.len() - 2 * cut);
        let mean = mean(&sorted[cut..sorted.len() - cut])?;
        // Winsorize: replace each value left out by the nearest value that stays.
        let winsorized: Vec<f64> = sorted
            .iter()
            .map(|value| value.clamp(least, most))
            .collect();
        let squares = standard_deviation(&winsorized)?.powi(2) * (count(winsorized.len()) - 1.0);
        Some(TrimmedMean {
            mean,
            standard_error: (squares / (left * (left - 1.0))).sqrt(),
            freedom: left - 1.0,
        })
    }
}

/// A number of values as `f64`; it stays far below 2^53.
pub fn count(length: usize) -> f64 {
    length as f64
}

/// Arithmetic mean; `None` without values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / count(values.len()))
}

/// Median; `None` without values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(lower + (upper - lower) / 2.0)
}

/// Pseudo-median: the median of the means of all pairs, including each value paired with itself. It is nearly as
/// precise as the mean for normal noise, and one outlier hardly moves it. Hodges & Lehmann, "Estimates of location
/// based on rank tests" (1963).
pub fn pseudo_median(values: &[f64]) -> Option<f64> {
    let pairs = values.iter().enumerate().flat_map(|(index, left)| {
        values[index..]
            .iter()
            .map(move |right| (left + right) / 2.0)
    });
    median(&pairs.collect::<Vec<_>>())
}

/// Standard deviation within groups, pooled; `None` if no group has two values.
pub fn pooled_sd<'a>(groups: impl Iterator<Item = &'a [f64]>) -> Option<f64> {
    let (mut squares, mut freedom) = (0.0, 0.0);
    for group in groups.filter(|group| !group.is_empty()) {
        let own_freedom = count(group.len()) - 1.0;
        squares += standard_deviation(group)?.powi(2) * own_freedom;
        freedom += own_freedom;
    }
    (freedom > 0.0).then(|| (squares / freedom).sqrt())
}

/// Half-width of an interval, in standard errors.
pub fn reach(freedom: f64) -> f64 {
    students_t(freedom).inverse_cdf(1.0 - SIGNIFICANCE / 2.0)
}

/// Two-sided p-value of a distance from the tested value. `distance` and `standard_error` have the same unit.
pub fn p_value(distance: f64, standard_error: f64, freedom: f64) -> f64 {
    match (distance == 0.0, standard_error > 0.0) {
        (true, _) => 1.0,
        (false, false) => 0.0,
        (false, true) => 2.0 * students_t(freedom).cdf(-(distance / standard_error).abs()),
    }
}

fn students_t(freedom: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, freedom)
        .unwrap_or_else(|error| unreachable!("at least two values were asked for: {error}"))
}

/// p-values after Holm's correction ("A simple sequentially rejective multiple test procedure", 1979), in the given
/// order. The probability of reporting any difference that does not exist stays below [`SIGNIFICANCE`].
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&left, &right| p_values[left].total_cmp(&p_values[right]));
    let mut corrected = vec![1.0; p_values.len()];
    let mut least: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        let remaining = count(p_values.len() - rank);
        least = least.max((p_values[index] * remaining).min(1.0));
        corrected[index] = least;
    }
    corrected
}

/// Two-sided p-value of the hypothesis that two groups have the same share; `group` and `rest` are how many of each are
/// so, and how many are not. The probability of all tables with these sums that are no more probable than this one.
/// Fisher, "On the interpretation of χ² from contingency tables, and the calculation of P" (1922).
pub fn fishers_exact(group: [u64; 2], rest: [u64; 2]) -> f64 {
    /// Probabilities that differ by rounding alone are the same.
    const ROUNDING: f64 = 1.0 + 1e-7;
    let (size, so) = (group[0] + group[1], group[0] + rest[0]);
    let all = size + rest[0] + rest[1];
    let tables = Hypergeometric::new(all, so, size)
        .unwrap_or_else(|error| unreachable!("a part is no larger than the whole: {error}"));
    let own = tables.pmf(group[0]) * ROUNDING;
    let others = (0..=size.min(so)).map(|so| tables.pmf(so));
    others.filter(|other| *other <= own).sum::<f64>().min(1.0)
}

/// Difference of the means of two independent samples, with its standard error and degrees of freedom; `None` with
/// fewer than [`BLOCKS_MIN`] values on either side. Yuen, "The two-sample trimmed t for unequal population variances"
/// (1974).
pub fn yuen(left: &[f64], right: &[f64]) -> Option<(f64, f64, f64)> {
    let (left, right) = (TrimmedMean::new(left)?, TrimmedMean::new(right)?);
    let (own, other) = (left.standard_error.powi(2), right.standard_error.powi(2));
    let both = own + other;
    let freedom = if both > 0.0 {
        both.powi(2) / (own.powi(2) / left.freedom + other.powi(2) / right.freedom)
    } else {
        left.freedom + right.freedom
    };
    Some((left.mean - right.mean, both.sqrt(), freedom))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(found: f64, golden: f64) {
        assert!(
            (found - golden).abs() <= 1e-9 * golden.abs().max(1e-6),
            "{found} is not {golden}"
        );
    }

    #[test]
    fn pseudo_medians_are_medians_of_all_pairwise_means() {
        let found = |values: &[f64]| pseudo_median(values).expect("values");
        close(found(&[0.31, -0.12, 0.5, 0.07, 0.22]), 0.19);
        close(found(&[1.0, 2.0, 10.0]), 3.75);
        assert_eq!(pseudo_median(&[]), None);
    }

    #[test]
    fn of_ten_values_the_two_that_are_farthest_out_are_left_out() {
        // scipy.stats.trim_mean(0.1); standard error from scipy.stats.mstats.winsorize
        let mut values = [
            0.043, 0.061, 0.022, 0.058, 0.049, 0.071, 0.035, 0.052, 0.047, 0.6,
        ];
        let found = TrimmedMean::new(&values).expect("values");
        close(found.mean, 0.052);
        close(found.standard_error, 0.005_229_722_745_997_152);
        close(found.freedom, 7.0);
        values[9] = 1e6;
        assert_eq!(TrimmedMean::new(&values), Some(found));
    }

    #[test]
    fn yuens_test_agrees_with_scipy() {
        // scipy.stats.ttest_ind(equal_var=False, trim=0.1)
        let (difference, error, freedom) = yuen(
            &[3.70, 3.72, 3.69, 3.80, 3.74, 3.71, 3.73, 3.75, 3.68, 9.0],
            &[
                3.60, 3.63, 3.58, 3.65, 3.61, 3.62, 3.59, 3.64, 3.57, 3.66, 3.56,
            ],
        )
        .expect("values");
        close(difference / error, 6.059_044_798_956_758);
        close(freedom, 12.786_504_063_317_71);
        let p_value = p_value(difference, error, freedom);
        close(p_value, 4.335_174_918_449_952e-5);
    }

    #[test]
    fn without_a_tenth_to_leave_out_yuens_test_is_welchs() {
        // scipy.stats.ttest_ind(equal_var=False)
        let (difference, error, freedom) = yuen(
            &[3.70, 3.72, 3.69, 3.80, 3.74, 3.71],
            &[3.60, 3.63, 3.58, 3.65, 3.61],
        )
        .expect("values");
        close(difference / error, 5.561_196_678_797_726);
        close(freedom, 8.721_881_154_008_647);
        let p_value = p_value(difference, error, freedom);
        close(p_value, 0.000_393_057_390_047_972_8);
        let low = difference - reach(freedom) * error;
        close(low, 0.066_612_915_077_401_11);
        assert_eq!(yuen(&[1.0, 2.0], &[1.0, 2.0, 3.0]), None);
    }

    #[test]
    fn holm_agrees_with_statsmodels() {
        // statsmodels.stats.multitest.multipletests(method="holm")
        let corrected = holm(&[0.01, 0.04, 0.03, 0.005, 0.5]);
        for (found, golden) in corrected.into_iter().zip([0.04, 0.09, 0.09, 0.025, 0.5]) {
            close(found, golden);
        }
    }

    #[test]
    fn fishers_test_agrees_with_scipy() {
        // scipy.stats.fisher_exact
        close(fishers_exact([8, 2], [1, 5]), 0.034_965_034_965_034_96);
        close(fishers_exact([3, 0], [0, 3]), 0.1);
        close(fishers_exact([4, 0], [7, 0]), 1.0);
        close(fishers_exact([0, 0], [7, 3]), 1.0);
    }

    #[test]
    fn the_spread_within_groups_is_pooled_by_their_degrees_of_freedom() {
        let groups: [&[f64]; 3] = [&[1.0, 3.0], &[5.0], &[0.0, 0.0, 3.0]];
        let found = pooled_sd(groups.into_iter()).expect("groups");
        close(found, (8.0f64 / 3.0).sqrt());
        assert_eq!(pooled_sd([[1.0].as_slice()].into_iter()), None);
    }

    proptest! {
        #[test]
        fn a_pseudo_median_lies_among_its_values_and_moves_with_them(
            values in prop::collection::vec(-1e3..1e3, 1..12),
            shift in -1e3..1e3,
        ) {
            let found = pseudo_median(&values).expect("values");
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(low <= found && found <= high);
            let moved: Vec<f64> = values.iter().map(|value| value + shift).collect();
            let also = pseudo_median(&moved).expect("values");
            prop_assert!(f64::abs(also - found - shift) < 1e-9);
        }

        #[test]
        fn holm_keeps_the_order_and_lowers_no_p_value(p_values in prop::collection::vec(0.0..=1.0, 0..20)) {
            let corrected = holm(&p_values);
            for (left, own) in p_values.iter().zip(&corrected) {
                prop_assert!(own >= left && *own <= 1.0);
                for (right, other) in p_values.iter().zip(&corrected) {
                    prop_assert!(left >= right || own <= other);
                }
            }
        }
    }
}
