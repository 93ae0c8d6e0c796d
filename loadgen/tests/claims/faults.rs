//! V6: every fault is counted exactly, under its cause.

use std::time::Duration;

use hola_loadgen::summary::CheckName;

use super::{Finding, Scale};
use crate::truth::plan::{FAULTS, Fate, Plan, Refusals, Work};
use crate::truth::planned::Planned;
use crate::truth::{check, failed, load, measure};

pub(crate) fn counted(scale: Scale) -> Finding {
    let mut finding = Finding::default();
    faults(scale, &mut finding);
    refusals(scale, &mut finding);
    finding
}

fn faults(scale: Scale, finding: &mut Finding) {
    let server = Planned::start(Plan {
        each_fault_once_in: Some(100),
        ..Plan::delays(Work::Constant(Duration::ZERO))
    });
    let mut workload = load(server.address, 8, scale.pick(1000, 20_000));
    workload.timeout = scale.pick(Duration::from_millis(400), Duration::from_secs(1));
    // Two threads, so that their counts must be merged.
    workload.threads = 2;
    let measurement = measure(&workload);
    let log = server.stop();
    let (ok, answered) = (measurement.summary.counts.ok, log.count(Fate::Answered));
    finding.expect(ok == answered, format!("{ok} ok ({answered})"));
    for (fate, name, (cause, phase)) in FAULTS {
        let (seen, truth) = (failed(&measurement, cause, phase), log.count(fate));
        let text = format!("{name} {seen} ({truth})");
        finding.expect(seen == truth && truth > 0, text);
    }
    let counts = &measurement.summary.counts;
    let told: u64 = FAULTS.iter().map(|(fate, ..)| log.count(*fate)).sum();
    finding.require(counts.failed_total() == told, format!("{counts:?}"));
    // Failures are samples of "at least this long", and 7 % of the requests fail: this affects the 99th percentile and
    // the maximum.
    let response = &measurement.summary.latency_us.response;
    finding.require(
        response.is_censored("p99")
            && response.max.unwrap_or(0.0) >= workload.timeout.as_secs_f64() * 0.99e6,
        format!("p99 is only known from below, and the longest is a timeout: {response:?}"),
    );
    let checks = [CheckName::Failures, CheckName::LittlesLaw].map(|name| check(&measurement, name));
    let validity = &measurement.summary.validity;
    finding.require(checks == [false, true], format!("{validity:?}"));
}

/// The server cannot count refused connections, but it counts accepted ones: the rest of the plan was refused.
fn refusals(scale: Scale, finding: &mut Finding) {
    let server = Planned::start(Plan {
        refusals: Some(Refusals {
            every: 50,
            pause: Duration::from_millis(20),
        }),
        ..Plan::delays(Work::Constant(Duration::ZERO))
    });
    // One client: it never waits in the accept queue when the listener closes.
    let measurement = measure(&load(server.address, 1, scale.pick(220, 2000)));
    let counts = &measurement.summary.counts;
    let truth = counts.planned - server.stop().connections;
    let seen = failed(&measurement, "refused", "connect");
    let text = format!("refused {seen} ({truth})");
    finding.expect(
        seen == truth && truth > 0 && seen == counts.failed_total(),
        text,
    );
}
