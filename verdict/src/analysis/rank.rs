//! Comparison of two small samples by the order of their values: no assumption about the shape of the noise.

/// Hodges–Lehmann shift: the median of all differences `left − right`, in the unit of the samples.
///
/// `None` when a sample is empty. Hodges & Lehmann, "Estimates of location based on rank tests" (1963).
pub fn shift(left: &[f64], right: &[f64]) -> Option<f64> {
    let differences: Vec<f64> = pairs(left, right).map(|(a, b)| a - b).collect();
    super::sample::median(&differences)
}

/// Cliff's delta, −1…1: how much oftener a value of `left` is above one of `right` than below it.
///
/// `None` when a sample is empty. Cliff, "Dominance statistics: ordinal analyses to answer ordinal questions" (1993).
pub fn cliffs_delta(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.is_empty() || right.is_empty() {
        return None;
    }
    let dominance: f64 = pairs(left, right)
        .map(|(a, b)| f64::from(i8::from(a > b) - i8::from(a < b)))
        .sum();
    Some(dominance / (left.len() * right.len()) as f64)
}

fn pairs<'a>(left: &'a [f64], right: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    left.iter()
        .flat_map(move |&a| right.iter().map(move |&b| (a, b)))
}

/// Exact two-sided p-value of the Mann–Whitney test: the chance, were both samples of one kind, of an order at least as
/// lopsided.
///
/// Exact with ties too: the permutation distribution of the midranks is counted, not approximated. The cost grows with
/// the fourth power of the trials, which is nothing up to a hundred. `None` when a sample is empty. Mann & Whitney, "On
/// a test of whether one of two random variables is stochastically larger than the other" (1947).
pub fn mann_whitney_p(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.is_empty() || right.is_empty() {
        return None;
    }
    let ranks = doubled_midranks(left, right);
    let observed: usize = ranks[..left.len()].iter().sum();
    let total: usize = ranks.iter().sum();

    // ways[k][s]: how many choices of k of the ranks seen so far add up to s.
    let mut ways = vec![vec![0.0_f64; total + 1]; left.len() + 1];
    ways[0][0] = 1.0;
    for &rank in &ranks {
        for chosen in (0..left.len()).rev() {
            for sum in (0..=total - rank).rev() {
                let fewer = ways[chosen][sum];
                ways[chosen + 1][sum + rank] += fewer;
            }
        }
    }
    let sums = &ways[left.len()];
    let all: f64 = sums.iter().sum();
    let below: f64 = sums[..=observed].iter().sum();
    let above: f64 = sums[observed..].iter().sum();
    Some((2.0 * below.min(above) / all).min(1.0))
}

/// Twice the rank of every value, so that the mean rank of tied values stays a whole number.
fn doubled_midranks(left: &[f64], right: &[f64]) -> Vec<usize> {
    let together = || left.iter().chain(right);
    together()
        .map(|value| {
            let below = together().filter(|other| *other < value).count();
            let equal = together().filter(|other| *other == value).count();
            2 * below + equal + 1
        })
        .collect()
}

/// Smallest p-value that [`mann_whitney_p`] can reach with samples of these sizes: 0.10 with 3 against 3.
pub fn smallest_p(left: usize, right: usize) -> f64 {
    let choices: f64 = (1..=left).map(|k| (right + k) as f64 / k as f64).product();
    (2.0 / choices).min(1.0)
}

/// Holm's correction of a family of p-values, in the order given.
///
/// Holm, "A simple sequentially rejective multiple test procedure" (1979).
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut corrected = vec![1.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (done, &place) in order.iter().enumerate() {
        let remaining = (p_values.len() - done) as f64;
        largest = largest.max((remaining * p_values[place]).min(1.0));
        corrected[place] = largest;
    }
    corrected
}

/// The least that each p-value of a family can come to after [`holm`], whatever the trials show: `sizes` holds how many
/// values each test has on either side.
pub fn least_holm(sizes: impl Iterator<Item = (usize, usize)>) -> Vec<f64> {
    let smallest: Vec<f64> = sizes.map(|(left, right)| smallest_p(left, right)).collect();
    // The correction never shrinks when a p-value grows.
    holm(&smallest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREADS: [f64; 5] = [88.1, 90.3, 87.2, 95.0, 41.5];
    const CONTROL: [f64; 7] = [41.2, 39.8, 40.1, 44.9, 40.7, 39.1, 42.3];
    const TIED: [f64; 5] = [1.0, 2.0, 2.0, 5.0, 7.0];
    const TIED_TOO: [f64; 6] = [2.0, 3.0, 3.0, 4.0, 9.0, 9.0];
    const MIXED: [f64; 4] = [1.0, 4.0, 6.0, 9.0];
    const MIXED_TOO: [f64; 6] = [2.0, 3.0, 5.0, 7.0, 8.0, 10.0];

    fn close(found: Option<f64>, golden: f64) {
        let found = found.expect("a figure");
        assert!((found - golden).abs() < 1e-12, "{found} is not {golden}");
    }

    #[test]
    fn the_shift_agrees_with_numpy() {
        // numpy.median(numpy.subtract.outer(x, y))
        close(shift(&THREADS, &CONTROL), 47.4);
        close(shift(&TIED, &TIED_TOO), -1.5);
        assert_eq!(shift(&[], &CONTROL), None);
    }

    #[test]
    fn the_delta_agrees_with_numpy() {
        // numpy.sign(numpy.subtract.outer(x, y)).mean()
        close(cliffs_delta(&THREADS, &CONTROL), 0.885_714_285_714_285_7);
        close(cliffs_delta(&TIED, &TIED_TOO), -0.4);
        close(cliffs_delta(&MIXED, &MIXED_TOO), -1.0 / 6.0);
    }

    #[test]
    fn the_p_value_agrees_with_scipy() {
        // scipy.stats.mannwhitneyu(x, y, method="exact").pvalue
        close(
            mann_whitney_p(&THREADS, &CONTROL),
            0.010_101_010_101_010_102,
        );
        close(mann_whitney_p(&MIXED, &MIXED_TOO), 0.761_904_761_904_761_9);
    }

    #[test]
    fn the_p_value_of_tied_samples_agrees_with_scipy() {
        // scipy.stats.mannwhitneyu(x, y, method=scipy.stats.PermutationMethod(n_resamples=numpy.inf)).pvalue
        close(mann_whitney_p(&TIED, &TIED_TOO), 0.298_701_298_701_298_7);
    }

    #[test]
    fn three_against_three_cannot_reach_a_twentieth() {
        close(mann_whitney_p(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]), 0.1);
        close(Some(smallest_p(3, 3)), 0.1);
        // scipy.stats.mannwhitneyu(range(5), range(10, 15), method="exact").pvalue
        close(Some(smallest_p(5, 5)), 0.007_936_507_936_507_936);
        close(Some(smallest_p(1, 1)), 1.0);
    }

    #[test]
    fn equal_samples_are_no_evidence() {
        close(mann_whitney_p(&[1.0; 4], &[1.0; 4]), 1.0);
    }

    #[test]
    fn holm_agrees_with_its_definition() {
        // numpy.maximum.accumulate(numpy.minimum(1, [4, 3, 2, 1] * numpy.sort(p))), back in the order of p
        let found = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, golden) in found.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - golden).abs() < 1e-12, "{found} is not {golden}");
        }
    }
}
