//! A small probe: a few requests per second, each on a connection of its own, timed by the load generator from the instant
//! at which each was due. So it waits as any new client waits.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use hola_base::output::say;
use hola_loadgen::schedule::Arrivals;
use hola_loadgen::{
    ClientProtocol, Engine, Histograms, Interval, Observer, Pace, Stop, Workload, percentile_ns,
};
use hola_servers::conversation::Protocol;
use serde::Serialize;

/// Requests per second: few enough to cost a process per client next to nothing.
const RATE_PER_S: f64 = 20.0;
/// A request that takes longer counts as failed.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Length of an interval of the generator.
const INTERVAL: Duration = Duration::from_secs(1);
/// Length of one run of the generator; another one follows.
const RUN: Duration = Duration::from_secs(3_600);
/// Intervals that the median is of: enough to be steady, few enough to follow a change.
const MEDIAN_INTERVALS: usize = 10;
/// Intervals that are kept: at this rate, a minute has just enough requests for a 99th percentile.
const INTERVALS: usize = 60;

/// What the probe has seen lately.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct ProbeFigures {
    /// Median response time of the last 10 s, in microseconds; `null` while there are too few.
    pub(crate) p50_us: Option<f64>,
    /// 99th percentile of the response times of the last minute, in microseconds; `null` while there are too few.
    pub(crate) p99_us: Option<f64>,
    /// Requests of the last minute that failed.
    pub(crate) failed: u64,
}

/// One interval: response times in nanoseconds, each with how often it was seen, and failures.
#[derive(Debug)]
struct ProbeInterval {
    times_ns: Vec<(u64, u64)>,
    failed: u64,
}

/// What the load generator says on a connection of that kind; `None` for a chat, in which no answer follows a message.
pub(crate) fn client_protocol(conversation: Protocol) -> Option<ClientProtocol> {
    match conversation {
        Protocol::Http => Some(ClientProtocol::Http),
        Protocol::Ack => Some(ClientProtocol::Ack),
        Protocol::Echo => Some(ClientProtocol::Echo),
        Protocol::Chat => None,
    }
}

/// A probe that runs, on a thread of its own, as long as this process.
#[derive(Debug)]
pub(crate) struct ServerProbe(Mutex<VecDeque<ProbeInterval>>);

impl ServerProbe {
    /// Starts to probe the server at `address`.
    pub(crate) fn start(address: SocketAddr, conversation: ClientProtocol) -> Arc<Self> {
        let probe = Arc::new(ServerProbe(Mutex::default()));
        let running = Arc::clone(&probe);
        let workload = workload(address, conversation);
        thread::spawn(move || {
            loop {
                if let Err(error) = hola_loadgen::run(&workload, &*running) {
                    return say(format_args!("no probe: {error}"));
                }
            }
        });
        probe
    }

    /// What it has seen lately.
    pub(super) fn figures(&self) -> ProbeFigures {
        let intervals = self.intervals();
        let percentile_us = |count: usize, permille| {
            let newest = intervals.iter().rev().take(count);
            let mut histograms = Histograms::new();
            for &(time_ns, times) in newest.flat_map(|interval| &interval.times_ns) {
                histograms.response.saturating_record_n(time_ns, times);
            }
            let time_ns = percentile_ns(&histograms.response, permille)?;
            Some(time_ns as f64 / 1e3)
        };
        ProbeFigures {
            p50_us: percentile_us(MEDIAN_INTERVALS, 500),
            p99_us: percentile_us(INTERVALS, 990),
            failed: intervals.iter().map(|interval| interval.failed).sum(),
        }
    }

    fn intervals(&self) -> MutexGuard<'_, VecDeque<ProbeInterval>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for ServerProbe {
    fn interval_length(&self) -> Option<Duration> {
        Some(INTERVAL)
    }

    fn interval(&self, interval: &Interval, _so_far: &Histograms) {
        let times = interval.histograms.response.iter_recorded();
        let seen = ProbeInterval {
            times_ns: times
                .map(|one| (one.value_iterated_to(), one.count_at_value()))
                .collect(),
            failed: interval.failed.values().flat_map(BTreeMap::values).sum(),
        };
        let mut intervals = self.intervals();
        intervals.push_back(seen);
        if intervals.len() > INTERVALS {
            intervals.pop_front();
        }
    }
}

fn workload(address: SocketAddr, conversation: ClientProtocol) -> Workload {
    /// Twice as many as can be due before the first of them times out.
    const IN_FLIGHT: u32 = 80;
    Workload {
        conversation,
        pace: Pace::Open {
            rate_per_s: RATE_PER_S,
            arrivals: Arrivals::Poisson,
        },
        stop: Stop::After(RUN),
        warmup: Duration::ZERO,
        timeout: TIMEOUT,
        // Two system calls more for each request do not matter here, and this engine works everywhere.
        engine: Engine::Readiness,
        max_in_flight: Some(IN_FLIGHT),
        ..Workload::new(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe_with(intervals: impl IntoIterator<Item = (u64, u64)>) -> ServerProbe {
        let interval = |(time_ns, times)| ProbeInterval {
            times_ns: vec![(time_ns, times)],
            failed: 1,
        };
        ServerProbe(Mutex::new(intervals.into_iter().map(interval).collect()))
    }

    #[test]
    fn the_median_follows_the_last_ten_seconds_and_the_99th_percentile_the_minute() {
        let slow = std::iter::repeat_n((50_000_000, 20), 50);
        let quick = std::iter::repeat_n((1_000_000, 20), 10);
        let figures = probe_with(slow.chain(quick)).figures();
        let is_near = |time_us: Option<f64>, expected_us: f64| {
            time_us.is_some_and(|time_us| (time_us / expected_us - 1.0).abs() < 0.01)
        };
        assert!(is_near(figures.p50_us, 1_000.0), "{figures:?}");
        assert!(is_near(figures.p99_us, 50_000.0), "{figures:?}");
        assert_eq!(figures.failed, 60);
    }

    #[test]
    fn no_percentile_is_told_that_the_sample_does_not_support() {
        let figures = probe_with([(1_000_000, 20)]).figures();
        assert!(figures.p50_us.is_some() && figures.p99_us.is_none());
        assert_eq!(probe_with([]).figures(), ProbeFigures::default());
    }
}
