//! `iterative` serves one client at a time: it is the single worker of queueing theory, and must be seen to be.

mod support;

use std::time::Duration;

use hola_loadgen::schedule::Schedule;
use hola_loadgen::summary::Arrivals;
use hola_loadgen::{Measurement, NoObserver, Pace, Stop, Workload};

use self::support::Server;

/// Time that the server waits over each request, in milliseconds; waiting takes no CPU, so a busy machine matters little.
const SERVICE_MS: u64 = 8;

/// Share of time in which the server is to be busy.
const RHO: f64 = 0.6;

/// Seed of the arrivals: an ordinary draw, on which requests wait about as long as they do on average.
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

/// What a request occupies the server for, in seconds: with clients always waiting it is never idle.
fn service_s(server: &Server) -> f64 {
    let pace = Pace::Closed { clients: 4 };
    let measurement = measure(server, pace, Duration::from_millis(1500));
    1.0 / measurement.summary.rates.completed_per_s
}

/// Mean wait before service, in seconds, of requests that come at `instants_s`: Lindley's recursion (1952).
fn mean_wait_s(instants_s: &[f64], service_s: f64) -> f64 {
    let mut free_s = 0.0;
    let waits = instants_s.iter().map(|at_s| {
        let begin_s = at_s.max(free_s);
        free_s = begin_s + service_s;
        begin_s - at_s
    });
    waits.sum::<f64>() / instants_s.len() as f64
}

/// Requests that come when they please wait for ρ·S / (2(1 − ρ)) on average before a server that takes S for each
/// (Pollaczek 1930, Khinchine 1932). Arrivals at equal gaps would not wait at all: so the generator's are Poisson, and
/// the model is what it says.
#[test]
fn iterative_makes_its_clients_wait_as_pollaczek_and_khinchine_say() {
    const LENGTH: Duration = Duration::from_secs(6);
    let server = Server::start("iterative");
    let mut looks = Vec::new();
    // A machine that is busy with something else may spoil one look or another.
    for _ in 0..3 {
        let service_s = service_s(&server);
        let rate_per_s = RHO / service_s;
        let arrivals = Arrivals::Poisson;
        let pace = Pace::Open {
            rate_per_s,
            arrivals,
        };
        let measurement = measure(&server, pace, LENGTH);
        let counts = &measurement.summary.counts;
        assert_eq!(counts.ok, counts.planned, "{counts:?}");
        let response_s = measurement
            .summary
            .latency_us
            .response
            .mean
            .expect("samples")
            / 1e6;
        let wait_s = response_s - service_s;
        let by_theory_s = RHO * service_s / (2.0 * (1.0 - RHO));
        let schedule = Schedule::new(arrivals, rate_per_s, SEED).instants();
        let instants_s: Vec<f64> = schedule
            .map(|at_ns| at_ns as f64 / 1e9)
            .take_while(|at_s| *at_s < LENGTH.as_secs_f64())
            .collect();
        let by_path_s = mean_wait_s(&instants_s, service_s);
        // A few hundred arrivals are one draw from the process theory speaks of…
        assert!(
            (by_path_s / by_theory_s - 1.0).abs() < 0.1,
            "{by_path_s} s on this path, {by_theory_s} s on average"
        );
        // …and on that draw, arithmetic says what each of them waits.
        looks.push((
            wait_s / by_path_s,
            service_s,
            wait_s,
            by_path_s,
            by_theory_s,
        ));
        if (0.85..1.15).contains(&(wait_s / by_path_s)) {
            return;
        }
    }
    panic!("(ratio, service, wait, by arithmetic, by theory), in seconds: {looks:?}");
}
