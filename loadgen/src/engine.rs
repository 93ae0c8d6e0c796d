//! The engine: one thread per share of the load, each with its own readiness loop and nothing shared in the hot path.

mod completion;
mod exchange;
mod job;
pub(crate) mod ledger;
mod readiness;
mod slot;
mod source;
mod start;
mod transport;
mod window;
mod worker;

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use completion::Completion;
use job::Plan;
use ledger::{Gauge, Ledger};
use readiness::Readiness;
use start::{GateKey, Running, SetupError, Spawn, StartGate, SystemThreads};
use transport::Transport;
use worker::{Signals, Worker, Yield};

use crate::histograms::Histograms;
use crate::intervals::{self, Collector, Interval, Moment};
use crate::kernel;
use crate::measurement::{Evidence, Measurement};
use crate::recorder::Recorder;
use crate::sys;
use crate::throttling::{Meter, Throttling};
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

/// Reads something at both ends of the measured window, on the thread of the first worker: between two of its events, so
/// that what is read is of that very instant. What it takes is the load's time; it must be quick.
pub trait Probe: Sync {
    /// The window opens.
    fn window_opened(&self) {}

    /// The window closes.
    fn window_closed(&self) {}
}

/// A probe that reads nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProbe;

impl Probe for NoProbe {}

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
    /// The system refused a worker thread; those made before it have been released.
    #[error(
        "could not start generator thread {thread} of {threads}: {source} (limits: RLIMIT_NPROC, pids.max of the control \
         group, kernel.threads-max, memory for its stack)"
    )]
    ThreadRefused {
        /// Number of the thread, from one.
        thread: usize,
        /// Threads of the run.
        threads: usize,
        /// What the system reports.
        source: io::Error,
    },
    /// A worker thread could not be set up; the others have been released.
    #[error("could not set up generator thread {thread} of {threads}: {refused}: {source}")]
    SetupRefused {
        /// Number of the thread, from one.
        thread: usize,
        /// Threads of the run.
        threads: usize,
        /// What was refused.
        refused: String,
        /// What the system reports.
        source: io::Error,
    },
    /// A worker thread could not wait for events any more.
    #[error("generator thread {thread} of {threads} cannot go on: {call}: {source}")]
    WaitFailed {
        /// Number of the thread, from one.
        thread: usize,
        /// Threads of the run.
        threads: usize,
        /// The system call.
        call: &'static str,
        /// What it reports.
        source: io::Error,
    },
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
    run_probed(workload, observer, &NoProbe)
}

/// The same, with `probe` told of both ends of the measured window.
///
/// # Errors
/// As [`run`].
pub fn run_probed(
    workload: &Workload,
    observer: &dyn Observer,
    probe: &dyn Probe,
) -> Result<Measurement, LoadError> {
    let kernel_before = kernel::read();
    let open_files = sys::raise_open_file_limit();
    workload.validate(open_files)?;
    let plan = Plan::of(workload, open_files);
    let engine = workload.engine.resolved();
    let Work {
        parts,
        stopped,
        throttling,
    } = match engine {
        Engine::Completion => work::<Completion>(&plan, observer, probe, &SystemThreads)?,
        Engine::Auto | Engine::Readiness => {
            work::<Readiness>(&plan, observer, probe, &SystemThreads)?
        }
    };
    if parts.iter().any(|part| part.ledger.window_ns == 0) && stopped {
        return Err(LoadError::StoppedInWarmup);
    }
    let threads = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let mut recorder = Recorder::new();
    let mut ledger = Ledger::new();
    for part in &parts {
        recorder.merge(&part.recorder);
        ledger.merge(&part.ledger);
    }
    let cpu_shares = parts.iter().map(|part| part.ledger.cpu_share());
    let evidence = Evidence {
        planned: planned(workload, &plan, &ledger),
        offered: plan
            .schedule
            .map(|schedule| schedule.count(plan.open_ns, plan.open_ns + ledger.window_ns)),
        schedule: plan.schedule.map(|schedule| (schedule, plan.open_ns)),
        engine,
        threads,
        cpu_share: cpu_shares.fold(0.0, f64::max),
        stopped,
        kernel: kernel::since(kernel_before),
        throttling,
    };
    Ok(Measurement::build(workload, recorder, &ledger, &evidence))
}

/// Requests of the plan: counted from the schedule once more, not from what the workers did, so that the identity is a check.
fn planned(workload: &Workload, plan: &Plan, ledger: &Ledger) -> u64 {
    match (plan.schedule, workload.stop) {
        (Some(schedule), _) => schedule.count(plan.open_ns, plan.end_ns),
        (None, Stop::Requests(requests)) => requests,
        (None, Stop::After(_)) => ledger.sent,
    }
}

/// What the threads of a run bring back.
#[derive(Debug)]
struct Work {
    parts: Vec<Yield>,
    /// Whether they were stopped early.
    stopped: bool,
    /// What a CPU quota took from them since the window opened.
    throttling: Option<Throttling>,
}

/// Has a thread do each job of `plan`, all from the same instant.
///
/// # Errors
/// [`LoadError`] when a thread could not be made, set up, or go on; all others have ended then.
fn work<T: Transport>(
    plan: &Plan,
    observer: &dyn Observer,
    probe: &dyn Probe,
    spawn: &impl Spawn,
) -> Result<Work, LoadError> {
    let signals = Signals {
        stop_at_ns: AtomicU64::new(u64::MAX),
        probe,
    };
    let mut gauges: Vec<Gauge> = plan.jobs.iter().map(|_| Gauge::default()).collect();
    let mut collector = observer
        .interval_length()
        .map(|length| collector(length, &mut gauges));
    let gate = StartGate::default();
    let running = AtomicUsize::new(0);
    let caller = thread::current();
    let mut tell = |interval: &_, so_far: &_| observer.interval(interval, so_far);
    let threads = plan.jobs.len();
    let mut meter = Meter::start();
    let mut metered = false;
    let (yields, stopped) = thread::scope(|scope| {
        let key = GateKey(&gate);
        let (outcomes, setups) = mpsc::channel();
        let mut handles = Vec::with_capacity(threads);
        for (index, (job, gauge)) in plan.jobs.iter().zip(&gauges).enumerate() {
            let (signals, gate, running) = (&signals, &gate, Running::new(&running, &caller));
            let outcomes = outcomes.clone();
            let body = move || {
                let _running = running;
                let worker = set_up::<T>(Worker::new(job, signals, gauge), index, &outcomes);
                // The caller waits until every thread has said how it went, or is gone.
                drop(outcomes);
                let result = worker?.run(gate.wait()?);
                if result.is_err() {
                    // A measurement without this thread's share is none: the others need not go on.
                    signals.stop_at_ns.store(0, Ordering::Relaxed);
                }
                Some(result)
            };
            let name = format!("generator-{}", index + 1);
            let refused = |source| LoadError::ThreadRefused {
                thread: index + 1,
                threads,
                source,
            };
            handles.push(spawn.spawn(scope, name, body).map_err(refused)?);
        }
        drop(outcomes);
        for (index, outcome) in setups {
            outcome.map_err(|SetupError { refused, source }| LoadError::SetupRefused {
                thread: index + 1,
                threads,
                refused,
                source,
            })?;
        }
        let open = key.open() + plan.open_ns;
        let mut follow = |gauges: &[Gauge]| {
            if !metered && sys::now_ns() >= open {
                // What the warm-up lost is not the window's.
                metered = true;
                meter.restart();
            }
            if let Some(collector) = &mut collector {
                collector.collect(moment(open, gauges), &mut tell);
            }
        };
        let stopped = watch(&running, &gauges, &signals, observer, &mut follow);
        let mut yields: Vec<_> = handles.into_iter().filter_map(join).collect();
        if let Some(collector) = collector {
            collect_rest(collector, &mut yields, moment(open, &gauges), &mut tell);
        }
        Ok::<_, LoadError>((yields, stopped))
    })?;
    let throttling = meter.since_start();
    let failed = |(index, errno)| LoadError::WaitFailed {
        thread: index + 1,
        threads,
        call: T::WAITS_BY,
        source: io::Error::from(errno),
    };
    let yields: Result<_, _> = yields
        .into_iter()
        .enumerate()
        .map(|(index, part)| part.map_err(|errno: nix::errno::Errno| failed((index, errno))))
        .collect();
    Ok(Work {
        parts: yields?,
        stopped,
        throttling,
    })
}

/// Tells the caller how setting up went, and returns the worker if there is one.
fn set_up<'run, T: Transport>(
    worker: Result<Worker<'run, T>, SetupError>,
    index: usize,
    outcomes: &Sender<(usize, Result<(), SetupError>)>,
) -> Option<Worker<'run, T>> {
    let (worker, outcome) = match worker {
        Ok(worker) => (Some(worker), Ok(())),
        Err(error) => (None, Err(error)),
    };
    // The caller may have given up already.
    let _ = outcomes.send((index, outcome));
    worker
}

/// What a thread returned; its panic goes on in the caller.
fn join<R>(thread: ScopedJoinHandle<'_, R>) -> R {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::thread::Scope;

    use nix::errno::Errno;

    use super::*;
    use crate::summary::Arrivals;
    use crate::workload::Pace;

    /// Refuses every thread after the first few, as the kernel does at a limit.
    struct AtMost(Cell<usize>);

    impl Spawn for AtMost {
        fn spawn<'scope, R: Send + 'scope>(
            &self,
            scope: &'scope Scope<'scope, '_>,
            name: String,
            body: impl FnOnce() -> R + Send + 'scope,
        ) -> io::Result<ScopedJoinHandle<'scope, R>> {
            match self.0.get().checked_sub(1) {
                Some(left) => self.0.set(left),
                None => return Err(Errno::EAGAIN.into()),
            }
            SystemThreads.spawn(scope, name, body)
        }
    }

    /// Four threads with a client each, or an open loop, for an hour.
    fn plans() -> [Plan; 2] {
        let open = Pace::Open {
            rate_per_s: 100.0,
            arrivals: Arrivals::Constant,
        };
        [Pace::Closed { clients: 4 }, open].map(|pace| {
            let workload = Workload {
                pace,
                threads: 4,
                stop: Stop::After(Duration::from_secs(3600)),
                ..Workload::new(([127, 0, 0, 1], 9).into())
            };
            Plan::of(&workload, 1024)
        })
    }

    fn refusal<T: Transport>(plan: &Plan, allowed: usize) -> String {
        match work::<T>(plan, &Unobserved, &NoProbe, &AtMost(Cell::new(allowed))) {
            Err(error @ LoadError::ThreadRefused { .. }) => error.to_string(),
            other => panic!("{:?}", other.map(drop)),
        }
    }

    #[test]
    fn a_refused_thread_is_named_and_releases_those_that_wait_for_it() {
        for plan in &plans() {
            for allowed in 0..4 {
                let mut refusals = vec![refusal::<Readiness>(plan, allowed)];
                if Engine::Completion.unavailable().is_none() {
                    refusals.push(refusal::<Completion>(plan, allowed));
                }
                for words in refusals {
                    let expected =
                        format!("could not start generator thread {} of 4: ", allowed + 1);
                    assert!(words.starts_with(&expected), "{words}");
                    assert!(words.contains("temporarily unavailable"), "{words}");
                }
            }
        }
    }

    #[test]
    fn a_thread_that_cannot_be_set_up_is_named_and_releases_the_others() {
        for mut plan in plans() {
            plan.jobs[2].cpu = Some(1023);
            let words = match work::<Readiness>(&plan, &Unobserved, &NoProbe, &SystemThreads) {
                Err(error) => error.to_string(),
                Ok(_) => panic!("no machine that this runs on has 1024 CPUs"),
            };
            assert!(
                words.starts_with(
                    "could not set up generator thread 3 of 4: cannot run on CPU 1023 (--cpus): "
                ),
                "{words}"
            );
        }
    }
}
