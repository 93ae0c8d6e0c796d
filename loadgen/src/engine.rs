//! The engine: one thread per share of the load, each with its own readiness loop and nothing shared in the hot path.

mod completion;
mod exchange;
mod job;
pub(crate) mod ledger;
mod readiness;
mod slot;
mod source;
mod transport;
mod window;
mod worker;

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::Duration;

use completion::Completion;
use job::Plan;
use ledger::{Gauge, Ledger};
use readiness::Readiness;
use transport::Transport;
use worker::{Signals, Worker, Yield};

use crate::histograms::Histograms;
use crate::intervals::{self, Collector, Interval, Moment};
use crate::kernel;
use crate::measurement::{Evidence, Measurement};
use crate::recorder::Recorder;
use crate::summary::KernelEvidence;
use crate::sys;
use crate::workload::{Engine, InvalidWorkload, Stop, Workload};

/// How often the calling thread looks whether to stop.
const POLL: Duration = Duration::from_millis(50);

/// How often it shows progress, at most.
const SHOW: Duration = Duration::from_millis(500);

/// Time between a request to stop and the stop: longer than a worker's nap, so that all end together.
const NOTICE_NS: u64 = 100_000_000;

/// Follows a run from the calling thread.
pub trait Observer {
    /// Takes a snapshot, at most twice a second.
    fn progress(&self, _progress: &Progress) {}

    /// How often to tell of an [`Interval`]; `None`, the default, spares the workers the trouble.
    fn interval_length(&self) -> Option<Duration> {
        None
    }

    /// Takes what happened in the interval that has just ended, and the distributions of the window so far.
    fn interval(&self, _interval: &Interval, _so_far: &Histograms) {}

    /// Asked twenty times a second: true ends the run early, with what was measured so far.
    fn should_stop(&self) -> bool {
        false
    }
}

/// An observer that watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// Where a run stands; the counts are those of the measured window and up to 0.1 s old.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Time since the start, warm-up included.
    pub elapsed: Duration,
    /// Requests ended, well or badly.
    pub completed: u64,
    /// Requests failed.
    pub failed: u64,
    /// Requests under way, at this moment.
    pub in_flight: u64,
    /// Requests begun.
    pub offered: u64,
}

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The load makes no sense or does not fit this process.
    #[error(transparent)]
    Invalid(#[from] InvalidWorkload),
    /// A worker thread could not be set up or lost its readiness queue.
    #[error("the load generator could not run: {0}")]
    System(#[from] io::Error),
    /// The run was stopped before the measured window opened.
    #[error("stopped during the warm-up: nothing was measured")]
    StoppedInWarmup,
}

/// Puts `workload` on its target and measures.
///
/// Blocks until the run is over; the calling thread only watches.
///
/// Which requests are measured: in an *open loop* those whose intended instant lies in the window, wherever they end;
/// after it, late answers are awaited for one timeout, and stay in the distribution. In a *closed loop ended by time*
/// those that end in the window, whatever the warm-up had begun; those under way at its end are counted as in flight.
/// In a *closed loop ended by a count* the first so many begun after the warm-up, all of them awaited. A stop asked for
/// by the observer ends the window at once and awaits nothing.
///
/// # Errors
/// [`LoadError`]; a server that fails is not an error but a measurement full of failures.
pub fn run(workload: &Workload, observer: &dyn Observer) -> Result<Measurement, LoadError> {
    let kernel_before = kernel::read();
    let open_files = sys::raise_open_file_limit();
    workload.validate(open_files)?;
    let plan = Plan::of(workload, open_files);
    let engine = workload.engine.resolved();
    let (yields, stopped) = match engine {
        Engine::Completion => work::<Completion>(&plan, observer),
        Engine::Auto | Engine::Readiness => work::<Readiness>(&plan, observer),
    };
    let mut parts = Vec::with_capacity(yields.len());
    for part in yields {
        parts.push(part.map_err(io::Error::from)?);
    }
    if parts.iter().any(|part| part.ledger.window_ns == 0) && stopped {
        return Err(LoadError::StoppedInWarmup);
    }
    let kernel = kernel::since(kernel_before);
    Ok(assemble(workload, engine, &plan, &parts, stopped, kernel))
}

/// Has a thread do each job of `plan`, all from the same instant; also says whether they were stopped.
fn work<T: Transport>(plan: &Plan, observer: &dyn Observer) -> (Vec<nix::Result<Yield>>, bool) {
    let signals = Signals {
        stop_at_ns: AtomicU64::new(u64::MAX),
    };
    let mut gauges: Vec<Gauge> = plan.jobs.iter().map(|_| Gauge::default()).collect();
    let mut collector = observer
        .interval_length()
        .map(|length| collector(length, &mut gauges));
    let barrier = Barrier::new(plan.jobs.len());
    let start = OnceLock::new();
    let running = AtomicUsize::new(plan.jobs.len());
    let caller = thread::current();
    let mut tell = |interval: &_, so_far: &_| observer.interval(interval, so_far);
    thread::scope(|scope| {
        let mut threads = Vec::with_capacity(plan.jobs.len());
        for (job, gauge) in plan.jobs.iter().zip(&gauges) {
            let (signals, barrier, start, running, caller) =
                (&signals, &barrier, &start, &running, &caller);
            threads.push(scope.spawn(move || {
                let worker = Worker::<T>::new(job, signals, gauge);
                barrier.wait();
                let result = worker.and_then(|worker| worker.run(*start.get_or_init(sys::now_ns)));
                running.fetch_sub(1, Ordering::Release);
                caller.unpark();
                result
            }));
        }
        let opening = || Some(start.get()? + plan.open_ns);
        let mut follow = |gauges: &[Gauge]| {
            if let (Some(collector), Some(open)) = (&mut collector, opening()) {
                collector.collect(moment(open, gauges), &mut tell);
            }
        };
        let stopped = watch(&running, &gauges, &signals, observer, &mut follow);
        let join = |thread: thread::ScopedJoinHandle<_>| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        let mut yields: Vec<_> = threads.into_iter().map(join).collect();
        if let (Some(collector), Some(open)) = (collector, opening()) {
            collect_rest(collector, &mut yields, moment(open, &gauges), &mut tell);
        }
        (yields, stopped)
    })
}

/// Gives every worker a way to hand its recorder over.
fn collector(length: Duration, gauges: &mut [Gauge]) -> Collector {
    let (handovers, collector) = intervals::channel(length, gauges.len());
    for (gauge, handover) in gauges.iter_mut().zip(handovers) {
        gauge.handover = Some(handover);
    }
    collector
}

/// Now, in a window open since `open`.
fn moment(open: u64, gauges: &[Gauge]) -> Moment {
    Moment {
        elapsed_ns: sys::now_ns().saturating_sub(open),
        in_flight: sums(gauges)[2],
    }
}

/// Moves what the workers had not handed over to the last intervals, and the whole to the first worker's yield.
fn collect_rest(
    collector: Collector,
    yields: &mut [nix::Result<Yield>],
    moment: Moment,
    tell: &mut dyn FnMut(&Interval, &Histograms),
) {
    let rest: nix::Result<Vec<_>> = yields
        .iter_mut()
        .map(|part| match part {
            Ok(part) => Ok((part.ledger.sent, part.recorder.take())),
            Err(errno) => Err(*errno),
        })
        .collect();
    if let (Ok(rest), Some(Ok(first))) = (rest, yields.first_mut()) {
        let whole = collector.finish(rest.into_iter(), moment, tell);
        first.recorder.merge(&whole);
    }
}

/// Shows progress and passes on the wish to stop, until all workers are done; true when they were stopped.
fn watch(
    running: &AtomicUsize,
    gauges: &[Gauge],
    signals: &Signals,
    observer: &dyn Observer,
    follow: &mut dyn FnMut(&[Gauge]),
) -> bool {
    let began = std::time::Instant::now();
    let mut shown = began;
    let mut stopped = false;
    while running.load(Ordering::Acquire) > 0 {
        if !stopped && observer.should_stop() {
            signals
                .stop_at_ns
                .store(sys::now_ns() + NOTICE_NS, Ordering::Relaxed);
            stopped = true;
        }
        follow(gauges);
        if shown.elapsed() >= SHOW {
            shown = std::time::Instant::now();
            let [completed, failed, in_flight, offered] = sums(gauges);
            observer.progress(&Progress {
                elapsed: began.elapsed(),
                completed,
                failed,
                in_flight,
                offered,
            });
        }
        thread::park_timeout(POLL);
    }
    stopped
}

/// Gauges of all workers, added: completed, failed, in flight, offered.
fn sums(gauges: &[Gauge]) -> [u64; 4] {
    let mut sums = [0; 4];
    for gauge in gauges {
        gauge
            .read()
            .iter()
            .zip(&mut sums)
            .for_each(|(value, sum)| *sum += value);
    }
    sums
}

fn assemble(
    workload: &Workload,
    engine: Engine,
    plan: &Plan,
    parts: &[Yield],
    stopped: bool,
    kernel: Option<KernelEvidence>,
) -> Measurement {
    let mut recorder = Recorder::new();
    let mut ledger = Ledger::new();
    for part in parts {
        recorder.merge(&part.recorder);
        ledger.merge(&part.ledger);
    }
    let busiest = parts
        .iter()
        .map(|part| part.ledger.cpu_share())
        .fold(0.0, f64::max);
    // Counted from the schedule once more, not from what the workers did: the identity is to be a check.
    let planned = match (plan.schedule, workload.stop) {
        (Some(schedule), _) => schedule.count(plan.open_ns, plan.end_ns),
        (None, Stop::Requests(requests)) => requests,
        (None, Stop::After(_)) => ledger.sent,
    };
    let offered = plan
        .schedule
        .map(|schedule| schedule.count(plan.open_ns, plan.open_ns + ledger.window_ns));
    let threads = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let evidence = Evidence {
        planned,
        offered,
        engine,
        threads,
        cpu_share: busiest,
        stopped,
        kernel,
    };
    Measurement::build(workload, recorder, &ledger, &evidence)
}
