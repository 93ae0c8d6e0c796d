//! V8: in a closed loop, rate × response time is the number of clients (Little, 1961).

use std::time::Duration;

use hola_loadgen::Stop;
use hola_loadgen::summary::CheckName;

use super::{Finding, Scale, mean_us, unrest_us};
use crate::truth::plan::{Plan, Work};
use crate::truth::planned::Planned;
use crate::truth::{check, load, measure};

pub(crate) fn littles_law(scale: Scale) -> Finding {
    let mut finding = Finding::default();
    for clients in [1, 16, 256] {
        // With 256 clients as many requests per second as with 16, so that the machine is not the limit.
        let delay = Duration::from_millis(if clients > 16 { 160 } else { 10 });
        // The delays differ: with equal ones, all clients would begin and end together, and the window would cut off a
        // whole round.
        let server = Planned::start(Plan::delays(Work::Uniform {
            from: delay / 2,
            to: delay * 3 / 2,
        }));
        let mut workload = load(server.address, clients, 1);
        workload.stop = Stop::After(scale.pick(Duration::from_millis(700), Duration::from_secs(8)));
        workload.warmup = Duration::from_millis(200);
        let measurement = measure(&workload);
        let response_s = measurement.summary.latency_us.response.mean.unwrap_or(0.0) / 1e6;
        let rate = measurement.summary.rates.completed_per_s;
        let population = rate * response_s / f64::from(clients);
        let text = format!("{clients}: {population:.3}");
        let band = scale.pick(0.9..=1.1, 0.98..=1.005);
        finding.require(band.contains(&population), text.clone());
        finding.require(
            check(&measurement, CheckName::LittlesLaw),
            format!("{:?}", measurement.summary.validity),
        );
        finding.note(text);
        // The server's own delay accounts for nearly all of the response time, and is never longer.
        let log = server.stop();
        let truth_us = mean_us(&log.delays_ns());
        let other_us = response_s * 1e6 - truth_us;
        finding.require(
            (-0.001 * truth_us..0.2 * truth_us + unrest_us(scale, &log)).contains(&other_us),
            format!("{clients}: response {response_s} s, delay {truth_us} µs"),
        );
    }
    finding
}
