//! Order statistics of small samples: a cell holds a handful of trials, never a million.

/// One trial's value of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// Round the trial was made in: trials of one round share the machine's mood.
    pub round: u32,
    /// The value, in the metric's unit.
    pub value: f64,
}

/// The values alone, in the order given.
pub fn values(observations: &[Observation]) -> Vec<f64> {
    observations.iter().map(|seen| seen.value).collect()
}

/// Arithmetic mean of a sample; `None` when it is empty.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard deviation of what a sample was taken from, by its `n − 1` degrees of freedom; `None` with fewer than two
/// values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// Median of a sample; `None` when it is empty.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Quantile `share` (0…1) of a sample by linear interpolation between order statistics; `None` when it is empty.
///
/// Definition 7 of Hyndman & Fan, "Sample quantiles in statistical packages" (1996), which is numpy's default.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile_of_sorted(&sorted, share)
}

/// [`quantile`] of values already in ascending order.
pub(super) fn quantile_of_sorted(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the floor of a place in the sample, 0…last"
    )]
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    let weight = place - place.floor();
    // Written so that two equal neighbours give exactly their value.
    Some(sorted[below] + weight * (sorted[above] - sorted[below]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_sample_has_no_median() {
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn the_median_of_an_even_sample_lies_between_the_middle_two() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[7.0]), Some(7.0));
    }

    #[test]
    fn mean_and_standard_deviation_agree_with_numpy() {
        // numpy.mean(x), numpy.std(x, ddof=1)
        let sample = [3.1, 0.2, 8.8, 4.4, 5.9];
        for (found, golden) in [
            (mean(&sample), 4.48),
            (standard_deviation(&sample), 3.197_968_104_906_644_6),
        ] {
            let found = found.expect("a sample");
            assert!((found - golden).abs() < 1e-12, "{found} is not {golden}");
        }
        assert_eq!((mean(&[]), standard_deviation(&[7.0])), (None, None));
    }

    #[test]
    fn quantiles_agree_with_numpy() {
        // numpy.quantile([3.1, 0.2, 8.8, 4.4, 5.9], [0.025, 0.1, 0.33, 0.975])
        let sample = [3.1, 0.2, 8.8, 4.4, 5.9];
        for (share, golden) in [(0.025, 0.49), (0.1, 1.36), (0.33, 3.516), (0.975, 8.51)] {
            let found = quantile(&sample, share).expect("a sample");
            assert!((found - golden).abs() < 1e-12, "{share}: {found}");
        }
    }
}
