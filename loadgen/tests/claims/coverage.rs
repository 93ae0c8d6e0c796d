//! V9: confidence intervals contain the true value as often as they claim.

use std::time::Duration;

use hola_loadgen::percentile_ns;
use hola_loadgen::summary::Arrivals;

use super::{Finding, Scale, unrest_us, us};
use crate::truth::plan::{Plan, Work};
use crate::truth::planned::Planned;
use crate::truth::{load, measure, open};

/// Requests of a run.
const REQUESTS: u64 = 100;

/// Order statistics of a hundred samples that contain the median with a probability of 95.4 %: P(41 ≤ Bin(100, ½) ≤
/// 60).
const RANKS_PERMILLE: (u64, u64) = (410, 610);

/// Many short runs, each with a confidence interval for the median of the server's delays. About 95 % of them contain
/// it only if schedule, engine, recorder and percentiles are right.
#[allow(clippy::cast_precision_loss)] // a few hundred runs
pub(crate) fn intervals(scale: Scale) -> Finding {
    let runs = scale.pick(30, 200);
    let longest = Duration::from_millis(60);
    let (from, to) = (Duration::ZERO, longest);
    let server = Planned::start(Plan::delays(Work::Uniform { from, to }));
    let mut workload = load(server.address, 1, REQUESTS);
    workload.pace = open(2000.0, Arrivals::Poisson);
    let mut intervals = Vec::new();
    for run in 0..runs {
        workload.seed = run;
        let response = measure(&workload).histograms.response;
        let at = |permille| percentile_ns(&response, permille).expect("enough samples");
        intervals.push((us(at(RANKS_PERMILLE.0)), us(at(RANKS_PERMILLE.1))));
    }
    let median_us = longest.as_secs_f64() / 2.0 * 1e6;
    let unrest_us = unrest_us(scale, &server.stop());
    let holds = |(low, high): &&(f64, f64)| low - unrest_us <= median_us && median_us <= *high;
    let held = intervals.iter().filter(holds).count();
    let below = intervals
        .iter()
        .filter(|(_, high)| *high < median_us)
        .count();
    let share = held as f64 / intervals.len() as f64;
    let mut finding = Finding::default();
    let text = format!("{held} of {runs} intervals hold it ({below} lie below)");
    finding.expect(scale.pick(0.85..=1.0, 0.90..=0.98).contains(&share), text);
    finding
}
