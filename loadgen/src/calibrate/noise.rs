//! The noise floor: how far two series of the same trials are apart.

use crate::schedule::splitmix64;
use crate::trend::median;

/// Resamples behind an interval.
const RESAMPLES: u64 = 10_000;

/// Seed of the resampling: the same trials give the same floor.
const SEED: u64 = 1;

/// Of a 95 % percentile bootstrap interval of the ratio of the medians the bound farthest from 1, as a factor above 1.
///
/// Whole rounds are resampled, so that what disturbed both series at once cancels. `None` without rounds, or where a
/// value of zero leaves no ratio. Efron, "Bootstrap methods: another look at the jackknife", 1979.
pub(super) fn floor(rounds: &[[f64; 2]]) -> Option<f64> {
    if rounds.is_empty() || rounds.iter().flatten().any(|value| *value <= 0.0) {
        return None;
    }
    let mut ratios: Vec<f64> = (0..RESAMPLES)
        .map(|resample| {
            let drawn: Vec<[f64; 2]> = draws(resample, rounds.len())
                .map(|round| rounds[round])
                .collect();
            let [one, other] = [0, 1].map(|series| {
                median(&mut drawn.iter().map(|round| round[series]).collect::<Vec<_>>())
            });
            one / other
        })
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let last = ratios.len() - 1;
    let bounds = [ratios[last * 25 / 1000], ratios[last - last * 25 / 1000]];
    Some(bounds.map(factor).into_iter().fold(1.0, f64::max))
}

/// Rounds of one resample, with repetition.
fn draws(resample: u64, rounds: usize) -> impl Iterator<Item = usize> {
    let rounds = rounds as u64;
    (0..rounds).map(move |draw| {
        let random = splitmix64(SEED, resample * rounds + draw);
        // The high half of the product is uniform in 0..rounds but for one part in 2^64.
        usize::try_from((u128::from(random) * u128::from(rounds)) >> 64).unwrap_or(0)
    })
}

/// A ratio as a factor above 1: twice as much and half as much are equally far from equal.
fn factor(ratio: f64) -> f64 {
    ratio.max(1.0 / ratio)
}

#[cfg(test)]
mod tests {
    use super::floor;

    #[test]
    fn equal_series_have_no_noise() {
        assert_eq!(floor(&[[5.0, 5.0]; 7]), Some(1.0));
    }

    #[test]
    fn what_disturbs_both_series_at_once_is_not_noise() {
        let drifting = [10.0, 12.0, 15.0, 20.0, 30.0].map(|level| [level, level]);
        assert_eq!(floor(&drifting), Some(1.0));
    }

    #[test]
    fn the_farther_bound_counts_in_either_direction() {
        assert_eq!(floor(&[[8.0, 4.0]; 5]), Some(2.0));
        assert_eq!(floor(&[[4.0, 8.0]; 5]), Some(2.0));
    }

    #[test]
    fn a_noisier_pair_of_series_has_a_higher_floor() {
        let rounds = |unrest: f64| {
            let sign = |round: usize| {
                if round.is_multiple_of(2) {
                    unrest
                } else {
                    -unrest
                }
            };
            let values: Vec<[f64; 2]> = (0..7)
                .map(|round| [100.0 + sign(round), 100.0 - sign(round)])
                .collect();
            floor(&values).unwrap()
        };
        assert!(1.0 < rounds(1.0) && rounds(1.0) < rounds(5.0));
        assert!(rounds(5.0) <= 105.0 / 95.0 + 1e-12);
    }

    #[test]
    fn nothing_measured_has_no_floor() {
        assert_eq!(floor(&[]), None);
        assert_eq!(floor(&[[1.0, 0.0]]), None);
    }
}
