//! Whether answers came throughout the window, or stopped for a part of it.

use std::ops::Range;

use super::check;
use super::lost_time::{is_too_much, seconds};
use crate::engine::window_counts::WindowCounts;
use crate::evidence::Evidence;
use crate::histograms::{Histograms, value_at_rank};
use crate::summary::{Check, CheckName, Plan};
use crate::units::from_seconds;

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
    plan: &Plan,
    window_counts: &WindowCounts,
    evidence: &Evidence,
) -> Check {
    let window_ns = window_counts.window_ns;
    let gap = window_counts.answers.longest_gap(window_ns);
    let gap_ns = gap.end - gap.start;
    let waiting = match plan.clients {
        Some(clients) => evidence.rank.share(u64::from(clients)),
        None => due_in(&gap, evidence),
    };
    let usual = usual_response_ns(histograms, waiting);
    let cycle_ns = usual.map(|usual| usual.saturating_add(from_seconds(plan.think_s)));
    let breaks_off = is_too_much(gap_ns, window_ns)
        && expected_in(gap_ns, window_counts) >= EXPECTED_MIN
        && waiting > 0
        && cycle_ns.is_some_and(|cycle| gap_ns > cycle.saturating_mul(CYCLES_MAX));
    let window = seconds(window_ns);
    let detail = if breaks_off {
        let (start, end) = (seconds(gap.start), seconds(gap.end));
        format!(
            "BROKE OFF: no good answer came from {start} to {end} of {window}, with requests under way or due"
        )
    } else {
        let longest = seconds(gap_ns);
        format!("the longest time without a good answer was {longest} of {window}")
    };
    check(CheckName::Throughput, !breaks_off, detail)
}

/// Answers expected in the gap, by the rate of the rest of the window.
fn expected_in(gap_ns: u64, window_counts: &WindowCounts) -> u64 {
    let rest_ns = window_counts.window_ns.saturating_sub(gap_ns).max(1);
    let answers = u128::from(window_counts.answers.total());
    let expected = answers * u128::from(gap_ns) / u128::from(rest_ns);
    u64::try_from(expected).unwrap_or(u64::MAX)
}

/// Requests of an open loop whose instant lies in the gap.
fn due_in(gap: &Range<u64>, evidence: &Evidence) -> u64 {
    evidence.schedule.map_or(0, |(schedule, open_ns)| {
        let [from_ns, to_ns] = [gap.start, gap.end].map(|ns| open_ns.saturating_add(ns));
        schedule.count(from_ns, to_ns)
    })
}

/// The longest response time of a good answer, without the `waiting` longest ones; `None` unless more than `waiting`
/// others remain.
fn usual_response_ns(histograms: &Histograms, waiting: u64) -> Option<u64> {
    let mut good = histograms.response.clone();
    // Every failure was recorded in both with the same value.
    good.subtract(&histograms.failed).ok()?;
    let rank = good.len().checked_sub(waiting);
    value_at_rank(&good, rank.filter(|rank| *rank > waiting)?)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use super::*;
    use crate::summary::Arrivals;
    use crate::workload::{Pace, Workload};

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
            let workload = Workload {
                pace,
                ..Workload::new(SocketAddr::from(([127, 0, 0, 1], 80)))
            };
            Self {
                histograms: Histograms::new(),
                window_counts: WindowCounts {
                    window_ns: window_ms * MS,
                    ..WindowCounts::new()
                },
                evidence: Evidence {
                    schedule: workload.plan().schedule().map(|schedule| (schedule, 0)),
                    ..Evidence::default()
                },
                workload,
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

        fn assert(&self, ok: bool, words: &str) {
            let Self {
                workload,
                histograms,
                window_counts,
                evidence,
            } = self;
            let check = throughput(histograms, &workload.plan(), window_counts, evidence);
            assert!(
                check.ok == ok && check.detail.contains(words),
                "{:?}: {check:?}",
                workload.pace
            );
        }
    }

    #[test]
    fn answers_that_break_off_for_part_of_the_window_are_named() {
        let stall = |now, _| if now == 1_000 { 2_000 } else { 1 };
        let stalled = Run::closed(4, 4_000, stall);
        stalled.assert(false, "BROKE OFF: no good answer came from 1.0");
        stalled.assert(false, " of 4.00 s, with requests under way or due");
        let gone = |now, _| if now < 1_000 { 1 } else { 1_000_000 };
        Run::closed(4, 4_000, gone).assert(false, "to 4.00 s of 4.00 s");
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
            Run::closed(clients, window_ms, |_, _| 2_000).assert(true, "");
        }
        // One answer in a hundred takes a hundred times as long.
        let bimodal = |_, count| if count % 100 == 50 { 200 } else { 2 };
        for clients in [1, 8] {
            Run::closed(clients, 3_000, bimodal).assert(true, "");
        }
    }

    #[test]
    fn a_short_gap_and_a_window_with_few_answers_say_nothing() {
        let short = |now, _| if now == 100 { 90 } else { 1 };
        Run::closed(4, 400, short).assert(true, "");
        let few = |now, _| if now < 300 { 100 } else { 2_000 };
        Run::closed(1, 3_000, few).assert(true, "");
        Run::new(Pace::Closed { clients: 4 }, 4_000).assert(true, "");
    }

    #[test]
    fn clients_that_think_leave_gaps() {
        let mut run = Run::new(Pace::Closed { clients: 20 }, 10_000);
        run.workload.think = Duration::from_secs(2);
        for began in (0..10_000).step_by(2_001) {
            (0..20).for_each(|_| run.answer(began, began + 1));
        }
        run.assert(true, "");
    }

    #[test]
    fn an_open_loop_breaks_off_only_where_requests_were_due() {
        let open = |rate_per_s| Pace::Open {
            rate_per_s,
            arrivals: Arrivals::Constant,
        };
        let mut stalled = Run::new(open(100.0), 4_000);
        for began in (0..4_000).step_by(10) {
            let is_stalled = (1_000..2_000).contains(&began);
            stalled.answer(began, if is_stalled { 2_001 } else { began + 1 });
        }
        stalled.assert(false, "");
        let mut rare = Run::new(open(1.0), 20_000);
        for began in (0..20_000).step_by(1_000) {
            rare.answer(began, began + 1);
        }
        rare.assert(true, "");
    }
}
