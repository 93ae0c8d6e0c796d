//! V1 and V2: the server's delays, as the generator sees them.

use std::time::Duration;

use hola_loadgen::summary::Arrivals;
use hola_loadgen::{Measurement, Stop, percentile_ns};

use super::{Finding, OF_THE_LOG, Scale, repeatedly, samples, unrest_us, us};
use crate::truth::log::Log;
use crate::truth::plan::{Plan, Work};
use crate::truth::planned::Planned;
use crate::truth::{load, measure, open};

/// Loads a server that follows `plan`, with equal gaps; returns the measurement and the server's log.
fn observe(plan: Plan, rate_per_s: f64, length: Duration) -> (Measurement, Log) {
    let server = Planned::start(plan);
    let mut workload = load(server.address, 1, 1);
    workload.pace = open(rate_per_s, Arrivals::Constant);
    workload.stop = Stop::After(length);
    let measurement = measure(&workload);
    (measurement, server.stop())
}

/// Each printed percentile agrees with the server's log.
pub(crate) fn constant(scale: Scale) -> Finding {
    let mut finding = Finding::default();
    for delay_ms in [1, 10, 100] {
        finding.add(repeatedly(|| constant_of(delay_ms, scale)));
    }
    finding
}

fn constant_of(delay_ms: u64, scale: Scale) -> Finding {
    let mut finding = Finding::default();
    let plan = Plan::delays(Work::Constant(Duration::from_millis(delay_ms)));
    let length = scale.pick(Duration::from_millis(700), Duration::from_secs(8));
    let (measurement, log) = observe(plan, 1500.0, length);
    let truth = log.delays_ns();
    let planned = measurement.summary.counts.planned;
    finding.require(
        truth.len() as u64 == planned && measurement.summary.counts.ok == planned,
        format!("{} of {planned} answered", truth.len()),
    );
    let mut within = OF_THE_LOG;
    within.us += unrest_us(scale, &log);
    // The generator connects and sends at once, so the time since the start of a request is the server's delay, too.
    let histograms = &measurement.histograms;
    for (name, seen) in [
        ("response", &histograms.response),
        ("service", &histograms.service),
    ] {
        let name = format!("{delay_ms} ms: {name}");
        finding.compare_percentiles(&name, seen, &truth, &[500, 900, 990, 999], within);
    }
    finding
}

/// Percentiles lie on the right side of the jump, and the whole distribution agrees with the server's.
#[allow(clippy::cast_precision_loss)] // a few thousand samples
pub(crate) fn bimodal(scale: Scale) -> Finding {
    let mut finding = Finding::default();
    let plan = Plan::delays(Work::Bimodal {
        fast: Duration::from_millis(1),
        slow: Duration::from_millis(100),
        one_in: 100,
    });
    // 2,000 requests, of which ten lie beyond the last percentile looked at.
    let length = scale.pick(Duration::from_millis(2000), Duration::from_secs(20));
    let (measurement, log) = observe(plan, 1000.0, length);
    let response = &measurement.histograms.response;
    let truth = log.delays_ns();
    for (permille, fast) in [(985, true), (995, false)] {
        let Some(seen) = percentile_ns(response, permille) else {
            finding.require(false, format!("too few samples for {permille} ‰"));
            continue;
        };
        let text = format!("{permille} ‰ {:.1} ms", us(seen) / 1e3);
        // Half-way between the two delays.
        finding.expect((seen < 50_000_000) == fast, text);
    }
    let seen = samples(response);
    let distance = distance(&seen, &truth, unrest_us(scale, &log));
    // Dvoretzky, Kiefer and Wolfowitz's band at 95 %, with Massart's constant.
    let band = ((2.0_f64 / 0.05).ln() / (2.0 * truth.len() as f64)).sqrt() + 0.002;
    finding.require(
        distance <= band,
        format!("distributions {distance:.4} apart, {band:.4} allowed"),
    );
    finding.note(format!("{distance:.4} apart ({band:.4})"));
    finding
}

/// Largest distance of two distributions. What was seen may be later than the truth by the usual tolerance, but not
/// earlier.
#[allow(clippy::cast_precision_loss)] // a few thousand samples
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a short time
fn distance(seen: &[u64], truth: &[u64], unrest_us: f64) -> f64 {
    let unrest_ns = (unrest_us * 1e3) as u64;
    let share = |sorted: &[u64], at_most: u64| {
        sorted.partition_point(|value| *value <= at_most) as f64 / sorted.len() as f64
    };
    let late = |at: u64| at + 1_000_000.max(at / 100) + unrest_ns;
    let missing = truth
        .iter()
        .map(|at| share(truth, *at) - share(seen, late(*at)));
    // A histogram's value is at most 0.1 % above its sample, so never below it.
    let early = seen.iter().map(|at| share(seen, *at) - share(truth, *at));
    missing.chain(early).fold(0.0, f64::max)
}
