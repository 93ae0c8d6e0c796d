//! A summary of ratios that several machines measured: random effects.
//!
//! Machines differ: each has a true ratio of its own, and the logarithms of the true ratios scatter around a common
//! mean with the standard deviation τ. So the summary does not say what every machine would measure. The mean is one
//! figure, τ is another, and the prediction interval says where the true ratio of one more machine would lie.
//!
//! - **τ** is Paule and Mandel's: the one at which the weighted squares of the deviations are as large as expected
//!   ("Consensus values and weighting factors", 1982). DerSimonian and Laird's formula finds too little where machines
//!   differ much (Veroniki et al., "Methods to estimate the between-study variance", 2016).
//! - **The interval** is Hartung and Knapp's, and Sidik and Jonkman's: Student's, from the weighted deviations (Hartung &
//!   Knapp, "A refined method for the meta-analysis of controlled clinical trials with binary outcome", 2001). It is
//!   never narrower than if the machines did not differ (Röver, Knapp & Friede, "Hartung-Knapp-Sidik-Jonkman approach and
//!   its modification", 2015).
//! - **The prediction interval** is that of Higgins, Thompson & Spiegelhalter, "A re-evaluation of random-effects
//!   meta-analysis" (2009).

use hola_lab::metric::Scale;

use crate::estimate::{Estimate, shown};
use crate::statistics::{count, reach, standard_deviation};

/// Minimum number of machines for a summary: two leave no degree of freedom for a prediction.
pub const MACHINES_MIN: usize = 3;

/// Least standard error of a log ratio. A machine whose blocks are all the same would otherwise have infinite weight;
/// no clock is exact to a millionth.
const ERROR_MIN: f64 = 1e-6;

/// Steps of the search for τ². Each halves the interval, so these reach the precision of the type.
const STEPS: usize = 100;

/// The summary of one ratio over several machines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomEffects {
    /// The ratio of the mean machine, with its interval; its `blocks` are machines.
    pub mean: Estimate,
    /// Standard deviation of the machines' true log ratios.
    pub tau: f64,
    /// The true ratio of one more machine lies between these two, with 95 % confidence.
    pub prediction: (f64, f64),
}

impl RandomEffects {
    /// Summarises finite log ratios, each with its standard error. `None` with fewer than [`MACHINES_MIN`].
    pub fn new(machines: &[(f64, f64)]) -> Option<Self> {
        if machines.len() < MACHINES_MIN {
            return None;
        }
        let tau_squared = paule_mandel(machines)?;
        let weighted = Weighted::new(machines, tau_squared);
        let freedom = count(machines.len()) - 1.0;
        let standard_error = ((weighted.squares / freedom).max(1.0) / weighted.weight).sqrt();
        let spread = reach(freedom - 1.0) * tau_squared.sqrt().hypot(standard_error);
        let ends = [weighted.mean - spread, weighted.mean + spread];
        let [low, high] = ends.map(|end| shown(end, Scale::Ratio));
        Some(RandomEffects {
            mean: Estimate {
                blocks: u32::try_from(machines.len()).unwrap_or(u32::MAX),
                between_sd: tau_squared.sqrt(),
                ..Estimate::from_mean(weighted.mean, standard_error, freedom, Scale::Ratio)
            },
            tau: tau_squared.sqrt(),
            prediction: (low, high),
        })
    }
}

/// Values weighted by the inverse of their variance.
struct Weighted {
    mean: f64,
    /// Sum of the weights.
    weight: f64,
    /// Weighted sum of the squared deviations from the mean.
    squares: f64,
}

impl Weighted {
    fn new(machines: &[(f64, f64)], tau_squared: f64) -> Self {
        let weight = |error: f64| 1.0 / (error.max(ERROR_MIN).powi(2) + tau_squared);
        let weights = machines.iter().map(|(log, error)| (*log, weight(*error)));
        let total: f64 = weights.clone().map(|(_, weight)| weight).sum();
        let sum: f64 = weights.clone().map(|(log, weight)| log * weight).sum();
        let mean = sum / total;
        let squares = weights.map(|(log, weight)| weight * (log - mean).powi(2));
        Weighted {
            mean,
            weight: total,
            squares: squares.sum(),
        }
    }
}

/// The τ² at which the weighted squares equal their expectation; 0 if they are smaller than that without any. The
/// squares fall as τ² grows, and at the variance of the values they are below their expectation.
fn paule_mandel(machines: &[(f64, f64)]) -> Option<f64> {
    let expected = count(machines.len()) - 1.0;
    let is_too_small = |tau_squared| Weighted::new(machines, tau_squared).squares > expected;
    if !is_too_small(0.0) {
        return Some(0.0);
    }
    let logs: Vec<f64> = machines.iter().map(|(log, _)| *log).collect();
    let (mut low, mut high) = (0.0, standard_deviation(&logs)?.powi(2));
    for _ in 0..STEPS {
        let middle = low + (high - low) / 2.0;
        match is_too_small(middle) {
            true => low = middle,
            false => high = middle,
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use hola_loadgen::schedule::splitmix64;
    use statrs::distribution::{ContinuousCDF, Normal};

    use super::*;
    use crate::statistics::TrimmedMean;

    /// Log risk ratios of thirteen trials, and their variances: `dat.bcg` of R's metafor, the example of its manual.
    const TRIALS: [(f64, f64); 13] = [
        (-0.8893, 0.3256),
        (-1.5854, 0.1946),
        (-1.3481, 0.4154),
        (-1.4416, 0.0200),
        (-0.2175, 0.0512),
        (-0.7861, 0.0069),
        (-1.6209, 0.2230),
        (0.0120, 0.0040),
        (-0.4694, 0.0564),
        (-1.3713, 0.0730),
        (-0.3394, 0.0124),
        (0.4459, 0.5325),
        (-0.0173, 0.0714),
    ];

    #[test]
    fn the_summary_agrees_with_another_implementation() {
        let found = TRIALS.map(|(log, variance)| (log, variance.sqrt()));
        let found = RandomEffects::new(&found).expect("thirteen");
        // statsmodels.stats.meta_analysis.combine_effects(method_re="iterated"), which has Paule and Mandel's τ² and the
        // error of Hartung and Knapp; scipy.stats.t
        for (found, golden) in [
            (found.tau.powi(2), 0.318_082_439_875_046_14),
            (found.mean.value.ln(), -0.714_970_305_440_103_2),
            (found.mean.standard_error, 0.180_894_533_371_485_03),
            (found.mean.low.ln(), -1.109_105_635_566_561_4),
            (found.mean.high.ln(), -0.320_834_975_313_645),
            (found.prediction.0.ln(), -2.018_587_770_223_891),
            (found.prediction.1.ln(), 0.588_647_159_343_684_7),
        ] {
            assert!((found - golden).abs() < 1e-9, "{found} is not {golden}");
        }
    }

    #[test]
    fn machines_that_agree_have_no_spread_and_two_have_no_summary() {
        let same = [(0.5, 0.1); 4];
        let found = RandomEffects::new(&same).expect("four");
        assert_eq!(found.tau, 0.0);
        // As narrow as the machines' own errors allow, and no narrower.
        assert!(
            (found.mean.standard_error - 0.05).abs() < 1e-12,
            "{found:?}"
        );
        assert_eq!(RandomEffects::new(&same[..2]), None);
        let exact = RandomEffects::new(&[(0.5, 0.0); 3]).expect("three");
        assert!((exact.mean.value - 0.5f64.exp()).abs() < 1e-9, "{exact:?}");
    }

    /// A class of machines with known truth.
    struct Truth {
        mean: f64,
        tau: f64,
        /// Standard deviation between the blocks of a machine.
        block_sd: f64,
    }

    impl Truth {
        /// What thirty machines measure, each over five to twelve blocks.
        fn measure(&self, seed: u64) -> Vec<(f64, f64)> {
            let normal = Normal::new(0.0, 1.0).expect("a standard deviation above 0");
            let mut drawn = 0;
            let mut draw = || {
                drawn += 1;
                let share = (splitmix64(seed, drawn) >> 11) as f64 / (1_u64 << 53) as f64;
                normal.inverse_cdf(share.clamp(1e-12, 1.0 - 1e-12))
            };
            let mut machine = |number: usize| {
                let own = self.mean + self.tau * draw();
                let blocks = 5 + number % 8;
                let blocks: Vec<f64> = (0..blocks).map(|_| own + self.block_sd * draw()).collect();
                let found = TrimmedMean::new(&blocks).expect("blocks");
                (found.mean, found.standard_error)
            };
            (0..30).map(&mut machine).collect()
        }

        /// Shares of the classes whose interval holds the mean, and whose prediction holds one more machine.
        fn covered(&self) -> [f64; 2] {
            const CLASSES: u32 = 1_000;
            let (mut means, mut predictions) = (0, 0);
            for class in 0..CLASSES {
                let seed = u64::from(class) << 20;
                let found = RandomEffects::new(&self.measure(seed)).expect("thirty");
                means += u32::from(found.mean.contains(self.mean.exp()));
                // The true ratio of a machine of another class: without noise of its blocks.
                let block_sd = 0.0;
                let truth = Truth { block_sd, ..*self }.measure(seed + (1 << 19))[0].0;
                let (low, high) = found.prediction;
                predictions += u32::from((low..=high).contains(&truth.exp()));
            }
            [means, predictions].map(|found| f64::from(found) / f64::from(CLASSES))
        }
    }

    #[test]
    fn intervals_over_thirty_machines_hold_the_truth_in_93_of_100_classes() {
        for (tau, block_sd) in [(0.0, 0.05), (0.05, 0.05), (0.2, 0.05), (0.1, 0.3)] {
            let truth = Truth {
                mean: 0.4,
                tau,
                block_sd,
            };
            let [mean, prediction] = truth.covered();
            println!("tau {tau}, blocks {block_sd}: {mean}, {prediction}");
            assert!(mean >= 0.93, "tau {tau}, blocks {block_sd}: {mean}");
            assert!(
                prediction >= 0.93,
                "tau {tau}, blocks {block_sd}: {prediction}"
            );
        }
    }
}
