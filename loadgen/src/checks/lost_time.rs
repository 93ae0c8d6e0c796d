//! Time in which the generator did not work, or clients were kept from asking: it would be averaged into every rate unseen.
//!
//! What these checks have in common are two bounds. A share of the window: a rate that is off by less differs no more than
//! repeated runs on a shared machine do. And a time: in a short window that share is a single delay of the scheduler.

use super::check;
use crate::engine::ledger::Ledger;
use crate::measurement::ratio;
use crate::summary::Check;
use crate::throttling::Throttling;

/// Largest share of the window that may be lost: about what equal runs on a shared machine differ by.
pub(super) const LOST_SHARE_MOST: f64 = 0.05;

/// Largest time that may be lost however short the window is: a shared machine takes this from a thread now and then.
pub(super) const LOST_FREE_NS: u64 = 100_000_000;

/// Whether more was lost than does not matter.
pub(super) fn is_too_much(lost_ns: u64, window_ns: u64) -> bool {
    lost_ns > LOST_FREE_NS && ratio(lost_ns, window_ns).is_none_or(|share| share > LOST_SHARE_MOST)
}

/// Whether every worker thread ran when it wanted to: a stopped process, a paused container or virtual machine, and a CPU
/// given to others leave a worker that wakes far later than it asked.
pub(super) fn time_away(ledger: &Ledger) -> Check {
    let detail = match ledger.away_ns {
        0 => "no worker thread was kept from running".to_owned(),
        away_ns => format!(
            "a worker thread did not run for {} of {} (for {} at once): stopped, paused, or without a CPU",
            seconds(away_ns),
            seconds(ledger.window_ns),
            seconds(ledger.away_longest_ns)
        ),
    };
    let ok = !is_too_much(ledger.away_ns, ledger.window_ns);
    check("time_away", ok, detail)
}

/// Whether the clients of a closed loop spent their time asking. A client that failed pauses before it tries again, so a
/// server that is gone causes few failures, and many clients that do nothing.
pub(super) fn back_off(ledger: &Ledger) -> Check {
    let share = ratio(ledger.backoff_ns, ledger.client_ns).unwrap_or(0.0);
    check(
        "back_off",
        share <= LOST_SHARE_MOST,
        format!(
            "clients spent {:.1} % of their time waiting to try again after failures",
            share * 100.0
        ),
    )
}

/// Whether the control group left the generator its CPU: a quota that is used up stops it until the next period.
pub(super) fn throttling(throttling: Option<&Throttling>) -> Check {
    let named = |ok, detail| check("throttling", ok, detail);
    let Some(throttling) = throttling else {
        return named(true, "no control group limits the CPU time".to_owned());
    };
    let Throttling {
        throttled_ns,
        over_ns,
    } = *throttling;
    named(
        !is_too_much(throttled_ns, over_ns),
        format!(
            "the control group's CPU quota held the generator up for {} of {} (added over CPUs)",
            seconds(throttled_ns),
            seconds(over_ns)
        ),
    )
}

#[allow(clippy::cast_precision_loss)] // spans of a run
pub(super) fn seconds(ns: u64) -> String {
    format!("{:.2} s", ns as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn away(away_ms: u64, window_ms: u64) -> Check {
        let mut ledger = Ledger::new();
        ledger.away_ns = away_ms * MS;
        ledger.away_longest_ns = away_ms * MS;
        ledger.window_ns = window_ms * MS;
        time_away(&ledger)
    }

    #[test]
    fn time_away_counts_when_it_is_both_long_and_a_share_of_the_window() {
        assert!(away(0, 400).ok);
        assert!(away(90, 400).ok, "a delay on a shared machine");
        assert!(away(400, 10_000).ok, "less than equal runs differ by");
        let stopped = away(2_000, 3_000);
        assert!(!stopped.ok);
        assert_eq!(
            stopped.detail,
            "a worker thread did not run for 2.00 s of 3.00 s (for 2.00 s at once): stopped, paused, or without a CPU"
        );
        assert!(!away(150, 400).ok);
    }

    #[test]
    fn clients_that_mostly_wait_to_try_again_are_named() {
        let mut ledger = Ledger::new();
        ledger.client_ns = 16_000 * MS;
        ledger.backoff_ns = 12_000 * MS;
        let check = back_off(&ledger);
        assert!(
            !check.ok && check.detail.contains("75.0 %"),
            "{}",
            check.detail
        );
        ledger.backoff_ns = 160 * MS;
        assert!(back_off(&ledger).ok);
        assert!(back_off(&Ledger::new()).ok);
    }

    #[test]
    fn a_quota_that_held_the_generator_up_is_named() {
        let held_up = |throttled_ms| {
            throttling(Some(&Throttling {
                throttled_ns: throttled_ms * MS,
                over_ns: 4_000 * MS,
            }))
        };
        let check = held_up(2_800);
        assert!(
            !check.ok && check.detail.contains("2.80 s of 4.00 s"),
            "{}",
            check.detail
        );
        assert!(held_up(150).ok);
        assert!(throttling(None).ok);
    }
}
