//! What goes on beside a load, on the same server and from threads of ours.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hola_loadgen::summary::{Arrivals, Summary};
use hola_loadgen::{Observer, Pace, Stop, Workload};

use super::procedures::crashes::{Crashes, Death};
use super::procedures::heavy::HeavyRequest;
use super::procedures::slow::{self, SlowClients};

/// What goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Disturbance {
    /// Clients that send half a head and stay.
    Slow {
        /// How many.
        clients: usize,
    },
    /// A request that takes its time, again as soon as it is answered.
    HeavyAlways {
        /// What is asked for.
        path: &'static str,
    },
    /// Requests that take their time, as a Poisson process.
    HeavyNowAndThen {
        /// What is asked for.
        path: &'static str,
        /// Requests per second.
        rate_per_s: f64,
    },
    /// A client that has its handler die, again and again.
    Crashes {
        /// How.
        death: Death,
        /// How often.
        interval: Duration,
    },
}

impl fmt::Display for Disturbance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Disturbance::Slow { clients: 1 } => {
                formatter.write_str("a client that sends half a head and stays")
            }
            Disturbance::Slow { clients } => {
                write!(
                    formatter,
                    "{clients} clients that send half a head and stay"
                )
            }
            Disturbance::HeavyAlways { path } => {
                write!(formatter, "one request for {path} after another")
            }
            Disturbance::HeavyNowAndThen { path, rate_per_s } => {
                write!(formatter, "{rate_per_s} requests/s for {path}")
            }
            Disturbance::Crashes { death, interval } => write!(
                formatter,
                "a client that asks for {} every {} ms",
                death.path(),
                interval.as_millis()
            ),
        }
    }
}

impl Disturbance {
    /// Whether the server itself may die of it.
    pub fn may_kill(self) -> bool {
        matches!(self, Disturbance::Crashes { .. })
    }

    /// Starts it on the server at `target`, from threads on `cpus`, for no longer than `at_most`.
    ///
    /// # Errors
    /// One plain sentence: why it does not go on.
    pub(super) fn start(
        self,
        target: SocketAddr,
        cpus: &[usize],
        at_most: Duration,
        seed: u64,
    ) -> Result<Beside, String> {
        Ok(match self {
            Disturbance::Slow { clients } => {
                let pace = slow::Pace::Silent;
                Beside::Slow(SlowClients::start(target, clients, pace, cpus)?)
            }
            Disturbance::HeavyAlways { path } => {
                Beside::HeavyAlways(HeavyRequest::start(target, path, cpus)?)
            }
            Disturbance::HeavyNowAndThen { path, rate_per_s } => {
                let workload = Workload {
                    pace: Pace::Open {
                        rate_per_s,
                        arrivals: Arrivals::Poisson,
                    },
                    path: path.into(),
                    expected_body: None,
                    stop: Stop::After(at_most),
                    warmup: Duration::ZERO,
                    cpus: cpus.to_vec(),
                    seed,
                    ..Workload::new(target)
                };
                Beside::HeavyNowAndThen(SecondLoad::start(workload))
            }
            Disturbance::Crashes { death, interval } => {
                Beside::Crashes(Crashes::start(target, death, interval, cpus)?)
            }
        })
    }
}

/// A disturbance that goes on.
#[derive(Debug)]
pub(super) enum Beside {
    Slow(SlowClients),
    HeavyAlways(HeavyRequest),
    HeavyNowAndThen(SecondLoad),
    Crashes(Crashes),
}

impl Beside {
    /// Ends it and says what became of it, by name.
    pub(super) fn finish(self) -> BTreeMap<String, f64> {
        match self {
            Beside::Slow(slow) => slow.finish().figures(),
            Beside::HeavyAlways(heavy) => heavy.finish().figures(),
            Beside::HeavyNowAndThen(load) => load.finish(),
            Beside::Crashes(crashes) => crashes.finish().figures(),
        }
    }
}

/// A second load, from a thread of its own.
#[derive(Debug)]
pub(super) struct SecondLoad {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Option<Summary>>,
}

impl SecondLoad {
    fn start(workload: Workload) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let until = Until(Arc::clone(&over));
        // A load that cannot be made has no figures, and those are missed.
        let run = move || hola_loadgen::run(&workload, &until).ok();
        let thread = thread::spawn(move || run().map(|measurement| measurement.summary));
        SecondLoad { over, thread }
    }

    fn finish(self) -> BTreeMap<String, f64> {
        self.over.store(true, Ordering::Relaxed);
        let Some(summary) = self.thread.join().ok().flatten() else {
            return BTreeMap::new();
        };
        #[allow(clippy::cast_precision_loss, reason = "requests of a trial are few")]
        let count = |count: u64| count as f64;
        let mut figures = BTreeMap::from([
            ("heavy_answered".to_owned(), count(summary.counts.ok)),
            (
                "heavy_failed".to_owned(),
                count(summary.counts.failed_total()),
            ),
        ]);
        let mean = summary.latency_us.response.mean;
        figures.extend(mean.map(|mean| ("heavy_response_us".to_owned(), mean)));
        figures
    }
}

/// Ends the second load when the first one has ended.
struct Until(Arc<AtomicBool>);

impl Observer for Until {
    fn should_stop(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
