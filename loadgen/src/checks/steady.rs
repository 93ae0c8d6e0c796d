//! Whether the server was in a steady state during the measurement: its response times show no trend over time.

use hdrhistogram::Histogram;

use super::check;
use crate::histograms::percentile_ns;
use crate::summary::{Check, CheckName};
use crate::time_slices::SLICES;
use crate::trend::{median, trend};

/// Significance level of a trend: one false alarm in a hundred runs, divided between the two series (Bonferroni).
///
/// There is no correction for autocorrelation of neighbouring time slices. The known correction (Yue and Wang 2004)
/// also treats the trend of a server that warms up as noise, and the check would miss it. [`CHANGE_MIN`] prevents
/// false alarms instead.
const P_MAX: f64 = 0.01 / 2.0;

/// Smallest change over the whole window, as a share of the series' median, that invalidates a measurement. In a long
/// run any drift is significant, also a small and harmless one.
const CHANGE_MIN: f64 = 0.1;

/// Names of the series, with their permilles.
const SERIES: [(&str, u64); 2] = [("median", 500), ("99th percentile", 990)];

/// Judges the time slices of a run; `stopped` means that the run ended early.
pub(super) fn steady_state(time_slices: &[Histogram<u64>], stopped: bool) -> Check {
    let not_applied = |why: &str| check(CheckName::SteadyState, true, format!("not judged: {why}"));
    if stopped {
        return not_applied("the run was stopped early");
    }
    if time_slices.is_empty() {
        return not_applied("the window is shorter than 2 s or ended by a count");
    }
    let drifts: Vec<Drift> = SERIES
        .iter()
        .filter_map(|&(name, permille)| Drift::new(name, &series(time_slices, permille)?))
        .collect();
    if drifts.is_empty() {
        return not_applied(&format!(
            "one of {SLICES} parts of the window holds too few answers for a median"
        ));
    }
    let moved: Vec<String> = drifts.iter().map(Drift::words).collect();
    let moved = moved.join(", ");
    let steady = !drifts.iter().any(Drift::is_real);
    let verdict = if steady { "no trend" } else { "NOT STEADY" };
    let detail = format!("{verdict}: over the window {moved}");
    check(CheckName::SteadyState, steady, detail)
}

/// One percentile of every slice, in nanoseconds; `None` if a slice does not support it.
#[allow(clippy::cast_precision_loss)] // at most a minute of nanoseconds
fn series(time_slices: &[Histogram<u64>], permille: u64) -> Option<Vec<f64>> {
    time_slices
        .iter()
        .map(|slice| percentile_ns(slice, permille).map(|ns| ns as f64))
        .collect()
}

/// How a figure changed over the window.
#[derive(Debug)]
struct Drift {
    name: &'static str,
    /// Change from the first slice to the last, as a share of the median.
    change: f64,
    p: f64,
}

impl Drift {
    #[allow(clippy::cast_precision_loss)] // as many values as slices
    fn new(name: &'static str, values: &[f64]) -> Option<Self> {
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
        self.p < P_MAX && self.change.abs() > CHANGE_MIN
    }

    fn words(&self) -> String {
        let p = match self.p {
            ..0.001 => "p < 0.001".to_owned(),
            p => format!("p = {p:.3}"),
        };
        let percent = self.change * 100.0;
        format!("the {} moved by {percent:+.0} % ({p})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::splitmix64;

    /// Slices with `answers` samples each. `level_us` gives the typical response of a slice by its position, 0…1. Every
    /// sample varies by up to a half, every slice as a whole by `unrest` (standard deviation, roughly normal).
    fn time_slices(
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
        (0..SLICES)
            .map(|slice| {
                let mut histogram = Histogram::new(2).unwrap();
                #[allow(clippy::cast_precision_loss)] // twenty
                let place = slice as f64 / (SLICES - 1) as f64;
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

    #[test]
    fn a_steady_server_is_called_steady_in_99_of_100_runs() {
        // From a thousand answers on, the 99th percentile is judged as well.
        for (runs, answers, unrest) in [(1_000, 20, 0.0), (1_000, 50, 0.1), (200, 1_000, 0.1)] {
            let is_steady = |seed: &u64| {
                steady_state(&time_slices(*seed, answers, unrest, |_| 200.0), false).ok
            };
            let steady = (0..runs).filter(is_steady).count() as u64;
            assert!(
                100 * steady >= 99 * runs,
                "{steady} with {answers} answers, {unrest}"
            );
        }
    }

    #[test]
    fn a_server_that_warms_up_is_not_called_steady() {
        // Twice as slow at first; the excess decays with a time constant of a quarter of the window.
        for seed in 0..100 {
            let warming = time_slices(seed, 500, 0.03, |place| {
                200.0 * (1.0 + (-place * 4.0).exp())
            });
            let check = steady_state(&warming, false);
            let begins = "NOT STEADY: over the window the median moved by -";
            assert!(!check.ok && check.detail.starts_with(begins), "{check:?}");
        }
    }

    #[test]
    fn a_tail_that_grows_under_a_steady_median_is_found() {
        let growing: Vec<Histogram<u64>> = (0..SLICES as u64)
            .map(|slice| {
                let mut histogram = Histogram::new(2).unwrap();
                histogram.record_n(200_000, 1_900).unwrap();
                histogram.record_n(1_000_000 + 50_000 * slice, 100).unwrap();
                histogram
            })
            .collect();
        let check = steady_state(&growing, false);
        let words = "99th percentile moved by +";
        assert!(!check.ok && check.detail.contains(words), "{check:?}");
    }

    #[test]
    fn a_drift_that_is_sure_but_small_spoils_nothing() {
        let creeping = time_slices(1, 2_000, 0.0, |place| 200.0 * (1.0 + 0.05 * place));
        let check = steady_state(&creeping, false);
        assert!(check.ok && check.detail.contains("p < 0.001"), "{check:?}");
    }

    #[test]
    fn what_cannot_be_judged_says_so() {
        let scarce = time_slices(1, 19, 0.0, |_| 200.0);
        for (check, why) in [
            (steady_state(&scarce, false), "too few answers"),
            (steady_state(&[], false), "shorter than 2 s"),
            (steady_state(&scarce, true), "stopped early"),
        ] {
            assert!(check.ok && check.detail.contains(why), "{check:?}");
        }
    }
}
