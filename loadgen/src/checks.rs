//! Checks whether a measurement can be trusted; each check reports its finding in one plain sentence.

mod arrivals;
mod lost_time;
mod steady;
mod throughput;
mod transport;

use crate::engine::window_counts::WindowCounts;
use crate::evidence::{Evidence, ratio};
use crate::histograms::Histograms;
use crate::summary::{Check, CheckName, Counts, LoopKind, Summary};
use crate::totals::Totals;
use crate::workload::{ClientProtocol, Pacing};

/// Largest acceptable share of failed requests.
const FAILURES_MAX: f64 = 0.01;

/// Smallest share of the offered requests that must have been sent.
const OFFERED_MIN: f64 = 0.99;

/// CPU share of the busiest thread from which the generator is suspected: a shared core loses the rest anyway.
const CPU_SHARE_MAX: f64 = 0.95;

/// Bounds of X·R / clients; the upper one leaves room for the histogram's 0.1 % and the lower for real gaps.
const LITTLE: std::ops::RangeInclusive<f64> = 0.98..=1.005;

/// Largest acceptable share of the generator's own lateness in the 99th percentile of the response time.
const LAG_SHARE_MAX: f64 = 0.5;

/// Acceptable lateness in any case, in microseconds: a scheduler on a shared machine takes that long to wake a thread.
const LAG_FREE_US: f64 = 500.0;

/// All checks of one run.
pub(crate) fn all(summary: &Summary, totals: &Totals) -> Vec<Check> {
    let (histograms, kernel) = (&totals.histograms, summary.kernel.as_ref());
    let (window_counts, evidence) = (&totals.window_counts, &totals.evidence);
    let of_the_loop = match summary.plan.loop_kind {
        LoopKind::Closed => [
            littles_law(summary, window_counts),
            lost_time::back_off(window_counts),
        ],
        LoopKind::Open => [
            offered(summary, window_counts, evidence),
            arrivals::arrival_shape(&summary.plan, window_counts, evidence),
        ],
    };
    let mut checks = vec![identity(summary), failures(summary), body(summary)];
    checks.extend(of_the_loop);
    checks.extend([
        steady::steady_state(totals.time_slices.responses(), evidence.stopped),
        throughput::throughput(histograms, &summary.plan, window_counts, evidence),
        lost_time::time_away(window_counts),
        lost_time::throttling(evidence.throttling.as_ref()),
        transport::kernel_evidence(summary),
        transport::modes(histograms, kernel),
        generator(summary),
    ]);
    checks
}

/// Checks of two merged measurements. Checks on sums are run again; any other check passes if it passes in both parts.
pub(crate) fn merged(whole: &Summary, part: &Summary, histograms: &Histograms) -> Vec<Check> {
    let again = |check: &Check| match check.check {
        CheckName::Identity => identity(whole),
        CheckName::Failures => failures(whole),
        CheckName::KernelEvidence => transport::kernel_evidence(whole),
        CheckName::Modes => transport::modes(histograms, whole.kernel.as_ref()),
        name => {
            let mut others = part.validity.iter();
            let failed = others.find(|other| other.check == name && !other.ok);
            failed.filter(|_| check.ok).unwrap_or(check).clone()
        }
    };
    whole.validity.iter().map(again).collect()
}

/// Whether every planned request is accounted for exactly once.
fn identity(summary: &Summary) -> Check {
    let counts = &summary.counts;
    let failed = counts.failed_total();
    let ok = counts.planned == counts.not_sent + counts.sent
        && counts.sent == counts.ok + failed + counts.in_flight_at_end
        && summary.latency_us.response.count == counts.ok + failed;
    let Counts {
        planned,
        sent,
        ok: right,
        not_sent,
        in_flight_at_end,
        ..
    } = counts;
    check(
        CheckName::Identity,
        ok,
        format!(
            "{planned} planned = {not_sent} not sent + {sent} sent; {sent} sent = {right} ok + {failed} failed + \
             {in_flight_at_end} in flight at the end"
        ),
    )
}

/// Whether failures are rare enough that the other requests are representative.
fn failures(summary: &Summary) -> Check {
    let (failed, ended) = (summary.counts.failed_total(), summary.counts.ended());
    let Some(share) = ratio(failed, ended) else {
        let none = "no request ended in the window".to_owned();
        return check(CheckName::Failures, false, none);
    };
    let percent = share * 100.0;
    let detail = format!("{failed} of {ended} requests failed ({percent:.2} %)");
    check(CheckName::Failures, share <= FAILURES_MAX, detail)
}

/// Whether every body was the expected one.
fn body(summary: &Summary) -> Check {
    let wrong = summary.counts.failed.get("bad_body");
    let wrong = wrong.map_or(0, |phases| phases.values().sum::<u64>());
    let http = summary.plan.http.as_ref();
    let detail = match http.and_then(|http| http.expected_body_bytes) {
        Some(length) => format!("{wrong} answers differed from the {length} expected bytes"),
        None if summary.plan.conversation == ClientProtocol::Http => {
            "bodies were read but not compared".to_owned()
        }
        None => format!("{wrong} answers differed from the expected one"),
    };
    check(CheckName::Body, wrong == 0, detail)
}

/// Whether the printed rate and response time account for the clients: X·(R + Z) = clients. The sum is corrected for
/// requests under way at the window's edges, and for think time and backoff.
#[allow(clippy::cast_precision_loss)] // spans of nanoseconds, added over clients, lose nothing that matters here
fn littles_law(summary: &Summary, window_counts: &WindowCounts) -> Check {
    let response = &summary.latency_us.response;
    let responses_ns = response.mean.unwrap_or(0.0) * 1e3 * response.count as f64;
    let spent_ns =
        responses_ns + window_counts.carried_out_ns as f64 + window_counts.paused_ns as f64
            - window_counts.carried_in_ns as f64;
    let ratio = if window_counts.client_ns == 0 {
        0.0
    } else {
        spent_ns / window_counts.client_ns as f64
    };
    let times = if summary.plan.think_s > 0.0 {
        "response and think time"
    } else {
        "response time"
    };
    check(
        CheckName::LittlesLaw,
        LITTLE.contains(&ratio),
        format!("rate times {times} makes {ratio:.4} of the clients (0.98 to 1.00 is right)"),
    )
}

/// Whether the requests of the plan were sent at all.
fn offered(summary: &Summary, window_counts: &WindowCounts, evidence: &Evidence) -> Check {
    let due = evidence.offered.unwrap_or(summary.counts.planned);
    let share = ratio(summary.counts.sent, due).unwrap_or(1.0);
    let waited = match window_counts.waited_for_slot {
        0 => String::new(),
        count => format!("; {count} of them waited for a free connection"),
    };
    let sent = summary.counts.sent;
    let detail = format!("{sent} of {due} offered requests were sent{waited}");
    check(CheckName::Offered, share >= OFFERED_MIN, detail)
}

/// Whether the figures are the server's and not the generator's own limit.
///
/// Closed loop: a thread that used its whole CPU was the limit. Open loop: in addition, the generator's lateness must
/// be a small part of the 99th percentile, or too short to matter. If threads spin between planned instants, only their
/// lateness counts, because their CPU share says nothing.
fn generator(summary: &Summary) -> Check {
    let share = summary.generator.cpu_share;
    let percent = share * 100.0;
    let is_open = summary.plan.loop_kind == LoopKind::Open;
    let spins = summary.generator.pacing == Pacing::Spin && is_open;
    let busy = format!("busiest thread used {percent:.0} % of a CPU");
    let latency = &summary.latency_us;
    let (ok, detail) = match (latency.lag.p99, latency.response.p99) {
        _ if share >= CPU_SHARE_MAX && !spins => (
            false,
            format!("GENERATOR-BOUND: its {busy}, so the server may be faster than this"),
        ),
        (Some(lag), Some(response))
            if is_open && lag > LAG_FREE_US.max(LAG_SHARE_MAX * response) =>
        {
            let late = format!("up to {lag:.0} µs late (p99), of {response:.0} µs response");
            (
                false,
                format!("GENERATOR-BOUND: requests left {late}; the {busy}"),
            )
        }
        (Some(lag), _) if is_open => (
            true,
            format!("the {busy}; requests left at most {lag:.0} µs late (p99)"),
        ),
        _ => (true, format!("the {busy}")),
    };
    check(CheckName::Generator, ok, detail)
}

fn check(check: CheckName, ok: bool, detail: String) -> Check {
    Check { check, ok, detail }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::recorder::Recorder;
    use crate::summary::Arrivals;
    use crate::workload::{Pace, Workload};

    /// The check of a generator whose one thread used this share of a CPU and sent requests `lag_us` late.
    fn judged(pace: Pace, pacing: Pacing, cpu_share: f64, lag_us: u64) -> Check {
        let mut recorder = Recorder::new();
        let histograms = &mut recorder.histograms;
        histograms.lag.record_n(lag_us * 1_000, 2_000).unwrap();
        histograms.response.record_n(200_000, 2_000).unwrap();
        let workload = Workload {
            pace,
            ..Workload::new(SocketAddr::from(([127, 0, 0, 1], 80)))
        };
        let evidence = Evidence {
            cpu_share,
            pacing,
            ..Evidence::default()
        };
        let totals = Totals::new(&workload, recorder, WindowCounts::new(), evidence);
        generator(&totals.summary())
    }

    #[test]
    fn a_generator_without_cpu_to_spare_or_that_sends_late_is_the_limit() {
        let closed = Pace::Closed { clients: 8 };
        let open = Pace::Open {
            rate_per_s: 100.0,
            arrivals: Arrivals::Poisson,
        };
        for (pace, pacing, cpu_share, lag_us, ok) in [
            (closed, Pacing::Sleep, 0.97, 5, false),
            (closed, Pacing::Sleep, 0.7, 5, true),
            (open, Pacing::Sleep, 0.97, 5, false),
            (open, Pacing::Sleep, 0.7, 5, true),
            (open, Pacing::Sleep, 0.2, 900, false),
            // A thread that spins between instants is judged by its lateness; in a closed loop, only its CPU share can
            // tell.
            (open, Pacing::Spin, 1.0, 5, true),
            (open, Pacing::Spin, 1.0, 900, false),
            (closed, Pacing::Spin, 1.0, 5, false),
        ] {
            let check = judged(pace, pacing, cpu_share, lag_us);
            let is_named = check.detail.starts_with("GENERATOR-BOUND");
            assert_eq!((check.ok, is_named), (ok, !ok), "{pace:?} {}", check.detail);
        }
    }
}
