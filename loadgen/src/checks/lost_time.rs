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
    let percent = share * 100.0;
    let detail =
        format!("clients spent {percent:.1} % of their time waiting to try again after failures");
    check(CheckName::BackOff, share <= LOST_SHARE_MAX, detail)
}

/// Whether the control group let the generator run: a used-up CPU quota stops it until the next period.
pub(super) fn throttling(throttling: Option<&Throttling>) -> Check {
    let Some(throttling) = throttling else {
        let unlimited = "no control group limits the CPU time".to_owned();
        return check(CheckName::Throttling, true, unlimited);
    };
    let (lost_ns, over_ns) = (throttling.throttled_ns, throttling.over_ns);
    let detail = format!(
        "the control group's CPU quota held the generator up for {} of {} (added over CPUs)",
        seconds(lost_ns),
        seconds(over_ns)
    );
    let ok = !is_too_much(lost_ns, over_ns);
    check(CheckName::Throttling, ok, detail)
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
        time_away(&WindowCounts {
            away_ns: away_ms * MS,
            away_longest_ns: away_ms * MS,
            window_ns: window_ms * MS,
            ..WindowCounts::new()
        })
    }

    fn backed_off(backoff_ms: u64, client_ms: u64) -> Check {
        back_off(&WindowCounts {
            backoff_ns: backoff_ms * MS,
            client_ns: client_ms * MS,
            ..WindowCounts::new()
        })
    }

    fn throttled(throttled_ms: u64, over_ms: u64) -> Check {
        throttling(Some(&Throttling {
            throttled_ns: throttled_ms * MS,
            over_ns: over_ms * MS,
        }))
    }

    #[test]
    fn lost_time_counts_when_it_is_both_long_and_a_share_of_the_window() {
        let stopped = "a worker thread did not run for 2.00 s of 3.00 s (for 2.00 s at once): stopped, paused, or \
                       without a CPU";
        for (check, ok, words) in [
            (away(0, 400), true, "no worker thread"),
            // A delay on a shared machine.
            (away(90, 400), true, ""),
            // Less than equal runs differ by.
            (away(400, 10_000), true, ""),
            (away(2_000, 3_000), false, stopped),
            (away(150, 400), false, ""),
            (backed_off(12_000, 16_000), false, "75.0 %"),
            (backed_off(160, 16_000), true, ""),
            (backed_off(0, 0), true, ""),
            (throttled(2_800, 4_000), false, "2.80 s of 4.00 s"),
            (throttled(150, 4_000), true, ""),
            (throttling(None), true, "no control group"),
        ] {
            assert!(check.ok == ok && check.detail.contains(words), "{check:?}");
        }
    }
}
