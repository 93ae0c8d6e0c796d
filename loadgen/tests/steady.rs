//! Whether a server was in a steady state is judged from the whole window, whoever follows the run.

mod truth;

use std::thread;
use std::time::{Duration, Instant};

use hola_loadgen::summary::Check;
use hola_loadgen::{Measurement, Observer, Stop, Unobserved, Workload};
use truth::{Truth, answer_all, load};

fn steady_state(measurement: &Measurement) -> &Check {
    let mut checks = measurement.summary.validity.iter();
    checks.find(|check| check.check == "steady_state").unwrap()
}

fn closed(server: &Truth, window: Duration) -> Workload {
    let mut workload = load(server.address, 8, 1);
    workload.stop = Stop::After(window);
    workload.requests_per_connection = None;
    workload
}

/// A server that takes 20 ms at first and 1 ms less with every tenth of a second, down to 1 ms.
fn warming() -> Truth {
    const SLOWEST_MS: u128 = 20;
    let born = Instant::now();
    Truth::start(move |_, stream| {
        answer_all(stream, || {
            let ms = SLOWEST_MS.saturating_sub(born.elapsed().as_millis() / 100);
            thread::sleep(Duration::from_millis(u64::try_from(ms.max(1)).unwrap()));
        });
    })
}

/// Asks for intervals, as a live line does.
struct Following;

impl Observer for Following {
    fn interval_length(&self) -> Option<Duration> {
        Some(Duration::from_millis(200))
    }
}

#[test]
fn a_server_that_warms_up_in_the_window_is_named_whoever_follows_the_run() {
    for observer in [&Unobserved as &dyn Observer, &Following] {
        let server = warming();
        let workload = closed(&server, Duration::from_millis(2_200));
        let measurement = hola_loadgen::run(&workload, observer).unwrap();
        let check = steady_state(&measurement);
        assert!(
            !check.ok && check.detail.contains("the median moved by -"),
            "{}",
            check.detail
        );
    }
}

#[test]
fn a_short_trial_is_not_judged() {
    let server = warming();
    let workload = closed(&server, Duration::from_millis(700));
    let measurement = hola_loadgen::run(&workload, &Unobserved).unwrap();
    let check = steady_state(&measurement);
    assert!(
        check.ok && check.detail.starts_with("not judged"),
        "{}",
        check.detail
    );
}
