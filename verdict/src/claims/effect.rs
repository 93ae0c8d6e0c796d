//! How large an effect is, how sure one can be of it, and what a rule makes of that.
//!
//! **A quotient** has the bootstrap interval that reports print, and a noise floor besides. **A figure by itself** has no
//! floor to lean on, and the bootstrap interval of a median alone is too short: of seven trials it leaves the truth out
//! in about one experiment of ten. It gets the interval between order statistics instead, which keeps its word whatever
//! the distribution (Thompson, "On confidence ranges for the median", 1936).

use std::collections::BTreeMap;

use serde::Serialize;

use super::evidence::{Gap, Sample};
use super::rule::Expect;
use crate::analysis::bootstrap::{CONFIDENCE, Interval, ratio_interval};
use crate::analysis::sample::{Observation, median, values};

/// Fewest ranked trials behind a verdict: with five, all of them lie on the wrong side of a threshold by chance in 3 % of
/// experiments; with four, in 6 %.
pub const TRIALS_MIN: usize = 5;

/// A quotient or a figure, with its interval and with the noise floor around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// The effect.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end of its 95 % interval; infinite where the figure is a lower bound.
    pub high: f64,
    /// How far the noise floor reaches below and above the value; equal to it where there is no A/A control.
    pub noise: (f64, f64),
    /// Trials behind it: of the side that has fewer.
    pub trials: usize,
    /// Whether a lower bound went into it.
    pub is_bound: bool,
}

/// What a test comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The effect is on the claimed side.
    Holds,
    /// It is on the other side.
    Fails,
    /// It cannot be told apart from noise.
    Noise,
    /// A lower bound leaves open on which side it is.
    Bound,
}

impl Effect {
    /// The figure by itself: median over trials.
    ///
    /// # Errors
    /// Why there is no interval.
    pub fn of_figure(sample: &Sample) -> Result<Self, Gap> {
        Self::of_values(values(&sample.observations))
            .map(|effect| effect.bounded(sample.is_lower_bound, false))
    }

    /// Quotient of two medians, whole rounds resampled together; a difference below `floor`, a factor above 1, is noise.
    ///
    /// # Errors
    /// Why there is no interval.
    pub fn of_ratio(
        over: &Sample,
        under: &Sample,
        floor: Option<f64>,
        seed: u64,
    ) -> Result<Self, Gap> {
        let trials = over.observations.len().min(under.observations.len());
        let medians = [over, under].map(|sample| median(&values(&sample.observations)));
        let [Some(numerator), Some(denominator)] = medians else {
            return Err(too_few(trials));
        };
        if denominator <= 0.0 {
            return Err(Gap::NothingToDivideBy);
        }
        let interval = ratio_interval(&over.observations, &under.observations, seed);
        let Interval { low, high } = interval.ok_or(too_few(trials))?;
        let value = numerator / denominator;
        let factor = floor.unwrap_or(1.0);
        let effect = Effect {
            value,
            low,
            high,
            noise: (value / factor, value * factor),
            trials,
            is_bound: false,
        };
        Ok(effect.bounded(over.is_lower_bound, under.is_lower_bound))
    }

    /// What a model adds to a control, as a share of what another adds to it: round by round, so that what the machine
    /// did in a round cancels.
    ///
    /// The floor is how much the control differs from itself: additions below that share of it are noise.
    ///
    /// # Errors
    /// Why there is no interval.
    pub fn of_additions(
        [model, other, control]: [&Sample; 3],
        floor: Option<f64>,
    ) -> Result<Self, Gap> {
        let [model, other, control] = [model, other, control].map(by_round);
        let mut shares = Vec::new();
        let mut noises = Vec::new();
        for (round, nothing) in &control {
            let (Some(added), Some(whole)) = (model.get(round), other.get(round)) else {
                continue;
            };
            if whole <= nothing {
                return Err(Gap::NothingToDivideBy);
            }
            shares.push((added - nothing) / (whole - nothing));
            noises.push((floor.unwrap_or(1.0) - 1.0) * nothing / (whole - nothing));
        }
        let effect = Self::of_values(shares)?;
        let noise = median(&noises).unwrap_or(0.0);
        Ok(Effect {
            noise: (effect.value - noise, effect.value + noise),
            ..effect
        })
    }

    /// A number that was counted, not measured: without noise.
    pub fn counted(value: f64) -> Self {
        Effect {
            value,
            low: value,
            high: value,
            noise: (value, value),
            trials: 1,
            is_bound: false,
        }
    }

    fn of_values(mut values: Vec<f64>) -> Result<Self, Gap> {
        let trials = values.len();
        values.sort_unstable_by(f64::total_cmp);
        let interval = median_bounds(&values);
        let (Some(value), Some(Interval { low, high })) = (median(&values), interval) else {
            return Err(too_few(trials));
        };
        Ok(Effect {
            value,
            low,
            high,
            noise: (value, value),
            trials,
            is_bound: false,
        })
    }

    /// A numerator that is a lower bound says nothing about the upper end, a denominator nothing about the lower.
    fn bounded(self, numerator: bool, denominator: bool) -> Self {
        Effect {
            low: if denominator { 0.0 } else { self.low },
            high: if numerator { f64::INFINITY } else { self.high },
            is_bound: numerator || denominator,
            ..self
        }
    }

    /// What `expect` makes of it: the whole interval has to be on one side, and so has the noise floor around the value.
    pub fn outcome(&self, expect: Expect) -> Outcome {
        let (low, high) = (self.low.min(self.noise.0), self.high.max(self.noise.1));
        let (holds, fails) = match expect {
            Expect::MoreThan(least) => (low > least, high < least),
            Expect::LessThan(most) => (high < most, low > most),
            Expect::Between(least, most) => {
                (least < low && high < most, high < least || most < low)
            }
        };
        match (holds, fails, self.is_bound) {
            (true, _, _) => Outcome::Holds,
            (_, true, _) => Outcome::Fails,
            (_, _, true) => Outcome::Bound,
            (_, _, false) => Outcome::Noise,
        }
    }
}

/// The order statistics that the median lies between at [`CONFIDENCE`], of values in ascending order: the tightest pair
/// for which the binomial chance of a median outside is small enough, or the ends. `None` with too few trials.
fn median_bounds(sorted: &[f64]) -> Option<Interval> {
    let trials = sorted.len();
    if trials < TRIALS_MIN {
        return None;
    }
    // Chance that exactly so many values lie below the median, and that as many or fewer do.
    let mut exactly = 0.5f64.powf(trials as f64);
    let mut at_most = exactly;
    let mut left_out = 0;
    loop {
        exactly *= (trials - left_out) as f64 / (left_out + 1) as f64;
        at_most += exactly;
        if at_most > (1.0 - CONFIDENCE) / 2.0 {
            break;
        }
        left_out += 1;
    }
    Some(Interval {
        low: sorted[left_out],
        high: sorted[trials - 1 - left_out],
    })
}

fn too_few(trials: usize) -> Gap {
    Gap::TooFewTrials {
        trials,
        needed: TRIALS_MIN,
    }
}

fn by_round(sample: &Sample) -> BTreeMap<u32, f64> {
    let pair = |seen: &Observation| (seen.round, seen.value);
    sample.observations.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(value: f64, low: f64, high: f64, floor: f64) -> Effect {
        Effect {
            value,
            low,
            high,
            noise: (value / floor, value * floor),
            trials: 7,
            is_bound: false,
        }
    }

    fn sample(values: &[f64]) -> Sample {
        Sample {
            observations: (0..)
                .zip(values)
                .map(|(round, &value)| Observation { round, value })
                .collect(),
            is_lower_bound: false,
        }
    }

    #[test]
    fn the_whole_interval_decides() {
        let expect = Expect::MoreThan(2.0);
        assert_eq!(effect(3.0, 2.1, 4.0, 1.0).outcome(expect), Outcome::Holds);
        assert_eq!(effect(3.0, 1.9, 4.0, 1.0).outcome(expect), Outcome::Noise);
        assert_eq!(effect(1.5, 1.0, 1.9, 1.0).outcome(expect), Outcome::Fails);
    }

    #[test]
    fn an_effect_within_the_noise_floor_of_the_threshold_is_noise() {
        assert_eq!(
            effect(1.04, 1.02, 1.06, 1.05).outcome(Expect::MoreThan(1.0)),
            Outcome::Noise
        );
        assert_eq!(
            effect(0.97, 0.96, 0.98, 1.05).outcome(Expect::LessThan(1.0)),
            Outcome::Noise
        );
    }

    #[test]
    fn equal_is_shown_and_not_assumed() {
        let expect = Expect::Between(0.8, 1.25);
        assert_eq!(effect(1.0, 0.9, 1.1, 1.1).outcome(expect), Outcome::Holds);
        assert_eq!(effect(1.0, 0.7, 1.4, 1.0).outcome(expect), Outcome::Noise);
        assert_eq!(effect(1.0, 0.9, 1.1, 1.3).outcome(expect), Outcome::Noise);
        assert_eq!(effect(2.0, 1.8, 2.2, 1.1).outcome(expect), Outcome::Fails);
    }

    #[test]
    fn the_bounds_of_a_median_are_those_of_the_tables() {
        // Conover, "Practical Nonparametric Statistics": the ranks of the binomial at 95 %.
        for (trials, low, high) in [
            (5, 1, 5),
            (6, 1, 6),
            (8, 1, 8),
            (9, 2, 8),
            (15, 4, 12),
            (20, 6, 15),
        ] {
            let values: Vec<f64> = (1..=trials).map(f64::from).collect();
            let Interval {
                low: from,
                high: to,
            } = median_bounds(&values).expect("trials enough");
            assert_eq!((from, to), (f64::from(low), f64::from(high)), "{trials}");
        }
        assert_eq!(median_bounds(&[1.0; 4]), None);
    }

    #[test]
    fn a_lower_bound_shows_more_and_never_less() {
        let mut bound = sample(&[100.0; 7]);
        bound.is_lower_bound = true;
        let figure = Effect::of_figure(&bound).expect("an interval");
        assert_eq!(figure.outcome(Expect::MoreThan(50.0)), Outcome::Holds);
        assert_eq!(figure.outcome(Expect::MoreThan(150.0)), Outcome::Bound);
        assert_eq!(figure.outcome(Expect::LessThan(150.0)), Outcome::Bound);
        let ratio = Effect::of_ratio(&sample(&[10.0; 7]), &bound, None, 1).expect("an interval");
        assert_eq!(ratio.outcome(Expect::LessThan(0.5)), Outcome::Holds);
        assert_eq!(ratio.outcome(Expect::MoreThan(0.05)), Outcome::Bound);
    }

    #[test]
    fn additions_are_shares_of_what_the_other_adds() {
        let [model, other, control] = [21.0, 30.0, 20.0].map(|value| sample(&[value; 7]));
        let effect =
            Effect::of_additions([&model, &other, &control], Some(1.05)).expect("an interval");
        assert!((effect.value - 0.1).abs() < 1e-12);
        // Five per cent of the control is as much as the model adds.
        assert!(effect.noise.0.abs() < 1e-12 && (effect.noise.1 - 0.2).abs() < 1e-12);
        let nothing = Effect::of_additions([&model, &control, &control], None);
        assert_eq!(nothing, Err(Gap::NothingToDivideBy));
    }

    #[test]
    fn a_rate_of_zero_can_be_divided_but_not_divide() {
        let (none, some) = (sample(&[0.0; 7]), sample(&[9.0; 7]));
        let effect = Effect::of_ratio(&none, &some, Some(1.1), 1).expect("an interval");
        assert_eq!(effect.outcome(Expect::LessThan(0.5)), Outcome::Holds);
        assert_eq!(
            Effect::of_ratio(&some, &none, None, 1),
            Err(Gap::NothingToDivideBy)
        );
    }
}
