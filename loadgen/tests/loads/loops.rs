//! Closed and open loops do what they promise, against a server that logs the truth.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use hola_loadgen::summary::{Arrivals, CheckName};
use hola_loadgen::{LoadError, Observer, Pace, Stop};

use crate::truth::{
    CLOSE, KEEP, Truth, answer_all, answer_once, assert_books, check, check_of, constant, failed,
    greeter, keeper, load, measure, open, request, silence,
};

#[test]
fn reconnects_without_a_failure_when_the_server_announces_the_end() {
    let server = Truth::start(|_, mut stream| {
        for answer in [KEEP, KEEP, CLOSE] {
            if !request(&mut stream) || stream.write_all(answer).is_err() {
                return;
            }
        }
    });
    let mut workload = load(server.address, 1, 30);
    workload.requests_per_connection = None;
    assert_eq!(measure(&workload).summary.counts.ok, 30);
    assert_eq!(server.accepted(), 10);
}

#[test]
fn divides_clients_and_requests_among_threads_without_losing_any() {
    let server = keeper();
    let mut workload = load(server.address, 7, 101);
    workload.threads = 3;
    workload.requests_per_connection = None;
    let summary = measure(&workload).summary;
    assert_eq!((summary.counts.ok, server.accepted()), (101, 7));
    assert_eq!(summary.generator.threads, 3);
}

#[test]
fn open_loop_sends_the_asked_number_even_with_warm_up_and_threads() {
    let server = greeter();
    for arrivals in [Arrivals::Poisson, Arrivals::Constant] {
        let mut workload = load(server.address, 1, 250);
        workload.pace = open(500.0, arrivals);
        workload.warmup = Duration::from_millis(100);
        workload.threads = 2;
        let measurement = measure(&workload);
        let counts = &measurement.summary.counts;
        assert_eq!((counts.planned, counts.ok), (250, 250));
        assert!(check(&measurement, CheckName::Offered));
    }
}

#[test]
fn open_loop_queues_with_the_intended_time_when_connections_run_out() {
    let server =
        Truth::start(|_, stream| answer_all(stream, || thread::sleep(Duration::from_millis(50))));
    let mut workload = load(server.address, 1, 40);
    workload.pace = constant(400.0);
    workload.max_in_flight = Some(2);
    workload.requests_per_connection = None;
    let summary = measure(&workload).summary;
    assert_eq!(summary.counts.ok, 40);
    assert!(server.accepted() <= 2);
    // Forty requests two at a time take a second; the last was meant to start in a tenth of one.
    let latency = &summary.latency_us;
    assert!(
        latency.response.max.unwrap() > 5.0 * latency.service.min.unwrap(),
        "{latency:?}"
    );
    let offered = &check_of(&summary, CheckName::Offered).detail;
    assert!(
        offered.contains("waited for a free connection"),
        "{offered}"
    );
}

#[test]
fn late_answers_get_one_timeout_of_grace_and_stay_in_the_distribution() {
    let server = Truth::start(|id, stream| match id % 2 {
        0 => silence(stream),
        _ => answer_once(stream, CLOSE),
    });
    let mut workload = load(server.address, 1, 1);
    workload.pace = constant(100.0);
    workload.stop = Stop::After(Duration::from_millis(400));
    // Far longer than this machine's pauses: only the requests without an answer time out.
    workload.timeout = Duration::from_secs(1);
    let measurement = measure(&workload);
    let summary = &measurement.summary;
    let counts = &summary.counts;
    assert_eq!((counts.planned, counts.in_flight_at_end), (40, 0));
    assert_eq!(failed(&measurement, "timeout", "before_first_byte"), 20);
    assert!(summary.latency_us.response.max.unwrap() >= 1_000_000.0);
}

/// Stops the run when this is true.
struct StopWhen<F>(F);

impl<F: Fn() -> bool> Observer for StopWhen<F> {
    fn should_stop(&self) -> bool {
        (self.0)()
    }
}

#[test]
fn an_early_stop_keeps_what_was_measured() {
    let server = greeter();
    let long = Stop::After(Duration::from_secs(600));
    for (pace, stop) in [
        (Pace::Closed { clients: 4 }, long),
        (Pace::Closed { clients: 4 }, Stop::Requests(100_000_000)),
        (open(500.0, Arrivals::Poisson), long),
    ] {
        let mut workload = load(server.address, 1, 1);
        (workload.pace, workload.stop) = (pace, stop);
        let enough = server.accepted() + 50;
        let stop = StopWhen(|| server.accepted() >= enough);
        let measurement = hola_loadgen::run(&workload, &stop).unwrap();
        assert_books(&measurement);
        let counts = &measurement.summary.counts;
        assert!(measurement.interrupted && counts.ok >= 40, "{counts:?}");
        assert!(measurement.window < Duration::from_secs(60));
    }
}

#[test]
fn a_stop_after_the_window_awaits_no_late_answers() {
    let server = Truth::start(|_, stream| silence(stream));
    let mut workload = load(server.address, 1, 1);
    workload.pace = constant(100.0);
    workload.stop = Stop::After(Duration::from_millis(200));
    workload.timeout = Duration::from_secs(600);
    let began = Instant::now();
    let stop = StopWhen(|| began.elapsed() >= Duration::from_millis(400));
    let measurement = hola_loadgen::run(&workload, &stop).unwrap();
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_books(&measurement);
    let counts = &measurement.summary.counts;
    assert_eq!(counts.in_flight_at_end, counts.sent, "{counts:?}");
}

#[test]
fn a_stop_during_the_warm_up_measures_nothing() {
    let server = greeter();
    let mut workload = load(server.address, 2, 1);
    workload.warmup = Duration::from_secs(600);
    let result = hola_loadgen::run(&workload, &StopWhen(|| server.accepted() > 0));
    assert!(matches!(result, Err(LoadError::StoppedInWarmup)));
}

#[test]
fn merged_measurements_add_counts_and_distributions() {
    let server = greeter();
    let mut whole = measure(&load(server.address, 2, 60));
    let part = measure(&load(server.address, 2, 40));
    let mut expected = whole.histograms.response.clone();
    expected.add(&part.histograms.response).unwrap();
    whole.merge(&part);
    assert_books(&whole);
    assert_eq!(whole.summary.counts.ok, 100);
    assert_eq!(whole.histograms.response, expected);
    let p90 = whole.summary.latency_us.response.p90;
    assert!(p90.is_some(), "a hundred samples support a 90th percentile");
}
