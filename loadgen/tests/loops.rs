//! Closed and open loops do what they promise, against a server that logs the truth.

mod truth;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use hola_loadgen::summary::{Arrivals, CheckName};
use hola_loadgen::{InvalidWorkload, LoadError, NoObserver, Observer, Pace, Stop, Workload};
use truth::{
    CLOSE, Truth, answer_all, answer_once, assert_books, check, failed, load, measure, silence,
};

#[test]
fn uses_exactly_as_many_connections_as_requests_per_connection_allow() {
    let server = Truth::start(|_, stream| answer_all(stream, || {}));
    for (clients, per_connection, connections) in
        [(1, Some(5), 20), (4, None, 4), (3, Some(1), 100)]
    {
        let before = server.accepted();
        let mut workload = load(server.address, clients, 100);
        workload.requests_per_connection = per_connection;
        let measurement = measure(&workload);
        assert_eq!(measurement.summary.counts.ok, 100);
        assert_eq!(server.accepted() - before, connections);
        assert_eq!(measurement.summary.latency_us.connect.count, connections);
    }
}

#[test]
fn reconnects_without_a_failure_when_the_server_announces_the_end() {
    let server = Truth::start(|_, mut stream| {
        use std::io::Write;
        for last in [false, false, true] {
            if !truth::request(&mut stream)
                || stream
                    .write_all(if last { CLOSE } else { truth::KEEP })
                    .is_err()
            {
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
    let server = Truth::start(|_, stream| answer_all(stream, || {}));
    let mut workload = load(server.address, 7, 101);
    workload.threads = 3;
    workload.requests_per_connection = None;
    let measurement = measure(&workload);
    assert_eq!((measurement.summary.counts.ok, server.accepted()), (101, 7));
    assert_eq!(measurement.summary.generator.threads, 3);
}

#[test]
fn service_time_is_the_servers_own_delay() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let server = Truth::start({
        let log = Arc::clone(&log);
        move |_, stream| {
            answer_all(stream, || {
                let began = Instant::now();
                thread::sleep(Duration::from_millis(20));
                log.lock()
                    .unwrap()
                    .push(began.elapsed().as_secs_f64() * 1e6);
            });
        }
    });
    let mut workload = load(server.address, 8, 200);
    workload.requests_per_connection = None;
    let measurement = measure(&workload);
    let mut log = log.lock().unwrap().clone();
    log.sort_by(f64::total_cmp);
    assert_eq!(log.len(), 200);
    let service = &measurement.summary.latency_us.service;
    assert!(
        service.min.unwrap() >= log[0] * 0.999,
        "{service:?} {}",
        log[0]
    );
    for (seen, at) in [(service.p50, 100), (service.p90, 180)] {
        let ratio = seen.unwrap() / log[at - 1];
        assert!((0.999..2.0).contains(&ratio), "{ratio}");
    }
    assert_eq!(
        service.p99, None,
        "200 samples cannot support a 99th percentile"
    );
}

#[test]
fn open_loop_sends_the_asked_number_even_with_warm_up_and_threads() {
    let server = Truth::start(|_, stream| answer_once(stream, CLOSE));
    for arrivals in [Arrivals::Poisson, Arrivals::Constant] {
        let mut workload = load(server.address, 1, 250);
        workload.pace = Pace::Open {
            rate_per_s: 500.0,
            arrivals,
        };
        workload.warmup = Duration::from_millis(100);
        workload.threads = 2;
        let measurement = measure(&workload);
        assert_eq!(measurement.summary.counts.planned, 250);
        assert_eq!(measurement.summary.counts.ok, 250);
        assert!(check(&measurement, CheckName::Offered));
    }
}

#[test]
fn open_loop_queues_with_the_intended_time_when_connections_run_out() {
    let server =
        Truth::start(|_, stream| answer_all(stream, || thread::sleep(Duration::from_millis(50))));
    let mut workload = load(server.address, 1, 40);
    workload.pace = Pace::Open {
        rate_per_s: 400.0,
        arrivals: Arrivals::Constant,
    };
    workload.max_in_flight = Some(2);
    workload.requests_per_connection = None;
    let measurement = measure(&workload);
    assert_eq!(measurement.summary.counts.ok, 40);
    assert!(server.accepted() <= 2);
    // Forty requests two at a time take a second; the last was meant to start in a tenth of one.
    let latency = &measurement.summary.latency_us;
    assert!(
        latency.response.max.unwrap() > 5.0 * latency.service.min.unwrap(),
        "{latency:?}"
    );
    let offered = measurement
        .summary
        .validity
        .iter()
        .find(|check| check.check == CheckName::Offered)
        .unwrap();
    assert!(
        offered.detail.contains("waited for a free connection"),
        "{offered:?}"
    );
}

#[test]
fn late_answers_get_one_timeout_of_grace_and_stay_in_the_distribution() {
    let server = Truth::start(|id, stream| {
        if id % 2 == 0 {
            silence(stream);
        } else {
            answer_once(stream, CLOSE);
        }
    });
    let mut workload = load(server.address, 1, 1);
    workload.pace = Pace::Open {
        rate_per_s: 100.0,
        arrivals: Arrivals::Constant,
    };
    workload.stop = Stop::After(Duration::from_millis(400));
    // Far longer than this machine's pauses: only the requests without an answer time out.
    workload.timeout = Duration::from_secs(1);
    let measurement = measure(&workload);
    assert_eq!(measurement.summary.counts.planned, 40);
    assert_eq!(failed(&measurement, "timeout", "before_first_byte"), 20);
    assert_eq!(measurement.summary.counts.in_flight_at_end, 0);
    assert!(measurement.summary.latency_us.response.max.unwrap() >= 1_000_000.0);
}

struct StopAfter<'a>(&'a AtomicU64, u64);

impl Observer for StopAfter<'_> {
    fn should_stop(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= self.1
    }
}

#[test]
fn an_early_stop_keeps_what_was_measured() {
    let server = Truth::start(|_, stream| answer_once(stream, CLOSE));
    for (pace, stop) in [
        (
            Pace::Closed { clients: 4 },
            Stop::After(Duration::from_secs(600)),
        ),
        (Pace::Closed { clients: 4 }, Stop::Requests(100_000_000)),
        (
            Pace::Open {
                rate_per_s: 500.0,
                arrivals: Arrivals::Poisson,
            },
            Stop::After(Duration::from_secs(600)),
        ),
    ] {
        let mut workload = load(server.address, 1, 1);
        (workload.pace, workload.stop) = (pace, stop);
        let enough = server.accepted() + 50;
        let measurement =
            hola_loadgen::run(&workload, &StopAfter(&server.connections, enough)).unwrap();
        assert_books(&measurement);
        assert!(measurement.interrupted);
        assert!(
            measurement.summary.counts.ok >= 40,
            "{:?}",
            measurement.summary.counts
        );
        assert!(measurement.window < Duration::from_secs(60));
    }
}

struct StopAt(Instant);

impl Observer for StopAt {
    fn should_stop(&self) -> bool {
        Instant::now() >= self.0
    }
}

#[test]
fn a_stop_after_the_window_awaits_no_late_answers() {
    let server = Truth::start(|_, stream| silence(stream));
    let mut workload = load(server.address, 1, 1);
    workload.pace = Pace::Open {
        rate_per_s: 100.0,
        arrivals: Arrivals::Constant,
    };
    workload.stop = Stop::After(Duration::from_millis(200));
    workload.timeout = Duration::from_secs(600);
    let began = Instant::now();
    let stop = StopAt(began + Duration::from_millis(400));
    let measurement = hola_loadgen::run(&workload, &stop).unwrap();
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_books(&measurement);
    let counts = &measurement.summary.counts;
    assert_eq!(counts.in_flight_at_end, counts.sent, "{counts:?}");
}

#[test]
fn a_stop_during_the_warm_up_measures_nothing() {
    let server = Truth::start(|_, stream| answer_once(stream, CLOSE));
    let mut workload = load(server.address, 2, 1);
    workload.warmup = Duration::from_secs(600);
    let result = hola_loadgen::run(&workload, &StopAfter(&server.connections, 1));
    assert!(matches!(result, Err(LoadError::StoppedInWarmup)));
}

#[test]
fn refuses_a_plan_that_does_not_fit_the_open_files() {
    let mut workload = Workload::new(([127, 0, 0, 1], 9).into());
    workload.pace = Pace::Closed { clients: u32::MAX };
    let result = hola_loadgen::run(&workload, &NoObserver);
    assert!(matches!(
        result,
        Err(LoadError::Invalid(InvalidWorkload::OpenFiles { .. }))
    ));
}

#[test]
fn merged_measurements_add_counts_and_distributions() {
    let server = Truth::start(|_, stream| answer_once(stream, CLOSE));
    let mut whole = measure(&load(server.address, 2, 60));
    let part = measure(&load(server.address, 2, 40));
    let mut expected = whole.histograms.response.clone();
    expected.add(&part.histograms.response).unwrap();
    whole.merge(&part);
    assert_books(&whole);
    assert_eq!(whole.summary.counts.ok, 100);
    assert_eq!(whole.histograms.response, expected);
    assert!(
        whole.summary.latency_us.response.p90.is_some(),
        "a hundred samples support a 90th percentile"
    );
}
