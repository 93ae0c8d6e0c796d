//! V4: requests reach the server at the planned instants.

use std::time::Duration;

use hola_loadgen::Stop;
use hola_loadgen::schedule::Schedule;
use hola_loadgen::summary::Arrivals;

use super::{Finding, Scale, repeatedly, us};
use crate::truth::log::quantile;
use crate::truth::plan::{Plan, Work};
use crate::truth::planned::Planned;
use crate::truth::{load, measure, open};

/// Requests are so far apart that only the generator's own timer wakes it, and its two threads must share one schedule.
/// The server's timestamps minus the plan are a constant (start of the run, and transit time) plus lateness.
pub(crate) fn instants(scale: Scale) -> Finding {
    let mut finding = Finding::default();
    for arrivals in [Arrivals::Poisson, Arrivals::Constant] {
        finding.add(repeatedly(|| instants_of(arrivals, scale)));
    }
    finding
}

fn instants_of(arrivals: Arrivals, scale: Scale) -> Finding {
    let rate_per_s = 331.0;
    let server = Planned::start(Plan::delays(Work::Constant(Duration::ZERO)));
    let mut workload = load(server.address, 1, 1);
    workload.pace = open(rate_per_s, arrivals);
    workload.stop = Stop::After(scale.pick(Duration::from_millis(900), Duration::from_secs(10)));
    workload.threads = 2;
    let planned = measure(&workload).summary.counts.planned;
    let log = server.stop();
    let mut received: Vec<u64> = log
        .entries
        .iter()
        .map(|entry| entry.request.received_ns)
        .collect();
    received.sort_unstable();
    let mut finding = Finding::default();
    finding.require(
        received.len() as u64 == planned,
        format!("{} of {planned} came", received.len()),
    );
    let instants = Schedule::new(arrivals, rate_per_s, workload.seed).instants();
    let mut late: Vec<u64> = received
        .iter()
        .zip(instants)
        .map(|(received, instant)| received - instant)
        .collect();
    late.sort_unstable();
    // With a timer in milliseconds, half of the requests would be half a millisecond late; noise only adds to that.
    let typical_us = us(quantile(&late, 0.5) - quantile(&late, 0.02));
    let text = format!("{arrivals:?} arrivals: {typical_us:.0} µs late");
    finding.expect(typical_us < 250.0, text);
    finding
}
