//! Tests whether a time series has a trend: Mann–Kendall test, Theil–Sen slope.

use std::f64::consts::SQRT_2;

use statrs::function::erf::erfc;

/// A trend and its significance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Trend {
    /// Theil and Sen's slope: the median of all slopes between two values, per step.
    pub(crate) slope: f64,
    /// Two-sided p-value, 0…1: the probability of an order at least this strong by chance.
    pub(crate) p: f64,
}

/// The trend of `values`, which are equally spaced in time; `None` for fewer than four values, since no order of them
/// can be significant.
///
/// Mann, "Nonparametric tests against trend", 1945; Kendall, "Rank Correlation Methods", 1975, with his corrections for
/// ties and for continuity; Sen, "Estimates of the regression coefficient based on Kendall's tau", 1968.
pub(crate) fn trend(values: &[f64]) -> Option<Trend> {
    if values.len() < 4 {
        return None;
    }
    let mut slopes = Vec::with_capacity(values.len() * (values.len() - 1) / 2);
    let (mut rises, mut falls) = (0.0, 0.0);
    for (place, earlier) in values.iter().enumerate() {
        let mut steps = 0.0;
        for later in &values[place + 1..] {
            steps += 1.0;
            slopes.push((later - earlier) / steps);
            rises += f64::from(u8::from(later > earlier));
            falls += f64::from(u8::from(later < earlier));
        }
    }
    let score: f64 = rises - falls;
    let variance = score_variance(values);
    // The probability that a standard normal variable is farther from zero than z is erfc(z/√2).
    let p = if variance > 0.0 {
        erfc((score.abs() - 1.0).max(0.0) / variance.sqrt() / SQRT_2)
    } else {
        1.0
    };
    Some(Trend {
        slope: median(&mut slopes),
        p,
    })
}

/// Variance of Kendall's score without a trend: (n(n−1)(2n+5) − Σ t(t−1)(2t+5)) / 18 over groups of t equal values.
#[allow(clippy::cast_precision_loss)] // a handful of values
fn score_variance(values: &[f64]) -> f64 {
    let term = |count: usize| {
        let count = count as f64;
        count * (count - 1.0) * (2.0 * count + 5.0)
    };
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let ties: f64 = sorted
        .chunk_by(|a, b| a == b)
        .map(|group| term(group.len()))
        .sum();
    (term(values.len()) - ties) / 18.0
}

/// The median; zero if there are no values. Sorts `values`.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::trend;

    /// Slope from `scipy.stats.theilslopes(x, range(n)).slope` and p from `2 * scipy.stats.norm.sf((abs(s) - 1) / v**0.5)`,
    /// where s and v are those with which `2 * norm.sf(abs(s) / v**0.5)` is the p-value of
    /// `scipy.stats.kendalltau(range(n), x, method="asymptotic")` (scipy 1.17).
    #[test]
    fn agrees_with_scipy() {
        let falling = [
            3.1, 2.9, 2.8, 2.95, 2.6, 2.7, 2.4, 2.5, 2.45, 2.2, 2.3, 2.1, 2.05, 2.15, 1.9, 2.0,
            1.95, 1.8, 1.85, 1.7,
        ];
        let steady_with_ties = [
            101.0, 103.0, 103.0, 99.0, 100.0, 102.0, 98.0, 101.0, 100.0, 103.0, 99.0, 102.0, 100.0,
            101.0, 98.0, 100.0, 103.0, 102.0, 99.0, 101.0,
        ];
        let mostly_tied = [5.0, 5.0, 5.0, 6.0, 6.0, 7.0, 6.0, 7.0, 7.0, 8.0];
        for (values, slope, p) in [
            (
                &falling[..],
                -0.066_666_666_666_666_68,
                6.020_357_716_889_019e-8,
            ),
            (&steady_with_ties, 0.0, 0.596_978_126_859_778_1),
            (&mostly_tied, 1.0 / 3.0, 0.001_996_629_646_518_103_6),
            (&[7.0; 20], 0.0, 1.0),
        ] {
            let found = trend(values).unwrap();
            assert!((found.slope - slope).abs() < 1e-12, "{found:?}");
            assert!((found.p - p).abs() < 1e-12, "{found:?}");
        }
        assert_eq!(trend(&[1.0, 2.0, 3.0]), None);
    }
}
