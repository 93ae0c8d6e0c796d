//! What a change comes to.

use crate::analysis::bootstrap::MIN_TRIALS;
use crate::analysis::{comparison, rank};

use super::{Change, Verdict};

/// Largest p-value of a difference.
const SIGNIFICANCE: f64 = 0.05;

/// The tests of one figure, each with its verdict: the family of Holm's correction.
pub(super) fn on_family(mut family: Vec<Change<'_>>) -> Vec<Change<'_>> {
    let p_values: Vec<f64> = family.iter().map(|one| one.p).collect();
    let sizes = family
        .iter()
        .map(|one| (one.base.trials, one.candidate.trials));
    let least = rank::least_holm(sizes);
    let corrected = rank::holm(&p_values).into_iter().zip(least);
    for (one, (p_holm, least)) in family.iter_mut().zip(corrected) {
        one.p_holm = p_holm;
        one.verdict = one.judge(least);
    }
    family
}

impl Change<'_> {
    /// How far from equal beyond what is shared, as a factor above 1.
    pub(super) fn factor(&self) -> f64 {
        self.ratio.map_or(f64::INFINITY, |ratio| {
            comparison::factor(ratio.value / self.shared)
        })
    }

    /// What it comes to, where the corrected p-value could have come down to `least_p_holm`.
    fn judge(&self, least_p_holm: f64) -> Verdict {
        if self.base.trials.min(self.candidate.trials) < MIN_TRIALS {
            return Verdict::TooFew;
        }
        if !self.leaves_out_equality() || self.is_within_floor() || !self.is_clear(least_p_holm) {
            return Verdict::Same;
        }
        let is_smaller = self.candidate.median / self.shared < self.base.median;
        match is_smaller == self.metric.smaller_is_better() {
            true => Verdict::Better,
            false => Verdict::Worse,
        }
    }

    /// Something after nothing has no ratio: there, no value of one run may reach into the other's.
    fn leaves_out_equality(&self) -> bool {
        match self.ratio {
            None => self.delta.abs() >= 1.0,
            Some(ratio) => ratio
                .interval
                .is_some_and(|bounds| !bounds.contains(self.shared)),
        }
    }

    fn is_within_floor(&self) -> bool {
        self.floor.is_some_and(|floor| self.factor() <= floor)
    }

    /// Whether the order of the values tells the runs apart, where they are enough for that. Three against three fall
    /// into order by chance once in ten times: there, all of the interval has to be beyond the floor.
    fn is_clear(&self, least_p_holm: f64) -> bool {
        let least_p = rank::smallest_p(self.base.trials, self.candidate.trials);
        match () {
            () if least_p_holm < SIGNIFICANCE => self.p_holm < SIGNIFICANCE,
            () if least_p < SIGNIFICANCE => true,
            () => self.is_beyond_floor_throughout(),
        }
    }

    fn is_beyond_floor_throughout(&self) -> bool {
        let floor = self.floor.unwrap_or(1.0);
        let bounds = self.ratio.and_then(|ratio| ratio.interval);
        // Something after nothing is beyond any factor.
        bounds.is_none_or(|bounds| {
            bounds.low > floor * self.shared || bounds.high < self.shared / floor
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::pair::{ratio, shown};
    use super::super::{Metric, Shown};
    use super::*;
    use crate::analysis::bootstrap::{Estimate, Interval};

    /// Five trials against five, the interval a tenth of the ratio to either side, the p-values as given.
    fn change(ratio: f64, floor: f64, p: f64, p_holm: f64) -> Change<'static> {
        let shown = |median| Shown { median, trials: 5 };
        Change {
            experiment: "churn",
            level: "64 clients",
            model: "tokio",
            metric: Metric::CpuUsPerRequest,
            base: shown(40.0),
            candidate: shown(40.0 * ratio),
            ratio: Some(Estimate {
                value: ratio,
                interval: Some(Interval {
                    low: 0.9 * ratio,
                    high: 1.1 * ratio,
                }),
            }),
            shared: 1.0,
            delta: 1.0,
            p,
            p_holm,
            floor: Some(floor),
            verdict: Verdict::Same,
        }
    }

    #[test]
    fn a_difference_beyond_interval_floor_and_chance_has_a_direction() {
        let reach = 0.01;
        assert_eq!(change(1.5, 1.05, 0.008, 0.02).judge(reach), Verdict::Worse);
        assert_eq!(change(0.5, 1.05, 0.008, 0.02).judge(reach), Verdict::Better);
        let more = Change {
            metric: Metric::GoodPerS,
            ..change(1.5, 1.05, 0.008, 0.02)
        };
        assert_eq!(more.judge(reach), Verdict::Better);
    }

    #[test]
    fn one_of_them_alone_keeps_it_the_same() {
        let reach = 0.01;
        assert_eq!(change(1.08, 1.05, 0.008, 0.02).judge(reach), Verdict::Same);
        assert_eq!(change(1.5, 1.6, 0.008, 0.02).judge(reach), Verdict::Same);
        assert_eq!(change(1.5, 1.05, 0.008, 0.06).judge(reach), Verdict::Same);
    }

    #[test]
    fn where_the_correction_is_out_of_reach_interval_and_floor_decide() {
        let reach = 0.3;
        assert_eq!(change(1.5, 1.05, 0.008, 0.3).judge(reach), Verdict::Worse);
        assert_eq!(change(1.2, 1.15, 0.008, 0.3).judge(reach), Verdict::Worse);
    }

    #[test]
    fn three_against_three_differ_only_if_all_of_the_interval_is_beyond_the_floor() {
        let three = |ratio, floor| {
            let mut three = change(ratio, floor, 0.1, 1.0);
            (three.base.trials, three.candidate.trials) = (3, 3);
            three.judge(1.0)
        };
        assert_eq!(three(1.5, 1.05), Verdict::Worse);
        assert_eq!(three(0.5, 1.05), Verdict::Better);
        assert_eq!(three(1.2, 1.15), Verdict::Same);
    }

    #[test]
    fn what_all_models_share_is_no_difference_of_one() {
        let reach = 0.01;
        let of = |shared| {
            let one = Change {
                shared,
                ..change(1.5, 1.05, 0.008, 0.02)
            };
            one.judge(reach)
        };
        assert_eq!(of(1.45), Verdict::Same);
        assert_eq!(of(1.2), Verdict::Worse);
        assert_eq!(of(2.0), Verdict::Better);
    }

    #[test]
    fn two_trials_prove_nothing() {
        let mut two = change(5.0, 1.05, 0.1, 0.1);
        two.candidate.trials = 2;
        assert_eq!(two.judge(0.1), Verdict::TooFew);
    }

    #[test]
    fn nothing_after_nothing_is_the_same_and_something_is_not() {
        let of = |base: [f64; 5], candidate: [f64; 5]| Change {
            base: shown(&base).expect("values"),
            candidate: shown(&candidate).expect("values"),
            ratio: ratio(&candidate, &base, 7),
            delta: rank::cliffs_delta(&candidate, &base).expect("values"),
            floor: None,
            ..change(1.0, 1.0, 0.008, 0.02)
        };
        let nothing = [0.0; 5];
        assert_eq!(of(nothing, nothing).judge(0.01), Verdict::Same);
        assert_eq!(
            of([0.0, 0.0, 0.0, 0.0, 9.0], nothing).judge(0.01),
            Verdict::Same
        );
        assert_eq!(
            of(nothing, [1.0, 2.0, 3.0, 2.0, 1.0]).judge(0.01),
            Verdict::Worse
        );
        assert_eq!(
            of(nothing, [0.0, 2.0, 3.0, 2.0, 1.0]).judge(0.01),
            Verdict::Same
        );
    }
}
