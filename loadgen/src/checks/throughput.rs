//! Whether answers came throughout the window, or stopped for a part of it.

use super::check;
use super::lost_time::{is_too_much, seconds};
use crate::engine::window_counts::WindowCounts;
use crate::evidence::Evidence;
use crate::histograms::Histograms;
use crate::summary::{Check, CheckName};
use crate::timeline::TimeSpan;
use crate::workload::{Pace, Workload};

/// Minimum number of answers expected in a gap, by the rate of the rest of the window, for their absence to be
/// significant.
const EXPECTED_MIN: u64 = 10;

/// Minimum length of a gap, in usual cycles of request and answer: if clients began together, their answers come
/// together and leave gaps of nearly one cycle.
const CYCLES_MAX: u64 = 2;

/// Judges the longest stretch of the window in which no good answer came.
///
/// It counts as a break if it is a significant share of the window, if many answers are missing by the rate of the
/// rest, and if it is longer than the server usually takes, so that a slow server is not reported. The usual time is
/// read from the response times without those that the gap itself can have lengthened: one of each client, or those
/// that were due in it.
pub(super) fn throughput(
    histograms: &Histograms,
    workload: &Workload,
    window_counts: &WindowCounts,
    evidence: &Evidence,
) -> Check {
    let named = |ok, detail| check(CheckName::Throughput, ok, detail);
    let gap = window_counts.answers.longest_gap(window_counts.window_ns);
    let detail = format!(
        "the longest time without a good answer was {} of {}",
        seconds(gap.length_ns()),
        seconds(window_counts.window_ns)
    );
    let waiting = match workload.pace {
        Pace::Closed { clients } => u64::from(clients),
        Pace::Open { .. } => due_in(gap, evidence),
    };
    let usual = usual_response_ns(histograms, waiting);
    let think_ns = u64::try_from(workload.think.as_nanos()).unwrap_or(u64::MAX);
    let breaks_off = is_too_much(gap.length_ns(), window_counts.window_ns)
        && expected_in(gap, window_counts) >= EXPECTED_MIN
        && waiting > 0
        && usual.is_some_and(|usual| {
            gap.length_ns() > usual.saturating_add(think_ns).saturating_mul(CYCLES_MAX)
        });
    if breaks_off {
        return named(
            false,
            format!(
                "BROKE OFF: no good answer came from {} to {} of {}, with requests under way or due",
                seconds(gap.start_ns),
                seconds(gap.end_ns),
                seconds(window_counts.window_ns)
            ),
        );
    }
    named(true, detail)
}

/// Answers expected in the gap, by the rate of the rest of the window.
fn expected_in(gap: TimeSpan, window_counts: &WindowCounts) -> u64 {
    let rest_ns = window_counts.window_ns.saturating_sub(gap.length_ns());
    let expected = u128::from(window_counts.answers.total()) * u128::from(gap.length_ns())
        / u128::from(rest_ns.max(1));
    u64::try_from(expected).unwrap_or(u64::MAX)
}

/// Requests of an open loop whose instant lies in the gap.
fn due_in(gap: TimeSpan, evidence: &Evidence) -> u64 {
    evidence.schedule.map_or(0, |(schedule, open_ns)| {
        schedule.count(
            open_ns.saturating_add(gap.start_ns),
            open_ns.saturating_add(gap.end_ns),
        )
    })
}

/// The longest response time of a good answer, without the `waiting` longest ones; `None` unless more than `waiting`
/// others remain.
fn usual_response_ns(histograms: &Histograms, waiting: u64) -> Option<u64> {
    let mut good = histograms.response.clone();
    // Every failure was recorded in both with the same value.
    good.subtract(&histograms.failed).ok()?;
    let rank = good
        .len()
        .checked_sub(waiting)
        .filter(|rank| *rank > waiting)?;
    let mut seen = 0;
    good.iter_recorded()
        .find(|step| {
            seen += step.count_since_last_iteration();
            seen >= rank
        })
        .map(|step| step.value_iterated_to())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::schedule::Schedule;
    use crate::summary::Arrivals;
    use crate::workload::Engine;

    const MS: u64 = 1_000_000;

    /// A run with invented answers, in milliseconds.
    struct Run {
        workload: Workload,
        histograms: Histograms,
        window_counts: WindowCounts,
        evidence: Evidence,
    }

    impl Run {
        fn new(pace: Pace, window_ms: u64) -> Self {
            let mut window_counts = WindowCounts::new();
            window_counts.window_ns = window_ms * MS;
            let schedule = match pace {
                Pace::Closed { .. } => None,
                Pace::Open {
                    rate_per_s,
                    arrivals,
                } => Some((Schedule::new(arrivals, rate_per_s, 1), 0)),
            };
            Self {
                workload: Workload {
                    pace,
                    ..Workload::new(([127, 0, 0, 1], 80).into())
                },
                histograms: Histograms::new(),
                window_counts,
                evidence: Evidence {
                    planned: 0,
                    offered: None,
                    schedule,
                    engine: Engine::Readiness,
                    threads: 1,
                    cpu_share: 0.1,
                    stopped: false,
                    kernel: None,
                    throttling: None,
                },
            }
        }

        fn answer(&mut self, began_ms: u64, ended_ms: u64) {
            if ended_ms * MS < self.window_counts.window_ns {
                let response_ns = (ended_ms - began_ms) * MS;
                self.histograms.response.record(response_ns).unwrap();
                self.window_counts.answers.record(ended_ms * MS);
            }
        }

        /// Clients that send again as soon as they are answered; `response_ms` gives each response time.
        fn closed(clients: u32, window_ms: u64, response_ms: impl Fn(u64, u64) -> u64) -> Self {
            let mut run = Self::new(Pace::Closed { clients }, window_ms);
            for _ in 0..clients {
                let (mut now, mut count) = (0, 0);
                while now < window_ms {
                    let ended = now + response_ms(now, count);
                    run.answer(now, ended);
                    (now, count) = (ended, count + 1);
                }
            }
            run
        }

        fn judged(&self) -> Check {
            throughput(
                &self.histograms,
                &self.workload,
                &self.window_counts,
                &self.evidence,
            )
        }
    }

    #[test]
    fn answers_that_break_off_for_part_of_the_window_are_named() {
        let stall = |now, _| if now == 1_000 { 2_000 } else { 1 };
        let check = Run::closed(4, 4_000, stall).judged();
        assert!(
            !check.ok
                && check
                    .detail
                    .starts_with("BROKE OFF: no good answer came from 1.0")
                && check
                    .detail
                    .contains(" of 4.00 s, with requests under way or due"),
            "{}",
            check.detail
        );
        let gone = |now, _| if now < 1_000 { 1 } else { 1_000_000 };
        let check = Run::closed(4, 4_000, gone).judged();
        assert!(
            !check.ok && check.detail.contains("to 4.00 s of 4.00 s"),
            "{}",
            check.detail
        );
    }

    #[test]
    fn a_server_that_is_slow_throughout_does_not_break_off() {
        for (clients, window_ms) in [
            (1, 10_000),
            (4, 3_000),
            (4, 10_000),
            (50, 3_000),
            (50, 10_000),
        ] {
            let check = Run::closed(clients, window_ms, |_, _| 2_000).judged();
            assert!(check.ok, "{clients} clients: {}", check.detail);
        }
        // One answer in a hundred takes a hundred times as long.
        let bimodal = |_, count| if count % 100 == 50 { 200 } else { 2 };
        for clients in [1, 8] {
            let check = Run::closed(clients, 3_000, bimodal).judged();
            assert!(check.ok, "{clients} clients: {}", check.detail);
        }
    }

    #[test]
    fn a_short_gap_and_a_window_with_few_answers_say_nothing() {
        let short = |now, _| if now == 100 { 90 } else { 1 };
        assert!(Run::closed(4, 400, short).judged().ok);
        let check = Run::closed(1, 3_000, |now, _| if now < 300 { 100 } else { 2_000 }).judged();
        assert!(check.ok, "{}", check.detail);
        assert!(Run::new(Pace::Closed { clients: 4 }, 4_000).judged().ok);
    }

    #[test]
    fn clients_that_think_leave_gaps() {
        let mut run = Run::new(Pace::Closed { clients: 20 }, 10_000);
        run.workload.think = Duration::from_secs(2);
        for began in (0..10_000).step_by(2_001) {
            (0..20).for_each(|_| run.answer(began, began + 1));
        }
        assert!(run.judged().ok, "{}", run.judged().detail);
    }

    #[test]
    fn an_open_loop_breaks_off_only_where_requests_were_due() {
        let open = |rate_per_s| Pace::Open {
            rate_per_s,
            arrivals: Arrivals::Constant,
        };
        let mut stalled = Run::new(open(100.0), 4_000);
        for began in (0..4_000).step_by(10) {
            let ended = if (1_000..2_000).contains(&began) {
                2_000
            } else {
                began
            };
            stalled.answer(began, ended + 1);
        }
        let check = stalled.judged();
        assert!(!check.ok, "{}", check.detail);
        let mut rare = Run::new(open(1.0), 20_000);
        for began in (0..20_000).step_by(1_000) {
            rare.answer(began, began + 1);
        }
        assert!(rare.judged().ok, "{}", rare.judged().detail);
    }
}
