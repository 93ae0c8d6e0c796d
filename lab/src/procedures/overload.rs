//! More requests than a server can answer, for long enough that a queue can grow.
//!
//! The capacity is that of a closed loop on a fresh server of the same participant just before. Then another fresh
//! server gets an open loop at a multiple of it. Its queue is bounded, and soon full; how long clients wait is told in
//! multiples of the time that the server needs for a full queue. Only answers within that deadline count as good, and
//! only in the second half of the time: in the first half the queue is still growing.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use hola_loadgen::summary::{Arrivals, CheckName};
use hola_loadgen::{Histograms, Interval, Observer, Pace, Stop, Workload};

use super::limit::{self, LimitWatch};
use super::{FreshServer, ProcedureResult};
use crate::metric::Metric;
use crate::record::{share, to_f64};

/// Requested path: about 0.2 ms of computing, so that the generator can offer three times what one CPU serves.
const PATH: &str = "/compute/100000";
/// The deadline of an answer in the closed loop.
const CAPACITY_TIMEOUT: Duration = Duration::from_secs(1);
/// The queue: so many clients are served at once, and as many more wait to be accepted. The kernel allows that backlog
/// (net.core.somaxconn is 4,096), and so many threads are many.
const QUEUE_CLIENTS: u32 = 1_024;
/// Clients of the closed loop: enough that the server is never without work.
const CAPACITY_CLIENTS: u32 = 64;
const CAPACITY_WARMUP: Duration = Duration::from_millis(100);
const CAPACITY_WINDOW: Duration = Duration::from_millis(500);
/// Most requests at once: as many as arrive within the longest deadline at three times the capacity.
const IN_FLIGHT_MAX: u32 = 16_000;
/// The share of planned requests that must have been sent.
const SENT_MIN: f64 = 0.95;

/// Measures the capacity, then the goodput at `of_capacity` times that rate for `duration`, of clients that wait
/// `deadline_of_queue` times as long as a full queue takes.
pub(super) fn measure(
    fresh: &FreshServer<'_>,
    of_capacity: f64,
    duration: Duration,
    deadline_of_queue: f64,
) -> Result<ProcedureResult, String> {
    let mut found = ProcedureResult::default();
    let capacity_per_s = capacity(fresh, &mut found)?;
    let full_queue_s = f64::from(2 * QUEUE_CLIENTS) / capacity_per_s;
    let (in_flight_max, _) = limit::most_clients(IN_FLIGHT_MAX);
    let queue = QUEUE_CLIENTS.to_string();
    let server = fresh.start(&[("--backlog", &queue), ("--max-clients", &queue)])?;
    let workload = Workload {
        pace: Pace::Open {
            rate_per_s: capacity_per_s * of_capacity,
            arrivals: Arrivals::Poisson,
        },
        stop: Stop::After(duration),
        timeout: Duration::from_secs_f64(full_queue_s * deadline_of_queue),
        max_in_flight: Some(in_flight_max),
        ..workload(fresh, server.address())
    };
    let second_half = SecondHalf {
        limits: LimitWatch::new(server.pid(), fresh.lab.interrupted),
        half: duration / 2,
        good: Cell::new(0),
    };
    let measured = fresh.load(&workload, &second_half)?;
    let counts = &measured.summary.counts;
    let sent = share(counts.sent, counts.planned).unwrap_or(0.0);
    let good_per_s = to_f64(second_half.good.get()) / second_half.half.as_secs_f64();

    found.figure(Metric::GoodputOfCapacity, good_per_s / capacity_per_s);
    if let Some(limit) = second_half.limits.reached() {
        found.note_limit(&limit);
    }
    let why = "memory was low before the time was up";
    found.check("memory", !measured.interrupted, why);
    let why = format!("only {:.0} % of the requests were sent", sent * 100.0);
    found.check("offered", sent >= SENT_MIN, why);
    found.note_end(server.stop());
    Ok(found)
}

/// Good answers per second of a closed loop on a fresh server.
fn capacity(fresh: &FreshServer<'_>, found: &mut ProcedureResult) -> Result<f64, String> {
    let server = fresh.start(&[])?;
    let workload = Workload {
        pace: Pace::Closed {
            clients: CAPACITY_CLIENTS,
        },
        stop: Stop::After(CAPACITY_WINDOW),
        warmup: CAPACITY_WARMUP,
        ..workload(fresh, server.address())
    };
    let limits = LimitWatch::new(server.pid(), fresh.lab.interrupted);
    let summary = fresh.load(&workload, &limits)?.summary;
    found.note_end(server.stop());
    let capacity_per_s = summary.rates.good_per_s;
    if capacity_per_s <= 0.0 {
        return Err("no request was answered when its capacity was measured".into());
    }
    found.note("capacity_per_s", format_args!("{capacity_per_s:.0}"));
    // If the generator is at its limit, the rate is not the server's capacity.
    let mut checks = summary.validity.iter();
    if let Some(generator) = checks.find(|check| check.check == CheckName::Generator) {
        found.check(generator.check.name(), generator.ok, &generator.detail);
    }
    Ok(capacity_per_s)
}

fn workload(fresh: &FreshServer<'_>, target: SocketAddr) -> Workload {
    Workload {
        path: PATH.into(),
        expected_body: None,
        timeout: CAPACITY_TIMEOUT,
        ..fresh.workload(target)
    }
}

/// Counts the good answers that come in the second half of the window.
struct SecondHalf<'s> {
    limits: LimitWatch<'s>,
    half: Duration,
    good: Cell<u64>,
}

impl Observer for SecondHalf<'_> {
    fn interval_length(&self) -> Option<Duration> {
        Some(self.half)
    }

    fn interval(&self, interval: &Interval, _so_far: &Histograms) {
        // The third interval holds answers that come after the window.
        if interval.start == self.half {
            self.good.set(self.good.get() + interval.ok);
        }
    }

    fn should_stop(&self) -> bool {
        self.limits.should_stop()
    }
}
