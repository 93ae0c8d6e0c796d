//! Whether the arrivals of an open loop follow the requested process.

use super::check;
use crate::engine::window_counts::WindowCounts;
use crate::evidence::Evidence;
use crate::rank::Rank;
use crate::schedule::Schedule;
use crate::summary::{Arrivals, Check, CheckName, Plan};

/// Minimum number of planned requests for a judgement of their spacing.
const ARRIVALS_MIN: u64 = 2_000;

/// Most gaps compared with the exponential distribution.
const GAPS_MAX: usize = 10_000;

/// Whether the arrivals follow the requested process. The gaps of the schedule are judged by the Kolmogorov–Smirnov
/// distance, the actual sends by the dispersion index of their counts in equal parts of the window.
#[allow(clippy::cast_precision_loss)] // counts are far below 2^53
pub(super) fn arrival_shape(
    plan: &Plan,
    window_counts: &WindowCounts,
    evidence: &Evidence,
) -> Check {
    if evidence.rank != Rank::ONLY {
        let of_share = "the sends of one rank are judged with those of the others".to_owned();
        return check(CheckName::Arrivals, true, of_share);
    }
    if evidence.planned < ARRIVALS_MIN || evidence.stopped {
        let planned = evidence.planned;
        let too_few = format!("{planned} requests are too few to judge their spacing");
        return check(CheckName::Arrivals, true, too_few);
    }
    let bins = window_counts.sends.iter().map(|count| *count as f64);
    let count = window_counts.sends.len() as f64;
    let mean = bins.clone().sum::<f64>() / count;
    let variance = bins.map(|sends| (sends - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let dispersion = if mean > 0.0 {
        variance / mean
    } else {
        f64::INFINITY
    };
    let measured = format!("sends per interval have dispersion {dispersion:.2}");
    let (ok, detail) = match plan.arrivals {
        Some(Arrivals::Poisson) => {
            // The index has standard deviation √(2/(bins−1)); by chance, one in ten thousand runs exceeds four of them.
            let slack = 4.0 * (2.0 / (count - 1.0)).sqrt();
            let rate_per_s = plan.rate_per_s.unwrap_or_default();
            let steady = Schedule::new(Arrivals::Poisson, rate_per_s, plan.seed);
            let (distance, limit) = gap_distance(steady);
            (
                (dispersion - 1.0).abs() <= slack && distance <= limit,
                format!(
                    "{measured} (1 for Poisson), gaps are {distance:.4} from exponential (limit {limit:.4})"
                ),
            )
        }
        Some(Arrivals::Constant) | None => (
            dispersion <= 0.5,
            format!("{measured} (0 for equal gaps, 1 for Poisson)"),
        ),
    };
    check(CheckName::Arrivals, ok, detail)
}

/// Distance of the schedule's gaps from the exponential distribution, and the limit that one schedule in 100,000
/// exceeds.
#[allow(clippy::cast_precision_loss)] // gaps in nanoseconds are exact in a double
fn gap_distance(schedule: Schedule) -> (f64, f64) {
    let mut before = 0;
    let mut gaps: Vec<f64> = schedule
        .instants()
        .take(GAPS_MAX)
        .map(|at| (at - std::mem::replace(&mut before, at)) as f64)
        .collect();
    gaps.sort_unstable_by(f64::total_cmp);
    let count = gaps.len() as f64;
    let mean = schedule.mean_gap_ns();
    let distance = gaps.iter().enumerate().fold(0.0_f64, |worst, (rank, gap)| {
        let law = 1.0 - (-gap / mean).exp();
        worst
            .max(law - rank as f64 / count)
            .max((rank + 1) as f64 / count - law)
    });
    (distance, 2.47 / count.sqrt())
}
