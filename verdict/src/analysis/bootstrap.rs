//! Bootstrap intervals of a median and of a ratio of medians.
//!
//! **Percentile, not BCa.** BCa corrects with an acceleration taken from the jackknife, and the jackknife is known to
//! fail for the median, which is not a smooth function of the sample; with five trials it can take three values at most.
//! The percentile interval of a median is at least a statement about order statistics. (Efron, "Bootstrap methods:
//! another look at the jackknife", 1979; Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, §11.6, §13–14.)
//!
//! **The round is the block.** Every cell is measured once in each round, in shuffled order, so what the machine does
//! for a minute it does to all models. A ratio therefore resamples whole rounds, and takes both models' trials of a
//! round together: the drift they share cancels, as in a paired test. A round in which one of the two has no valid
//! trial still counts for the other, so the ratio stays the quotient of the two printed medians.
//!
//! **Two runs share no round**, so nothing cancels between them: there, each side is resampled by itself.
//!
//! **What it cannot do.** An interval made of a sample's own values covers the true median in at most `1 − 2^(1−n)` of
//! experiments: 75 % with three trials, 94 % with five, 99 % with eight. See [`coverage_bound`].

use hola_loadgen::schedule::splitmix64;
use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::sample::{Observation, quantile_of_sorted};

/// Resamples behind an interval: enough for its ends to move by less than a tenth of its width between seeds.
pub const RESAMPLES: u64 = 10_000;

/// Fewest trials for which an interval is given: two values bound a median in half of all experiments only.
pub const MIN_TRIALS: usize = 3;

/// Share of experiments in which the interval is meant to hold the true value.
pub const CONFIDENCE: f64 = 0.95;

/// An interval, ends included, in the unit of what it bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies in the interval.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// A figure and, when there are trials enough, its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Its interval at [`CONFIDENCE`].
    pub interval: Option<Interval>,
}

/// Largest coverage, 0…1, that an interval between values of a sample of `trials` can have for the true median.
///
/// The chance that not all values fall on the same side of it.
pub fn coverage_bound(trials: usize) -> f64 {
    i32::try_from(trials).map_or(1.0, |trials| (1.0 - 2f64.powi(1 - trials)).max(0.0))
}

/// Interval of the median of a sample; `None` with fewer than [`MIN_TRIALS`] values.
///
/// The same seed gives the same bits, whatever the number of threads.
pub fn median_interval(values: &[f64], seed: u64) -> Option<Interval> {
    if values.len() < MIN_TRIALS {
        return None;
    }
    let sample = Sample::new(values.iter().copied().zip(0..));
    percentile_interval(seed, &[values.len()], |times| sample.median(times))
}

/// Interval of the ratio of two medians, resampled round by round; `None` with fewer than [`MIN_TRIALS`] values on
/// either side, or where a median of zero leaves no ratio.
pub fn ratio_interval(
    numerator: &[Observation],
    denominator: &[Observation],
    seed: u64,
) -> Option<Interval> {
    if numerator.len() < MIN_TRIALS || denominator.len() < MIN_TRIALS {
        return None;
    }
    let all = numerator.iter().chain(denominator);
    let rounds: BTreeSet<u32> = all.map(|seen| seen.round).collect();
    let block: BTreeMap<u32, usize> = rounds.into_iter().zip(0..).collect();
    let by_round = |seen: &Observation| (seen.value, block[&seen.round]);
    let over = Sample::new(numerator.iter().map(by_round));
    let under = Sample::new(denominator.iter().map(by_round));
    percentile_interval(seed, &[block.len()], |times| {
        // A resample without any trial on one side has no ratio and is left out.
        let ratio = over.median(times)? / under.median(times)?;
        ratio.is_finite().then_some(ratio)
    })
}

/// Interval of the ratio of two medians whose samples have nothing in common, each resampled by itself; `None` with
/// fewer than [`MIN_TRIALS`] values on either side, or where a median of zero leaves no ratio.
pub fn unpaired_ratio_interval(
    numerator: &[f64],
    denominator: &[f64],
    seed: u64,
) -> Option<Interval> {
    if numerator.len() < MIN_TRIALS || denominator.len() < MIN_TRIALS {
        return None;
    }
    let over = Sample::new(numerator.iter().copied().zip(0..));
    let under = Sample::new(denominator.iter().copied().zip(numerator.len()..));
    let strata = [numerator.len(), denominator.len()];
    percentile_interval(seed, &strata, |times| {
        quotient(over.median(times)?, under.median(times)?)
    })
}

/// Ratio of two figures that may both be nothing, which is as much as before; `None` for something over nothing.
pub(super) fn quotient(over: f64, under: f64) -> Option<f64> {
    let ratio = if over == under { 1.0 } else { over / under };
    ratio.is_finite().then_some(ratio)
}

/// Values in ascending order, each with the block it is drawn with.
struct Sample(Vec<(f64, usize)>);

impl Sample {
    fn new(values: impl Iterator<Item = (f64, usize)>) -> Self {
        let mut sorted: Vec<(f64, usize)> = values.collect();
        sorted.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        Self(sorted)
    }

    /// Median when each block was drawn so many times; `None` when no value was drawn.
    fn median(&self, times: &[u32]) -> Option<f64> {
        let drawn: u32 = self.0.iter().map(|(_, block)| times[*block]).sum();
        // Places of the middle two; the same place twice when their number is odd.
        let (lower, upper) = (drawn.checked_sub(1)? / 2, drawn / 2);
        let mut passed = 0;
        let mut low = None;
        for &(value, block) in &self.0 {
            passed += times[block];
            if passed > lower {
                let low = *low.get_or_insert(value);
                if passed > upper {
                    return Some(low + 0.5 * (value - low));
                }
            }
        }
        None
    }
}

/// The central [`CONFIDENCE`] share of a statistic over [`RESAMPLES`] resamples, each told how many times it drew each
/// block. Blocks are numbered through, and of every stratum as many are drawn as it has.
fn percentile_interval(
    seed: u64,
    strata: &[usize],
    statistic: impl Fn(&[u32]) -> Option<f64> + Sync,
) -> Option<Interval> {
    let mut found: Vec<f64> = (0..RESAMPLES)
        .into_par_iter()
        .map_init(
            || vec![0; strata.iter().sum()],
            |times, resample| {
                times.fill(0);
                let mut draws = Draws::new(seed, resample);
                let mut first = 0;
                for &blocks in strata {
                    for _ in 0..blocks {
                        times[first + draws.below(blocks)] += 1;
                    }
                    first += blocks;
                }
                statistic(times)
            },
        )
        .flatten_iter()
        .collect();
    found.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Some(Interval {
        low: quantile_of_sorted(&found, tail)?,
        high: quantile_of_sorted(&found, 1.0 - tail)?,
    })
}

/// The random draws of one resample: a function of the seed and the resample's number alone, so that it does not matter
/// which thread makes it.
struct Draws {
    seed: u64,
    drawn: u64,
}

impl Draws {
    fn new(seed: u64, resample: u64) -> Self {
        // Each resample starts at a scrambled place of the cycle; neighbours would otherwise share draws.
        Draws {
            seed: splitmix64(splitmix64(seed, 0) ^ resample, 0),
            drawn: 0,
        }
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        splitmix64(self.seed, self.drawn - 1)
    }

    /// A number below `bound`, by the high half of a product (Lemire, 2019); its bias is below `bound` in 2⁶⁴.
    fn below(&mut self, bound: usize) -> usize {
        let product = u128::from(self.draw()) * bound as u128;
        usize::try_from(product >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 20_261_121;

    fn close(found: Interval, low: f64, high: f64, tolerance: f64) {
        assert!(
            (found.low - low).abs() <= tolerance && (found.high - high).abs() <= tolerance,
            "{found:?} is not [{low}, {high}]"
        );
    }

    fn observations(values: &[f64]) -> Vec<Observation> {
        (0..)
            .zip(values)
            .map(|(round, &value)| Observation { round, value })
            .collect()
    }

    #[test]
    fn two_values_have_no_interval() {
        assert_eq!(median_interval(&[1.0, 2.0], SEED), None);
        assert_eq!(
            ratio_interval(&observations(&[1.0]), &observations(&[1.0]), SEED),
            None
        );
    }

    #[test]
    fn the_interval_of_a_median_agrees_with_scipy() {
        // scipy.stats.bootstrap((x,), numpy.median, n_resamples=1_000_000, method="percentile",
        //     rng=numpy.random.default_rng(1)).confidence_interval
        let sample = [41.2, 39.8, 40.1, 44.9, 40.7, 39.1, 42.3, 40.4, 41.9];
        let found = median_interval(&sample, SEED).expect("enough values");
        close(found, 39.8, 42.3, 1e-9);
    }

    #[test]
    fn the_interval_of_a_ratio_agrees_with_scipy() {
        // scipy.stats.bootstrap((x, y), lambda a, b, axis=-1: numpy.median(a, axis=axis) / numpy.median(b, axis=axis),
        //     paired=True, n_resamples=1_000_000, method="percentile", vectorized=True,
        //     rng=numpy.random.default_rng(1)).confidence_interval
        let numerator = observations(&[88.1, 90.3, 87.2, 95.0, 89.9, 86.4, 91.7]);
        let denominator = observations(&[41.2, 39.8, 40.1, 44.9, 40.7, 39.1, 42.3]);
        let found = ratio_interval(&numerator, &denominator, SEED).expect("enough values");
        close(found, 2.138_349_5, 2.268_844_2, 2e-3);
    }

    #[test]
    fn a_drift_shared_by_a_round_cancels() {
        let drift = [1.0, 1.4, 0.8, 1.9, 1.2, 0.7, 1.6];
        let control = observations(&drift.map(|mood| 40.0 * mood));
        let model = observations(&drift.map(|mood| 80.0 * mood));
        let found = ratio_interval(&model, &control, SEED).expect("enough values");
        close(found, 2.0, 2.0, 1e-12);
    }

    #[test]
    fn the_interval_of_an_unpaired_ratio_agrees_with_every_possible_resample() {
        // The median of n draws is the k-th of n values with the chance that a binomial (n, k/n) reaches (n + 1)/2, less
        // the same for k − 1; the ends are the quantiles of all 35 quotients, each as likely as its two medians together.
        let numerator = [88.1, 90.3, 87.2, 95.0, 89.9, 86.4, 91.7];
        let denominator = [41.2, 39.8, 40.1, 44.9, 40.7];
        let found = unpaired_ratio_interval(&numerator, &denominator, SEED).expect("enough values");
        close(found, 89.9 / 44.9, 91.7 / 40.1, 1e-12);
        assert_eq!(
            unpaired_ratio_interval(&numerator, &denominator[..2], SEED),
            None
        );
    }

    #[test]
    fn between_unpaired_samples_a_drift_does_not_cancel() {
        let drift = [1.0, 1.4, 0.8, 1.9, 1.2, 0.7, 1.6];
        let (base, candidate) = (drift.map(|mood| 40.0 * mood), drift.map(|mood| 80.0 * mood));
        let found = unpaired_ratio_interval(&candidate, &base, SEED).expect("enough values");
        assert!(found.low < 1.5 && found.high > 2.5, "{found:?}");
    }

    #[test]
    fn rounds_that_miss_one_side_still_count() {
        let control = observations(&[40.0, 41.0, 42.0, 43.0, 44.0]);
        let found = ratio_interval(&control[..3], &control[1..], SEED).expect("enough values");
        assert!(found.low < found.high && found.high <= 42.0 / 41.0);
    }

    #[test]
    fn the_number_of_threads_does_not_change_a_bit() {
        let sample = [41.2, 39.8, 40.1, 44.9, 40.7, 39.1];
        let with = |threads| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a pool")
                .install(|| median_interval(&sample, SEED))
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn few_trials_bound_the_coverage() {
        assert_eq!(coverage_bound(3), 0.75);
        assert_eq!(coverage_bound(5), 0.9375);
        assert_eq!(coverage_bound(0), 0.0);
    }
}
