//! Time in which the generator did not run, or clients were kept from sending. It would lower every rate unnoticed.
//!
//! These checks share two bounds. One is a share of the window: a smaller loss changes a rate less than repeated runs
//! on a shared machine differ. The other is a time: in a short window, that share is a single delay of the scheduler.

use super::check;
use crate::engine::window_counts::WindowCounts;
use crate::evidence::ratio;
use crate::summary::{Check, CheckName};
use crate::throttling::Throttling;

/// Largest share of the window that may be lost: about the difference between equal runs on a shared machine.
pub(super) const LOST_SHARE_MAX: f64 = 0.05;

/// Time that may be lost however short the window is: a shared machine takes this from a thread occasionally.
pub(super) const LOST_FREE_NS: u64 = 100_000_000;

/// Whether the loss exceeds both bounds.
pub(super) fn is_too_much(lost_ns: u64, window_ns: u64) -> bool {
    lost_ns > LOST_FREE_NS && ratio(lost_ns, window_ns).is_none_or(|share| share > LOST_SHARE_MAX)
}

/// Whether every worker thread ran when it wanted to. In a stopped process, in a paused container or virtual machine,
/// or without a CPU, a worker wakes far later than it asked to.
pub(super) fn time_away(window_counts: &WindowCounts) -> Check {
    let detail = match window_counts.away_ns {
        0 => "no worker thread was kept from running".to_owned(),
        away_ns => format!(
            "a worker thread did not run for {} of {} (for {} at once): stopped, paused, or without a CPU",
            seconds(away_ns),
            seconds(window_counts.window_ns),
            seconds(window_counts.away_longest_ns)
        ),
    };
    let ok = !is_too_much(window_counts.away_ns, window_counts.window_ns);
    check(CheckName::TimeAway, ok, detail)
}

/// Whether the clients of a closed loop spent their time on requests. A client pauses after a failure, so a server that
/// has exited causes few failures, but many idle clients.
pub(super) fn back_off(window_counts: &WindowCounts) -> Check {
    let share = ratio(window_counts.backoff_ns, window_counts.client_ns).unwrap_or(0.0);
    check(
        CheckName::BackOff,
        share <= LOST_SHARE_MAX,
        format!(
            "clients spent {:.1} % of their time waiting to try again after failures",
            share * 100.0
        ),
    )
}

/// Whether the control group let the generator run: a used-up CPU quota stops it until the next period.
pub(super) fn throttling(throttling: Option<&Throttling>) -> Check {
    let named = |ok, detail| check(CheckName::Throttling, ok, detail);
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
        let mut window_counts = WindowCounts::new();
        window_counts.away_ns = away_ms * MS;
        window_counts.away_longest_ns = away_ms * MS;
        window_counts.window_ns = window_ms * MS;
        time_away(&window_counts)
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
        let mut window_counts = WindowCounts::new();
        window_counts.client_ns = 16_000 * MS;
        window_counts.backoff_ns = 12_000 * MS;
        let check = back_off(&window_counts);
        assert!(
            !check.ok && check.detail.contains("75.0 %"),
            "{}",
            check.detail
        );
        window_counts.backoff_ns = 160 * MS;
        assert!(back_off(&window_counts).ok);
        assert!(back_off(&WindowCounts::new()).ok);
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
