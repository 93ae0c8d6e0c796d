//! Intervals of a run add up to the whole of it, whatever the load, and however slow the observer.

use std::cell::RefCell;
use std::time::Duration;

use crate::truth::{CLOSE, Truth, answer_once, assert_books, load, open};
use hola_loadgen::{Histograms, Interval, Observer, Pace, Stop, summary::Arrivals};

#[derive(Default)]
struct Notes<'a> {
    seen: RefCell<Vec<Interval>>,
    /// Called for each interval, to simulate a slow observer.
    dawdle: Option<&'a dyn Fn()>,
}

impl Observer for Notes<'_> {
    fn interval_length(&self) -> Option<Duration> {
        Some(Duration::from_millis(100))
    }

    fn interval(&self, interval: &Interval, so_far: &Histograms) {
        if let Some(dawdle) = self.dawdle {
            dawdle();
        }
        let mut seen = self.seen.borrow_mut();
        seen.push(interval.clone());
        assert_eq!(*so_far, sum(&seen));
    }
}

fn sum(intervals: &[Interval]) -> Histograms {
    let mut sum = Histograms::new();
    for interval in intervals {
        sum.merge(&interval.histograms);
    }
    sum
}

/// Every tenth answer is cut short.
fn flawed() -> Truth {
    Truth::start(|id, stream| answer_once(stream, if id % 10 == 9 { b"HTTP/1.1" } else { CLOSE }))
}

#[test]
fn intervals_add_up_exactly_to_the_whole() {
    let server = flawed();
    let (open, closed) = (open(400.0, Arrivals::Poisson), Pace::Closed { clients: 4 });
    let by_time = Stop::After(Duration::from_millis(550));
    for (pace, stop, threads) in [
        (closed, by_time, 1),
        (closed, Stop::Requests(900), 2),
        (open, by_time, 2),
    ] {
        let mut workload = load(server.address, 4, 1);
        (workload.pace, workload.stop, workload.threads) = (pace, stop, threads);
        let notes = Notes::default();
        let measurement = hola_loadgen::run(&workload, &notes).unwrap();
        assert_books(&measurement);
        let seen = notes.seen.into_inner();
        let counts = &measurement.summary.counts;
        assert!(!seen.is_empty());
        assert_eq!(sum(&seen), measurement.histograms);
        assert_eq!(seen.iter().map(|part| part.ok).sum::<u64>(), counts.ok);
        assert_eq!(seen.iter().map(|part| part.sent).sum::<u64>(), counts.sent);
        for (cause, phases) in &counts.failed {
            for (phase, count) in phases {
                let parts = seen
                    .iter()
                    .filter_map(|part| part.failed.get(cause)?.get(phase));
                assert_eq!(parts.sum::<u64>(), *count, "{cause}, {phase}");
            }
        }
        let length: Duration = seen.iter().map(|part| part.length).sum();
        assert!(length <= measurement.window + workload.timeout * 2);
        for (index, part) in seen.iter().enumerate() {
            let start = Duration::from_millis(100) * u32::try_from(index).unwrap();
            assert_eq!(part.start, start, "no interval is left out");
        }
    }
}

#[test]
fn a_watcher_that_takes_its_time_loses_nothing_and_holds_up_nobody() {
    let server = flawed();
    let mut workload = load(server.address, 4, 1);
    workload.stop = Stop::Requests(3000);
    let dawdle = || {
        let enough = (server.accepted() + 300).min(3000);
        while server.accepted() < enough {
            std::thread::yield_now();
        }
    };
    let notes = Notes {
        dawdle: Some(&dawdle),
        ..Notes::default()
    };
    let measurement = hola_loadgen::run(&workload, &notes).unwrap();
    assert_books(&measurement);
    assert_eq!(measurement.summary.counts.sent, 3000);
    assert_eq!(sum(&notes.seen.into_inner()), measurement.histograms);
}
