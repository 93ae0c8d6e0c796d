//! Whether the server was in a steady state while it was measured: its response times in order of time show no trend.

use hdrhistogram::Histogram;

use super::check;
use crate::histograms::percentile_ns;
use crate::strips::STRIPS;
use crate::summary::{Check, CheckName};
use crate::trend::{median, trend};

/// Largest probability of a trend by chance: one in a hundred runs, divided between the two series (Bonferroni).
///
/// No allowance is made for neighbouring strips that resemble each other. What is known of it (Yue and Wang 2004) takes a
/// server that warms up for noise just as well, and then the check finds nothing; [`CHANGE_LEAST`] does that work.
const P_MOST: f64 = 0.01 / 2.0;

/// Smallest change over the whole window, as a share of the series' median, that spoils a measurement: a long run can show
/// any drift to be real, and a small one to be harmless.
const CHANGE_LEAST: f64 = 0.1;

/// Names of the series, with their permilles.
const SERIES: [(&str, u64); 2] = [("median", 500), ("99th percentile", 990)];

/// Judges the strips of a run; `stopped` when it ended early.
pub(super) fn steady_state(strips: &[Histogram<u64>], stopped: bool) -> Check {
    let not_applied = |why: &str| check(CheckName::SteadyState, true, format!("not judged: {why}"));
    if stopped {
        return not_applied("the run was stopped early");
    }
    if strips.is_empty() {
        return not_applied("the window is shorter than 2 s or ended by a count");
    }
    let drifts: Vec<Drift> = SERIES
        .iter()
        .filter_map(|&(name, permille)| Drift::of(name, &series(strips, permille)?))
        .collect();
    if drifts.is_empty() {
        return not_applied(&format!(
            "one of {STRIPS} parts of the window holds too few answers for a median"
        ));
    }
    let moved: Vec<String> = drifts.iter().map(Drift::to_string).collect();
    let steady = !drifts.iter().any(Drift::is_real);
    let verdict = if steady { "no trend" } else { "NOT STEADY" };
    check(
        CheckName::SteadyState,
        steady,
        format!("{verdict}: over the window {}", moved.join(", ")),
    )
}

/// One percentile of every strip, in nanoseconds; `None` where a strip does not support it.
#[allow(clippy::cast_precision_loss)] // at most a minute of nanoseconds
fn series(strips: &[Histogram<u64>], permille: u64) -> Option<Vec<f64>> {
    strips
        .iter()
        .map(|strip| percentile_ns(strip, permille).map(|ns| ns as f64))
        .collect()
}

/// How a figure moved over the window.
#[derive(Debug)]
struct Drift {
    name: &'static str,
    /// Change from the first strip to the last, as a share of the median.
    change: f64,
    p: f64,
}

impl Drift {
    #[allow(clippy::cast_precision_loss)] // as many values as strips
    fn of(name: &'static str, values: &[f64]) -> Option<Self> {
        let trend = trend(values)?;
        let steps = (values.len() - 1) as f64;
        let middle = median(&mut values.to_vec());
        Some(Self {
            name,
            change: trend.slope * steps / middle,
            p: trend.p,
        })
    }

    fn is_real(&self) -> bool {
        self.p < P_MOST && self.change.abs() > CHANGE_LEAST
    }
}

impl std::fmt::Display for Drift {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, change, p } = self;
        let percent = change * 100.0;
        if *p < 0.001 {
            write!(formatter, "the {name} moved by {percent:+.0} % (p < 0.001)")
        } else {
            write!(
                formatter,
                "the {name} moved by {percent:+.0} % (p = {p:.3})"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::splitmix64;

    /// Strips of `answers` each; `level_us` gives the typical response of a strip by its place, 0…1, and every answer is
    /// up to a half off, every strip as a whole `unrest` (standard deviation, roughly normal).
    fn strips(
        seed: u64,
        answers: u64,
        unrest: f64,
        level_us: impl Fn(f64) -> f64,
    ) -> Vec<Histogram<u64>> {
        let mut count = 0;
        let mut uniform = || {
            count += 1;
            f64::from(u32::try_from(splitmix64(seed, count) >> 32).unwrap()) / 4_294_967_296.0
        };
        (0..STRIPS)
            .map(|strip| {
                let mut histogram = Histogram::new(2).unwrap();
                #[allow(clippy::cast_precision_loss)] // twenty
                let place = strip as f64 / (STRIPS - 1) as f64;
                // A sum of twelve uniform numbers has variance one (Irwin and Hall).
                let shift: f64 = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
                for _ in 0..answers {
                    let us = level_us(place) * (1.0 + unrest * shift) * (0.5 + uniform());
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positive
                    histogram.record((us * 1e3).max(1.0) as u64).unwrap();
                }
                histogram
            })
            .collect()
    }

    fn steady_share(runs: u64, answers: u64, unrest: f64) -> f64 {
        let steady = (0..runs)
            .filter(|&seed| steady_state(&strips(seed, answers, unrest, |_| 200.0), false).ok)
            .count();
        f64::from(u32::try_from(steady).unwrap()) / f64::from(u32::try_from(runs).unwrap())
    }

    #[test]
    fn a_steady_server_is_called_steady_in_99_of_100_runs() {
        // From a thousand answers on, the 99th percentile is judged as well.
        for (runs, answers, unrest) in [(1_000, 20, 0.0), (1_000, 50, 0.1), (200, 1_000, 0.1)] {
            let share = steady_share(runs, answers, unrest);
            assert!(share >= 0.99, "{share} with {answers} answers, {unrest}");
        }
    }

    #[test]
    fn a_server_that_warms_up_is_not_called_steady() {
        // Twice as slow at first, settling within a quarter of the window.
        for seed in 0..100 {
            let warming = strips(seed, 500, 0.03, |place| {
                200.0 * (1.0 + (-place * 4.0).exp())
            });
            let check = steady_state(&warming, false);
            assert!(!check.ok, "{}", check.detail);
            assert!(
                check
                    .detail
                    .starts_with("NOT STEADY: over the window the median moved by -"),
                "{}",
                check.detail
            );
        }
    }

    #[test]
    fn a_tail_that_grows_under_a_steady_median_is_found() {
        let growing: Vec<Histogram<u64>> = (0..STRIPS as u64)
            .map(|strip| {
                let mut histogram = Histogram::new(2).unwrap();
                histogram.record_n(200_000, 1_900).unwrap();
                histogram.record_n(1_000_000 + 50_000 * strip, 100).unwrap();
                histogram
            })
            .collect();
        let check = steady_state(&growing, false);
        assert!(!check.ok);
        assert!(check.detail.contains("99th percentile moved by +"));
    }

    #[test]
    fn a_drift_that_is_sure_but_small_spoils_nothing() {
        let creeping = strips(1, 2_000, 0.0, |place| 200.0 * (1.0 + 0.05 * place));
        let check = steady_state(&creeping, false);
        assert!(check.ok, "{}", check.detail);
        assert!(check.detail.contains("p < 0.001"), "{}", check.detail);
    }

    #[test]
    fn what_cannot_be_judged_says_so() {
        let scarce = strips(1, 19, 0.0, |_| 200.0);
        for (check, why) in [
            (steady_state(&scarce, false), "too few answers"),
            (steady_state(&[], false), "shorter than 2 s"),
            (steady_state(&scarce, true), "stopped early"),
        ] {
            assert!(check.ok && check.detail.contains(why), "{}", check.detail);
        }
    }
}
