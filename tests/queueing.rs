//! `iterative` serves one client at a time, so it must behave like the single server of queueing theory. Alone in its
//! process, because it measures waits of milliseconds: other tests would add to them.

mod support;

use std::time::Duration;

use hola_loadgen::schedule::Schedule;
use hola_loadgen::summary::Arrivals;
use hola_loadgen::{Measurement, NoObserver, Pace, Stop, Workload};

use self::support::Server;

/// Service time of each request, in milliseconds. The server only waits, which takes no CPU, so a busy machine matters
/// little.
const SERVICE_MS: u64 = 8;

/// Utilization: the share of time in which the server is busy.
const RHO: f64 = 0.6;

/// Seed of the arrivals: a typical sample, in which the mean wait is close to that of theory.
const SEED: u64 = 12;

fn measure(server: &Server, pace: Pace, length: Duration) -> Measurement {
    let workload = Workload {
        path: format!("/wait/{SERVICE_MS}"),
        expected_body: None,
        pace,
        stop: Stop::After(length),
        warmup: Duration::ZERO,
        timeout: Duration::from_secs(30),
        seed: SEED,
        ..Workload::new(server.address)
    };
    hola_loadgen::run(&workload, &NoObserver).expect("a measurement")
}

/// Measured service time of a request, in seconds. Clients always wait, so the server is never idle.
fn service_s(server: &Server) -> f64 {
    let pace = Pace::Closed { clients: 4 };
    let measurement = measure(server, pace, Duration::from_millis(1500));
    1.0 / measurement.summary.rates.completed_per_s
}

/// Mean wait before service, in seconds, of requests that arrive at `instants_s`: Lindley's recursion (1952).
fn mean_wait_s(instants_s: &[f64], service_s: f64) -> f64 {
    let mut free_s = 0.0;
    let waits = instants_s.iter().map(|at_s| {
        let begin_s = at_s.max(free_s);
        free_s = begin_s + service_s;
        begin_s - at_s
    });
    waits.sum::<f64>() / instants_s.len() as f64
}

/// With Poisson arrivals and a constant service time S, requests wait for ρ·S / (2(1 − ρ)) on average (Pollaczek 1930,
/// Khinchine 1932). With equal gaps they would not wait at all. So this tests the generator's arrivals and the model's
/// single server.
#[test]
fn iterative_makes_its_clients_wait_as_pollaczek_and_khinchine_say() {
    const LENGTH: Duration = Duration::from_secs(6);
    let server = Server::start("iterative");
    let mut looks = Vec::new();
    // Other work on the machine may spoil an attempt.
    for _ in 0..3 {
        let service_s = service_s(&server);
        let rate_per_s = RHO / service_s;
        let arrivals = Arrivals::Poisson;
        let pace = Pace::Open {
            rate_per_s,
            arrivals,
        };
        let summary = measure(&server, pace, LENGTH).summary;
        assert_eq!(summary.counts.ok, summary.counts.planned);
        let response_us = summary.latency_us.response.mean.expect("samples");
        let wait_s = response_us / 1e6 - service_s;
        let by_theory_s = RHO * service_s / (2.0 * (1.0 - RHO));
        let schedule = Schedule::new(arrivals, rate_per_s, SEED).instants();
        let instants_s: Vec<f64> = schedule
            .map(|at_ns| at_ns as f64 / 1e9)
            .take_while(|at_s| *at_s < LENGTH.as_secs_f64())
            .collect();
        let by_path_s = mean_wait_s(&instants_s, service_s);
        // A few hundred arrivals are one sample of the process that the theory describes…
        let is_typical = (by_path_s / by_theory_s - 1.0).abs() < 0.1;
        assert!(is_typical, "{by_path_s} s here, {by_theory_s} s on average");
        // …and for that sample, arithmetic gives the wait of each of them.
        let ratio = wait_s / by_path_s;
        if (0.85..1.15).contains(&ratio) {
            return;
        }
        looks.push([ratio, service_s, wait_s, by_path_s, by_theory_s]);
    }
    panic!("[ratio, service, wait, by arithmetic, by theory], in seconds: {looks:?}");
}
