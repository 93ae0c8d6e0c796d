//! What the generator can do on this host, measured against a responder that does nothing else.
//!
//! [`calibrate`] gives the generator's ceiling per kind of reuse, its lateness at a modest rate, what its figures differ by
//! when nothing differs (A/A), and what it occupies. [`store`] keeps that for this host; every later measurement refers to
//! it ([`Calibration::refer`]).

mod host;
mod noise;
mod page;
mod record;
mod responder;
pub mod store;

use std::cell::Cell;
use std::io;
use std::time::Duration;

use nix::sched::sched_getaffinity;
use nix::unistd::Pid;

pub use host::Host;
pub(crate) use page::{page, reference};
pub use record::{Calibration, Ceiling, Lag, Memory, NoiseFloor, Reuse, SCHEMA_VERSION};

use crate::engine::{LoadError, Observer, run};
use crate::measurement::Measurement;
use crate::summary::Arrivals;
use crate::sys;
use crate::trend::median;
use crate::workload::{Engine, Pace, Pacing, Stop, Workload};
use responder::Responder;

/// Open files kept for everything but connections.
const FILES_RESERVED: u32 = 128;

const REUSES: [Reuse; 2] = [Reuse::PerRequest, Reuse::Kept];
const PACINGS: [Pacing; 2] = [Pacing::Sleep, Pacing::Spin];

/// Times a trial in which nothing ended is made before the machine is given up.
const ATTEMPTS: u32 = 5;

/// How much is measured: under half a minute in all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Protocol {
    /// Clients of a trial.
    pub clients: u32,
    /// Rounds of two equal trials each.
    pub rounds: u32,
    /// Measured window of a trial.
    pub trial: Duration,
    /// Warm-up of every measurement.
    pub warmup: Duration,
    /// Rate at which lateness is measured, far below any ceiling.
    pub lag_rate_per_s: f64,
    /// How long.
    pub lag_window: Duration,
    /// Clients that memory is measured with, few and many.
    pub memory_clients: [u32; 2],
}

impl Default for Protocol {
    fn default() -> Self {
        Self {
            // Enough for the generator never to wait.
            clients: 64,
            // An interval from seven rounds can cover 98 % (2⁻⁶ of the samples lie on one side of the median).
            rounds: 7,
            trial: Duration::from_millis(200),
            warmup: Duration::from_millis(100),
            // Over 10,000 requests: ten lie beyond the 99.9th percentile.
            lag_rate_per_s: 4_000.0,
            lag_window: Duration::from_millis(2_600),
            memory_clients: [64, 1_024],
        }
    }
}

/// Where a calibration stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step<'s> {
    /// What is measured next.
    pub what: &'s str,
    /// Measurements done.
    pub done: u32,
    /// Measurements in all.
    pub of: u32,
}

/// Why there is no calibration.
#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    /// The responder could not listen.
    #[error("the responder could not start: {0}")]
    Responder(#[from] io::Error),
    /// The generator could not run.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The generator got no answer: what it then measures is no ceiling.
    #[error(
        "{failed} of {ended} requests to the responder failed: nothing can be concluded from the rest"
    )]
    Unanswered {
        /// Requests that failed.
        failed: u64,
        /// Requests that ended.
        ended: u64,
    },
    /// No answer came within a trial.
    #[error(
        "no request to the responder ended within a trial: the machine is too busy to be calibrated"
    )]
    NothingEnded,
    /// The observer asked for it to stop.
    #[error("stopped: nothing was stored")]
    Stopped,
}

/// Measures the generator on this host; `show` hears of each step before it is taken.
///
/// The responder runs on a thread of this process, on another CPU than the generator where there are two.
///
/// # Errors
/// [`CalibrateError`].
pub fn calibrate(
    protocol: &Protocol,
    observer: &dyn Observer,
    show: &dyn Fn(Step<'_>),
) -> Result<Calibration, CalibrateError> {
    let [responder_cpu, generator_cpu] = placement();
    let engines: Vec<Engine> = [Engine::Readiness, Engine::Completion]
        .into_iter()
        .filter(|engine| engine.unavailable().is_none())
        .collect();
    let cells = u32::try_from(engines.len() * REUSES.len()).unwrap_or(u32::MAX);
    let others = u32::try_from(PACINGS.len() + protocol.memory_clients.len()).unwrap_or(u32::MAX);
    let bench = Bench {
        protocol,
        observer,
        show,
        responder_cpu,
        generator_cpu,
        done: Cell::new(0),
        of: cells * 2 * protocol.rounds + others,
    };
    let mut ceilings = Vec::new();
    for engine in engines {
        for reuse in REUSES {
            ceilings.push(bench.ceiling(engine, reuse)?);
        }
    }
    let mut lags = Vec::new();
    for pacing in PACINGS {
        lags.push(bench.lag(pacing)?);
    }
    let bytes_per_connection = bench.bytes_per_connection()?;
    Ok(Calibration {
        schema_version: SCHEMA_VERSION,
        made_at: jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string(),
        host: Host::here(),
        generator_cpu,
        responder_cpu,
        ceilings,
        lags,
        memory: Memory {
            resident_kib_peak: status_kib("VmHWM:"),
            bytes_per_connection,
        },
    })
}

/// CPUs of the responder and of the generator: the first and the last this process may use, none where that is the same.
fn placement() -> [Option<usize>; 2] {
    let allowed: Vec<usize> = sched_getaffinity(Pid::from_raw(0)).map_or_else(
        |_| Vec::new(),
        |set| {
            (0..nix::sched::CpuSet::count())
                .filter(|&cpu| set.is_set(cpu).unwrap_or(false))
                .collect()
        },
    );
    match allowed.as_slice() {
        [first, .., last] => [Some(*first), Some(*last)],
        _ => [None, None],
    }
}

/// What all measurements of a calibration share.
struct Bench<'b> {
    protocol: &'b Protocol,
    observer: &'b dyn Observer,
    show: &'b dyn Fn(Step<'_>),
    responder_cpu: Option<usize>,
    generator_cpu: Option<usize>,
    done: Cell<u32>,
    of: u32,
}

impl Bench<'_> {
    /// The ceiling of an engine with one kind of reuse: medians over all trials, the noise from how their two halves differ.
    fn ceiling(&self, engine: Engine, reuse: Reuse) -> Result<Ceiling, CalibrateError> {
        let responder = Responder::start(reuse, self.responder_cpu)?;
        let workload = Workload {
            engine,
            ..self.closed(&responder, reuse, self.protocol.clients)
        };
        let what = format!("{}, {}", engine.name(), words(reuse));
        let (mut rates, mut costs) = (Vec::new(), Vec::new());
        let mut shares = Vec::new();
        for round in 0..self.protocol.rounds {
            let (mut rate, mut cost) = ([0.0; 2], [0.0; 2]);
            // The series take turns at being first.
            for series in [round % 2, 1 - round % 2].map(|series| series as usize) {
                let summary = self.measure(&workload, &what, self.observer)?.summary;
                rate[series] = summary.rates.good_per_s;
                let spent = summary.generator.cpu_us_per_request;
                cost[series] = spent.ok_or(CalibrateError::NothingEnded)?;
                shares.push(summary.generator.cpu_share);
            }
            rates.push(rate);
            costs.push(cost);
        }
        let middle = |rounds: &[[f64; 2]]| median(&mut rounds.as_flattened().to_vec());
        let cpu_us_per_request = middle(&costs);
        Ok(Ceiling {
            engine,
            reuse,
            clients: self.protocol.clients,
            trials: 2 * self.protocol.rounds,
            ceiling_per_s: 1e6 / cpu_us_per_request,
            rate_per_s: middle(&rates),
            cpu_us_per_request,
            cpu_share: median(&mut shares),
            noise_floor: NoiseFloor {
                rate: noise::floor(&rates),
                cpu: noise::floor(&costs),
            },
        })
    }

    /// How late requests leave at a modest rate.
    fn lag(&self, pacing: Pacing) -> Result<Lag, CalibrateError> {
        let responder = Responder::start(Reuse::Kept, self.responder_cpu)?;
        let rate_per_s = self.protocol.lag_rate_per_s;
        let workload = Workload {
            pace: Pace::Open {
                rate_per_s,
                arrivals: Arrivals::Poisson,
            },
            stop: Stop::After(self.protocol.lag_window),
            pacing,
            ..self.closed(&responder, Reuse::Kept, self.protocol.clients)
        };
        let lag = self
            .measure(&workload, "pacing lag", self.observer)?
            .summary
            .latency_us
            .lag;
        Ok(Lag {
            pacing,
            rate_per_s,
            lag_us_p50: lag.p50,
            lag_us_p99: lag.p99,
            lag_us_p99_9: lag.p99_9,
        })
    }

    /// What one more connection adds to this process's memory; `None` where the kernel does not tell.
    fn bytes_per_connection(&self) -> Result<Option<u64>, CalibrateError> {
        let responder = Responder::start(Reuse::Kept, self.responder_cpu)?;
        let mut peaks_kib = [None; 2];
        // Both ends of a connection are this process's files.
        let room = u32::try_from(sys::raise_open_file_limit() / 2).unwrap_or(u32::MAX);
        let [few, many] = self
            .protocol
            .memory_clients
            .map(|clients| clients.min(room.saturating_sub(FILES_RESERVED)).max(1));
        for (clients, peak) in [few, many].into_iter().zip(&mut peaks_kib) {
            let workload = self.closed(&responder, Reuse::Kept, clients);
            let weighing = Weighing {
                observer: self.observer,
                most_kib: Cell::new(None),
            };
            self.measure(&workload, "memory", &weighing)?;
            *peak = weighing.most_kib.get();
        }
        let [Some(light), Some(heavy)] = peaks_kib else {
            return Ok(None);
        };
        let more = u64::from(many.saturating_sub(few).max(1));
        Ok(Some(1024 * heavy.saturating_sub(light) / more))
    }

    fn closed(&self, responder: &Responder, reuse: Reuse, clients: u32) -> Workload {
        Workload {
            pace: Pace::Closed { clients },
            requests_per_connection: match reuse {
                Reuse::PerRequest => Some(1),
                Reuse::Kept => None,
            },
            stop: Stop::After(self.protocol.trial),
            warmup: self.protocol.warmup,
            engine: Engine::Readiness,
            cpus: self.generator_cpu.into_iter().collect(),
            ..Workload::new(responder.address)
        }
    }

    /// Runs one load, again if need be: on a busy machine a whole trial may pass without a turn for either side.
    fn measure(
        &self,
        workload: &Workload,
        what: &str,
        observer: &dyn Observer,
    ) -> Result<Measurement, CalibrateError> {
        let (done, of) = (self.done.get(), self.of);
        (self.show)(Step { what, done, of });
        for _ in 0..ATTEMPTS {
            let measured = run(workload, observer);
            if self.observer.should_stop() {
                return Err(CalibrateError::Stopped);
            }
            let measurement = measured?;
            let counts = &measurement.summary.counts;
            let failed = counts.failed_total();
            if failed > 0 {
                return Err(CalibrateError::Unanswered {
                    failed,
                    ended: counts.ok + failed,
                });
            }
            if counts.ok > 0 {
                self.done.set(done + 1);
                return Ok(measurement);
            }
        }
        Err(CalibrateError::NothingEnded)
    }
}

/// Watches what the process occupies while it measures.
struct Weighing<'o> {
    observer: &'o dyn Observer,
    most_kib: Cell<Option<u64>>,
}

impl Observer for Weighing<'_> {
    fn should_stop(&self) -> bool {
        self.most_kib
            .set(self.most_kib.get().max(status_kib("RssAnon:")));
        self.observer.should_stop()
    }
}

/// A line of `/proc/self/status`, in KiB.
fn status_kib(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

fn words(reuse: Reuse) -> &'static str {
    match reuse {
        Reuse::PerRequest => "a connection per request",
        Reuse::Kept => "connections kept",
    }
}
