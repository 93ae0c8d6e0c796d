//! Checks whether a measurement can be trusted; each check reports its finding in one plain sentence.

mod arrivals;
mod lost_time;
mod steady;
mod throughput;
mod transport;

use crate::engine::window_counts::WindowCounts;
use crate::evidence::{Evidence, ratio};
use crate::histograms::Histograms;
use crate::recorder::Recorder;
use crate::schedule::Schedule;
use crate::summary::{Check, CheckName, LoopKind, Summary};
use crate::workload::{Pace, Pacing, Workload};

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
pub(crate) fn all(
    summary: &Summary,
    recorder: &Recorder,
    workload: &Workload,
    window_counts: &WindowCounts,
    evidence: &Evidence,
) -> Vec<Check> {
    let mut checks = vec![
        identity(summary),
        failures(summary),
        body(summary, workload),
    ];
    match workload.pace {
        Pace::Closed { .. } => {
            checks.push(littles_law(summary, window_counts));
            checks.push(lost_time::back_off(window_counts));
        }
        Pace::Open {
            rate_per_s,
            arrivals,
        } => {
            checks.push(offered(summary, window_counts, evidence));
            checks.push(arrivals::arrival_shape(
                Schedule::new(arrivals, rate_per_s, workload.seed),
                arrivals,
                window_counts,
                evidence,
            ));
        }
    }
    checks.push(steady::steady_state(
        recorder.time_slices.responses(),
        evidence.stopped,
    ));
    checks.push(throughput::throughput(
        &recorder.histograms,
        workload,
        window_counts,
        evidence,
    ));
    checks.push(lost_time::time_away(window_counts));
    checks.push(lost_time::throttling(evidence.throttling.as_ref()));
    checks.push(transport::kernel_evidence(summary));
    checks.push(transport::modes(
        &recorder.histograms,
        summary.kernel.as_ref(),
    ));
    checks.push(generator(summary));
    checks
}

/// Checks of two merged measurements. Checks on sums are run again; any other check passes if it passes in both parts.
pub(crate) fn merged(whole: &Summary, part: &Summary, histograms: &Histograms) -> Vec<Check> {
    let again = |check: &Check| match check.check {
        CheckName::Identity => identity(whole),
        CheckName::Failures => failures(whole),
        CheckName::KernelEvidence => transport::kernel_evidence(whole),
        CheckName::Modes => transport::modes(histograms, whole.kernel.as_ref()),
        _ => match part
            .validity
            .iter()
            .find(|other| other.check == check.check)
        {
            Some(other) if check.ok && !other.ok => other.clone(),
            _ => check.clone(),
        },
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
    check(
        CheckName::Identity,
        ok,
        format!(
            "{} planned = {} not sent + {} sent; {} sent = {} ok + {failed} failed + {} in flight at the end",
            counts.planned,
            counts.not_sent,
            counts.sent,
            counts.sent,
            counts.ok,
            counts.in_flight_at_end
        ),
    )
}

/// Whether failures are rare enough that the other requests are representative.
fn failures(summary: &Summary) -> Check {
    let failed = summary.counts.failed_total();
    let ended = summary.counts.ok + failed;
    let share = ratio(failed, ended);
    let detail = match share {
        None => "no request ended in the window".to_owned(),
        Some(share) => format!(
            "{failed} of {ended} requests failed ({:.2} %)",
            share * 100.0
        ),
    };
    check(
        CheckName::Failures,
        share.is_some_and(|share| share <= FAILURES_MAX),
        detail,
    )
}

/// Whether every body was the expected one.
fn body(summary: &Summary, workload: &Workload) -> Check {
    let wrong: u64 = summary
        .counts
        .failed
        .get("bad_body")
        .map_or(0, |phases| phases.values().sum());
    let detail = match &workload.expected_body {
        None => "bodies were read but not compared".to_owned(),
        Some(body) => format!(
            "{wrong} answers differed from the {} expected bytes",
            body.len()
        ),
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
    check(
        CheckName::Offered,
        share >= OFFERED_MIN,
        format!(
            "{} of {due} offered requests were sent{waited}",
            summary.counts.sent
        ),
    )
}

/// Whether the figures are the server's and not the generator's own limit.
///
/// Closed loop: a thread that used its whole CPU was the limit. Open loop: in addition, the generator's lateness must
/// be a small part of the 99th percentile, or too short to matter. If threads spin between planned instants, only their
/// lateness counts, because their CPU share says nothing.
fn generator(summary: &Summary) -> Check {
    let share = summary.generator.cpu_share;
    let named = |ok, detail| check(CheckName::Generator, ok, detail);
    let spins =
        summary.generator.pacing == Pacing::Spin && summary.plan.loop_kind == LoopKind::Open;
    if share >= CPU_SHARE_MAX && !spins {
        return named(
            false,
            format!(
                "GENERATOR-BOUND: its busiest thread used {:.0} % of a CPU, so the server may be faster than this",
                share * 100.0
            ),
        );
    }
    let busy = format!("the busiest thread used {:.0} % of a CPU", share * 100.0);
    let latency = &summary.latency_us;
    match (
        summary.plan.loop_kind,
        latency.lag.p99,
        latency.response.p99,
    ) {
        (LoopKind::Open, Some(lag), Some(response))
            if lag > LAG_FREE_US.max(LAG_SHARE_MAX * response) =>
        {
            named(
                false,
                format!(
                    "GENERATOR-BOUND: requests left up to {lag:.0} µs late (p99), of {response:.0} µs response; {busy}"
                ),
            )
        }
        (LoopKind::Open, Some(lag), _) => named(
            true,
            format!("{busy}; requests left at most {lag:.0} µs late (p99)"),
        ),
        _ => named(true, busy),
    }
}

fn check(check: CheckName, ok: bool, detail: String) -> Check {
    Check { check, ok, detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histograms::Histograms;
    use crate::summary::{Arrivals, Counts, Generator, Rates, SCHEMA_VERSION};

    /// The check of a generator whose one thread used this share of a CPU and sent requests `lag_us` late.
    fn judged(pace: Pace, pacing: Pacing, cpu_share: f64, lag_us: u64) -> Check {
        let mut histograms = Histograms::new();
        histograms.lag.record_n(lag_us * 1_000, 2_000).unwrap();
        histograms.response.record_n(200_000, 2_000).unwrap();
        let workload = Workload {
            pace,
            pacing,
            ..Workload::new(([127, 0, 0, 1], 80).into())
        };
        generator(&Summary {
            schema_version: SCHEMA_VERSION,
            model: None,
            url: workload.url(),
            plan: workload.plan(),
            rates: Rates {
                offered_per_s: 0.0,
                completed_per_s: 0.0,
                good_per_s: 0.0,
            },
            counts: Counts::default(),
            latency_us: histograms.latencies(),
            generator: Generator {
                engine: None,
                pacing,
                threads: 1,
                cpu_us_per_request: None,
                cpu_share,
            },
            kernel: None,
            validity: Vec::new(),
        })
    }

    const CLOSED: Pace = Pace::Closed { clients: 8 };
    const OPEN: Pace = Pace::Open {
        rate_per_s: 100.0,
        arrivals: Arrivals::Poisson,
    };

    #[test]
    fn a_generator_without_cpu_to_spare_is_the_limit() {
        for pace in [CLOSED, OPEN] {
            let bound = judged(pace, Pacing::Sleep, 0.97, 5);
            assert!(!bound.ok && bound.detail.starts_with("GENERATOR-BOUND"));
            assert!(judged(pace, Pacing::Sleep, 0.7, 5).ok);
        }
    }

    #[test]
    fn a_generator_that_sends_late_is_the_limit() {
        let late = judged(OPEN, Pacing::Sleep, 0.2, 900);
        assert!(!late.ok && late.detail.starts_with("GENERATOR-BOUND"));
    }

    #[test]
    fn a_thread_that_spins_between_instants_is_judged_by_its_lateness() {
        let prompt = judged(OPEN, Pacing::Spin, 1.0, 5);
        assert!(prompt.ok, "{}", prompt.detail);
        assert!(!judged(OPEN, Pacing::Spin, 1.0, 900).ok);
        // In a closed loop, only the CPU share can tell.
        assert!(!judged(CLOSED, Pacing::Spin, 1.0, 5).ok);
    }
}
