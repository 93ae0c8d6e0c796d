//! V5: requests queue for one worker. Queueing theory gives the response times, and so does arithmetic on the schedule.

use std::thread;
use std::time::Duration;

use hola_loadgen::schedule::Schedule;
use hola_loadgen::summary::Arrivals;
use hola_loadgen::{Measurement, Stop, percentile_ns};

use super::{Finding, Scale, Within, mean_us, unrest_us, us};
use crate::truth::log::Log;
use crate::truth::plan::{Plan, Work};
use crate::truth::planned::Planned;
use crate::truth::{load, measure, open};

/// Seed of the arrivals. A sample path of this length may deviate from theory by a tenth; this one stays within 2 %, so
/// that a larger deviation comes from the generator.
const SEED: u64 = 5;

/// Load: the share of time in which the worker is busy.
const RHO: f64 = 0.7;

struct Queue {
    name: &'static str,
    arrivals: Arrivals,
    work: fn(Duration) -> Work,
    /// Mean time in the system over mean service time, by theory.
    mean: f64,
}

/// Kendall's notation: arrivals, service, workers; M is exponential, D is constant.
const QUEUES: [Queue; 3] = [
    Queue {
        name: "M/M/1",
        arrivals: Arrivals::Poisson,
        work: |mean| Work::Exponential { mean },
        // 1 / (1 − ρ)
        mean: 1.0 / (1.0 - RHO),
    },
    Queue {
        name: "M/D/1",
        arrivals: Arrivals::Poisson,
        work: Work::Constant,
        // Pollaczek and Khinchine: 1 + ρ / (2 (1 − ρ))
        mean: 1.0 + RHO / (2.0 * (1.0 - RHO)),
    },
    Queue {
        name: "D/M/1",
        arrivals: Arrivals::Constant,
        work: |mean| Work::Exponential { mean },
        // 1 / (1 − σ) with σ = exp(−(1 − σ) / ρ)
        mean: 1.0 / (1.0 - 0.466_996),
    },
];

/// Response times agree with those computed for the same queue; at full length, also with those of theory.
pub(crate) fn queues(scale: Scale) -> Finding {
    // Long compared with the wake-up time of a thread, so that the queue dominates and not the machine.
    let service = scale.pick(Duration::from_micros(2500), Duration::from_millis(10));
    let length = scale.pick(Duration::from_secs(4), Duration::from_secs(200));
    let runs: Vec<_> = QUEUES
        .iter()
        .map(|queue| thread::spawn(move || observe(queue, service, length)))
        .collect();
    let mut finding = Finding::default();
    let mut medians = Vec::new();
    for (queue, run) in QUEUES.iter().zip(runs) {
        let (measurement, path, log) = run.join().expect("a measurement");
        let within = Within {
            share: 0.05,
            us: scale.pick(500.0, 0.0) + unrest_us(scale, &log),
        };
        let response = &measurement.histograms.response;
        finding.compare_percentiles(queue.name, response, &path, &[500, 900, 990], within);
        let name = format!("{} mean", queue.name);
        finding.compare(&name, response.mean() / 1e3, mean_us(&path), within);
        medians.push(percentile_ns(response, 500).map_or(0.0, us));
        if scale == Scale::Full {
            against_theory(&mut finding, queue, service, &measurement);
        }
    }
    // The same service with equal gaps: a generator whose arrivals were not Poisson would show this instead.
    let apart = medians[0] / medians[2];
    finding.expect(apart > 1.25, format!("M/M/1 median {apart:.2} × D/M/1's"));
    finding
}

fn against_theory(
    finding: &mut Finding,
    queue: &Queue,
    service: Duration,
    measurement: &Measurement,
) {
    let service_us = service.as_secs_f64() * 1e6;
    let within = Within {
        share: 0.05,
        us: 0.0,
    };
    let response = &measurement.histograms.response;
    let name = format!("{} mean by theory", queue.name);
    let mean_us = response.mean() / 1e3;
    finding.compare(&name, mean_us, queue.mean * service_us, within);
    if queue.name != "M/M/1" {
        return;
    }
    // Exponential with rate µ − λ.
    for permille in [500_u16, 990] {
        let beyond = (1000.0 - f64::from(permille)) / 1000.0;
        let law_us = -beyond.ln() * service_us / (1.0 - RHO);
        let seen = percentile_ns(response, u64::from(permille)).map_or(0.0, us);
        let name = format!("M/M/1 {permille} ‰ by theory");
        finding.compare(&name, seen, law_us, within);
    }
}

/// The measurement, and the sorted response times that follow from the plans of both sides alone.
fn observe(queue: &Queue, service: Duration, length: Duration) -> (Measurement, Vec<u64>, Log) {
    let work = (queue.work)(service);
    let rate_per_s = RHO / service.as_secs_f64();
    let server = Planned::start(Plan::queue(work));
    let mut workload = load(server.address, 1, 1);
    workload.pace = open(rate_per_s, queue.arrivals);
    workload.stop = Stop::After(length);
    workload.timeout = Duration::from_secs(60);
    workload.seed = SEED;
    let measurement = measure(&workload);
    let schedule = Schedule::new(queue.arrivals, rate_per_s, workload.seed);
    let planned = usize::try_from(measurement.summary.counts.planned).expect("few");
    let arrivals = schedule.instants().take(planned);
    // Lindley's recursion: a request begins when it has arrived and the one before it is done.
    let mut free_ns = 0;
    let mut path: Vec<u64> = arrivals
        .zip(0..)
        .map(|(arrival_ns, number)| {
            free_ns = arrival_ns.max(free_ns) + work.ns(number);
            free_ns - arrival_ns
        })
        .collect();
    path.sort_unstable();
    (measurement, path, server.stop())
}
