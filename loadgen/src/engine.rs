//! The engine: each worker thread runs one share of the load in its own event loop, and shares nothing in the hot path.

mod completion;
mod exchange;
mod job;
mod readiness;
mod slot;
mod source;
mod start;
mod transport;
mod window;
pub(crate) mod window_counts;
mod worker;

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use completion::CompletionTransport;
use job::ThreadPlan;
use readiness::ReadinessTransport;
use start::{GateOpener, Running, SetupError, Spawn, StartGate, SystemThreads};
use transport::Transport;
use window_counts::{LiveCounts, WindowCounts};
use worker::{Signals, Worker, WorkerResult};

use hola_base::process::descriptor_limit;

use crate::evidence::Evidence;
use crate::histograms::Histograms;
use crate::intervals::{self, Interval, IntervalCollector, IntervalEnd};
use crate::kernel;
use crate::measurement::Measurement;
use crate::recorder::Recorder;
use crate::sys;
use crate::throttling::{Throttling, ThrottlingMeter};
use crate::workload::{Engine, InvalidWorkload, Stop, Workload};

/// How often the calling thread checks whether to stop.
const POLL: Duration = Duration::from_millis(50);

/// Shortest time between two progress reports.
const SHOW: Duration = Duration::from_millis(500);

/// Time between a request to stop and the stop: longer than a worker's longest sleep, so that all workers stop
/// together.
const NOTICE_NS: u64 = 100_000_000;

/// Follows a run from the calling thread.
pub trait Observer {
    /// Receives a snapshot, at most twice a second.
    fn progress(&self, _progress: &Progress) {}

    /// How often to report an [`Interval`]; with `None`, the default, the workers do not collect intervals.
    fn interval_length(&self) -> Option<Duration> {
        None
    }

    /// Receives the interval that has just ended, and the distributions of the window so far.
    fn interval(&self, _interval: &Interval, _so_far: &Histograms) {}

    /// Called twenty times a second; true ends the run early and keeps what was measured so far.
    fn should_stop(&self) -> bool {
        false
    }
}

/// Is called when the measured window opens and closes, on the thread of the first worker. The call is between two of
/// its events, so a reading belongs to that very instant. The call delays the load, so it must be quick.
pub trait Probe: Sync {
    /// The window opens.
    fn window_opened(&self) {}

    /// The window closes.
    fn window_closed(&self) {}
}

/// A probe that does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProbe;

impl Probe for NoProbe {}

/// An observer that does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}

/// State of a run; the counts are those of the measured window and up to 0.1 s old.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Time since the start, warm-up included.
    pub elapsed: Duration,
    /// Requests ended, successfully or not.
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
    /// The load is invalid, or exceeds a limit of this process.
    #[error(transparent)]
    Invalid(#[from] InvalidWorkload),
    /// The system refused to spawn a worker thread; the threads already spawned have been released.
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

/// Runs `workload` on its target and measures it.
///
/// Blocks until the run is over; the calling thread only watches.
///
/// Measured requests:
///
/// - *Open loop*: those whose intended instant lies in the window, whenever they end. After the window, the run waits
///   for late answers for one timeout; they stay in the distribution.
/// - *Closed loop ended by time*: those that end in the window, even if begun in the warm-up. Those under way at its
///   end are counted as in flight.
/// - *Closed loop ended by a count*: those begun after the warm-up, until the count is reached. The run waits for all.
///
/// If the observer asks to stop, the window ends at once, and the run waits for no answer.
///
/// # Errors
/// Returns [`LoadError`] if there is no measurement. Failures of the server are no error, but part of a measurement.
pub fn run(workload: &Workload, observer: &dyn Observer) -> Result<Measurement, LoadError> {
    run_probed(workload, observer, &NoProbe)
}

/// As [`run`], and calls `probe` when the measured window opens and closes.
///
/// # Errors
/// As [`run`].
pub fn run_probed(
    workload: &Workload,
    observer: &dyn Observer,
    probe: &dyn Probe,
) -> Result<Measurement, LoadError> {
    let kernel_before = kernel::read();
    let open_files = descriptor_limit();
    workload.validate(open_files)?;
    let plan = ThreadPlan::of(workload, open_files);
    let engine = workload.engine.resolved();
    let Work {
        parts,
        stopped,
        throttling,
    } = match engine {
        Engine::Completion => work::<CompletionTransport>(&plan, observer, probe, &SystemThreads)?,
        Engine::Auto | Engine::Readiness => {
            work::<ReadinessTransport>(&plan, observer, probe, &SystemThreads)?
        }
    };
    if parts.iter().any(|part| part.window_counts.window_ns == 0) && stopped {
        return Err(LoadError::StoppedInWarmup);
    }
    let threads = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let mut recorder = Recorder::new();
    let mut window_counts = WindowCounts::new();
    for part in &parts {
        recorder.merge(&part.recorder);
        window_counts.merge(&part.window_counts);
    }
    let cpu_shares = parts.iter().map(|part| part.window_counts.cpu_share());
    let evidence = Evidence {
        planned: planned(workload, &plan, &window_counts),
        offered: plan
            .schedule
            .map(|schedule| schedule.count(plan.open_ns, plan.open_ns + window_counts.window_ns)),
        schedule: plan.schedule.map(|schedule| (schedule, plan.open_ns)),
        engine,
        threads,
        cpu_share: cpu_shares.fold(0.0, f64::max),
        stopped,
        kernel: kernel::since(kernel_before),
        throttling,
    };
    Ok(Measurement::build(
        workload,
        recorder,
        &window_counts,
        &evidence,
    ))
}

/// Requests of the plan. They are counted from the schedule again, not from what the workers did, so that the identity
/// is a check.
fn planned(workload: &Workload, plan: &ThreadPlan, window_counts: &WindowCounts) -> u64 {
    match (plan.schedule, workload.stop) {
        (Some(schedule), _) => schedule.count(plan.open_ns, plan.end_ns),
        (None, Stop::Requests(requests)) => requests,
        (None, Stop::After(_)) => window_counts.sent,
    }
}

/// What the threads of a run return.
#[derive(Debug)]
struct Work {
    parts: Vec<WorkerResult>,
    /// Whether the threads were stopped early.
    stopped: bool,
    /// Time that a CPU quota took from them since the window opened.
    throttling: Option<Throttling>,
}

/// Runs each job of `plan` on a thread of its own; all start at the same instant.
///
/// # Errors
/// Returns [`LoadError`] if a thread cannot be spawned, set up, or continue; all others have ended by then.
fn work<T: Transport>(
    plan: &ThreadPlan,
    observer: &dyn Observer,
    probe: &dyn Probe,
    spawn: &impl Spawn,
) -> Result<Work, LoadError> {
    let signals = Signals {
        stop_at_ns: AtomicU64::new(u64::MAX),
        probe,
    };
    let mut gauges: Vec<LiveCounts> = plan.jobs.iter().map(|_| LiveCounts::default()).collect();
    let mut collector = observer
        .interval_length()
        .map(|length| collector(length, &mut gauges));
    let gate = StartGate::default();
    let running = AtomicUsize::new(0);
    let caller = thread::current();
    let mut tell = |interval: &_, so_far: &_| observer.interval(interval, so_far);
    let threads = plan.jobs.len();
    let mut meter = ThrottlingMeter::start();
    let mut metered = false;
    let (results, stopped) = thread::scope(|scope| {
        let key = GateOpener(&gate);
        let (outcomes, setups) = mpsc::channel();
        let mut handles = Vec::with_capacity(threads);
        for (index, (job, live_counts)) in plan.jobs.iter().zip(&gauges).enumerate() {
            let (signals, gate, running) = (&signals, &gate, Running::new(&running, &caller));
            let outcomes = outcomes.clone();
            let body = move || {
                let _running = running;
                let worker = set_up::<T>(Worker::new(job, signals, live_counts), index, &outcomes);
                // The caller waits until every thread has reported its setup or has ended.
                drop(outcomes);
                let result = worker?.run(gate.wait()?);
                if result.is_err() {
                    // Without this thread's share there is no measurement, so the other threads need not continue.
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
        let mut follow = |gauges: &[LiveCounts]| {
            if !metered && sys::now_ns() >= open {
                // Time lost in the warm-up does not belong to the window.
                metered = true;
                meter.restart();
            }
            if let Some(collector) = &mut collector {
                collector.collect(moment(open, gauges), &mut tell);
            }
        };
        let stopped = watch(&running, &gauges, &signals, observer, &mut follow);
        let mut results: Vec<_> = handles.into_iter().filter_map(join).collect();
        if let Some(collector) = collector {
            collect_rest(collector, &mut results, moment(open, &gauges), &mut tell);
        }
        Ok::<_, LoadError>((results, stopped))
    })?;
    let throttling = meter.since_start();
    let failed = |(index, errno)| LoadError::WaitFailed {
        thread: index + 1,
        threads,
        call: T::WAITS_BY,
        source: io::Error::from(errno),
    };
    let results: Result<_, _> = results
        .into_iter()
        .enumerate()
        .map(|(index, part)| part.map_err(|errno: nix::errno::Errno| failed((index, errno))))
        .collect();
    Ok(Work {
        parts: results?,
        stopped,
        throttling,
    })
}

/// Reports the result of the setup to the caller, and returns the worker if there is one.
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

/// The result of a thread; resumes its panic in the caller.
fn join<R>(thread: ScopedJoinHandle<'_, R>) -> R {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Gives every worker a channel to hand over its recorder.
fn collector(length: Duration, gauges: &mut [LiveCounts]) -> IntervalCollector {
    let (handovers, collector) = intervals::channel(length, gauges.len());
    for (live_counts, interval_sender) in gauges.iter_mut().zip(handovers) {
        live_counts.interval_sender = Some(interval_sender);
    }
    collector
}

/// The current moment of a window that opened at `open`.
fn moment(open: u64, gauges: &[LiveCounts]) -> IntervalEnd {
    IntervalEnd {
        elapsed_ns: sys::now_ns().saturating_sub(open),
        in_flight: sums(gauges)[2],
    }
}

/// Adds what the workers did not hand over to the last intervals, and the whole to the first worker's result.
fn collect_rest(
    collector: IntervalCollector,
    results: &mut [nix::Result<WorkerResult>],
    moment: IntervalEnd,
    tell: &mut dyn FnMut(&Interval, &Histograms),
) {
    let rest: nix::Result<Vec<_>> = results
        .iter_mut()
        .map(|part| match part {
            Ok(part) => Ok((part.window_counts.sent, part.recorder.take())),
            Err(errno) => Err(*errno),
        })
        .collect();
    if let (Ok(rest), Some(Ok(first))) = (rest, results.first_mut()) {
        let whole = collector.finish(rest.into_iter(), moment, tell);
        first.recorder.merge(&whole);
    }
}

/// Reports progress and passes a request to stop on to the workers, until all workers are done; true if they were
/// stopped.
fn watch(
    running: &AtomicUsize,
    gauges: &[LiveCounts],
    signals: &Signals,
    observer: &dyn Observer,
    follow: &mut dyn FnMut(&[LiveCounts]),
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

/// Live counts of all workers, summed: completed, failed, in flight, offered.
fn sums(gauges: &[LiveCounts]) -> [u64; 4] {
    let mut sums = [0; 4];
    for live_counts in gauges {
        live_counts
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
    fn plans() -> [ThreadPlan; 2] {
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
            ThreadPlan::of(&workload, 1024)
        })
    }

    fn refusal<T: Transport>(plan: &ThreadPlan, allowed: usize) -> String {
        match work::<T>(plan, &NoObserver, &NoProbe, &AtMost(Cell::new(allowed))) {
            Err(error @ LoadError::ThreadRefused { .. }) => error.to_string(),
            other => panic!("{:?}", other.map(drop)),
        }
    }

    #[test]
    fn a_refused_thread_is_named_and_releases_those_that_wait_for_it() {
        for plan in &plans() {
            for allowed in 0..4 {
                let mut refusals = vec![refusal::<ReadinessTransport>(plan, allowed)];
                if Engine::Completion.unavailable().is_none() {
                    refusals.push(refusal::<CompletionTransport>(plan, allowed));
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
            let words =
                match work::<ReadinessTransport>(&plan, &NoObserver, &NoProbe, &SystemThreads) {
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
