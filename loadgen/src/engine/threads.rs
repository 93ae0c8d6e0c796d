//! The threads of a run. Their start has two phases: all are spawned and set up, then all begin at the same instant. If
//! one of them cannot be spawned or set up, none begins.

use std::convert::Infallible;
use std::io;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::job::ThreadPlan;
use super::transport::Transport;
use super::window_counts::WorkerGauge;
use super::worker::{Signals, Worker, WorkerResult};
use super::{LoadError, Observer, Probe, start};
use crate::evidence::Evidence;
use crate::intervals::{self, IntervalCollector, IntervalEnd};
use crate::kernel;
use crate::sys;
use crate::throttling::ThrottlingMeter;

/// How often the calling thread checks whether to stop.
const POLL: Duration = Duration::from_millis(50);

/// Shortest time between two progress reports.
const SHOW: Duration = Duration::from_millis(500);

/// Time between a request to stop and the stop: longer than a worker's longest sleep, so that all workers stop
/// together.
const NOTICE_NS: u64 = 100_000_000;

/// Runs each job of `plan` on a thread of its own; all start at the same instant. Returns the result of each thread, and
/// the evidence that came from outside of them.
///
/// # Errors
/// Returns [`LoadError::Thread`] if a thread cannot be spawned, set up, or continue, and the errors of [`start::wait`];
/// all others have ended by then.
pub(super) fn run_threads<T: Transport>(
    plan: &ThreadPlan,
    observer: &dyn Observer,
    probe: &dyn Probe,
) -> Result<(Vec<WorkerResult>, Evidence), LoadError> {
    let threads = plan.jobs.len();
    let signals = Signals {
        stop_at_ns: AtomicU64::new(u64::MAX),
        probe,
    };
    let mut gauges: Vec<WorkerGauge> = plan.jobs.iter().map(|_| WorkerGauge::default()).collect();
    let mut collector = observer
        .interval_length()
        .map(|length| collector(length, &mut gauges));
    let mut tell = |interval: &_, so_far: &_| observer.interval(interval, so_far);
    let mut meter = ThrottlingMeter::new();
    let (parts, stopped, kernel_before, start) = thread::scope(|scope| {
        // Each thread waits for its start. If the list is dropped, by an error below, the threads end.
        let mut starts = Vec::with_capacity(threads);
        let mut handles = Vec::with_capacity(threads);
        let (refuse, refusals) = mpsc::channel();
        let (alive, ended) = mpsc::channel::<Infallible>();
        for ((job, gauge), number) in plan.jobs.iter().zip(&gauges).zip(1..) {
            let (start, started) = mpsc::channel();
            let (refuse, alive, signals) = (refuse.clone(), alive.clone(), &signals);
            let body = move || {
                // Dropped when the thread ends, also by a panic.
                let _alive = alive;
                let refuse_by = |reason| refuse.send((number, reason));
                let worker = Worker::<T>::new(job, signals, gauge).map_err(refuse_by);
                // The caller waits until every thread is set up or has ended.
                drop(refuse);
                let result = worker.ok()?.run(started.recv().ok()?);
                if result.is_err() {
                    // Without this thread's share there is no measurement, so the other threads need not continue.
                    signals.stop_at_ns.store(0, Ordering::Relaxed);
                }
                Some(result)
            };
            let builder = thread::Builder::new().name(format!("generator-{number}"));
            let handle = builder.spawn_scoped(scope, body).map_err(|source| {
                LoadError::Thread(format!(
                    "could not start generator thread {number} of {threads}: {source} (limits: RLIMIT_NPROC, pids.max of \
                     the control group, kernel.threads-max, memory for its stack)"
                ))
            })?;
            starts.push(start);
            handles.push(handle);
        }
        drop((refuse, alive));
        if let Ok((number, reason)) = refusals.recv() {
            return Err(LoadError::Thread(format!(
                "could not set up generator thread {number} of {threads}: {reason}"
            )));
        }
        let (started, planned) = start::wait(plan.start_at, observer)?;
        let kernel_before = kernel::read();
        for start in starts {
            // It fails if the thread has panicked, which is passed on below.
            let _ = start.send(started);
        }
        let open = started + plan.open_ns;
        let mut metered = false;
        let mut follow = |gauges: &[WorkerGauge]| {
            if !metered && sys::now_ns() >= open {
                // Time lost in the warm-up does not belong to the window.
                metered = true;
                meter.restart();
            }
            if let Some(collector) = &mut collector {
                collector.collect(moment(open, gauges), &mut tell);
            }
        };
        let stopped = watch(&ended, &gauges, &signals, observer, &mut follow);
        let results = handles.into_iter().zip(1..).filter_map(|(handle, number)| {
            let result = handle.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            Some(result.map_err(|errno: Errno| {
                let (call, source) = (T::WAITS_BY, io::Error::from(errno));
                LoadError::Thread(format!(
                    "generator thread {number} of {threads} cannot go on: {call}: {source}"
                ))
            }))
        });
        let mut parts: Vec<WorkerResult> = results.collect::<Result<_, _>>()?;
        if let Some(collector) = collector {
            let rest = parts
                .iter_mut()
                .map(|part| (part.window_counts.sent, part.recorder.take()));
            let whole = collector.finish(rest, moment(open, &gauges), &mut tell);
            parts[0].recorder.merge(&whole);
        }
        Ok((parts, stopped, kernel_before, planned))
    })?;
    let evidence = Evidence {
        stopped,
        throttling: meter.since_start(),
        kernel: kernel::since(kernel_before),
        start,
        ..Evidence::default()
    };
    Ok((parts, evidence))
}

/// Gives every worker a channel to hand over its recorder.
fn collector(length: Duration, gauges: &mut [WorkerGauge]) -> IntervalCollector {
    let (senders, collector) = intervals::channel(length, gauges.len());
    for (gauge, sender) in gauges.iter_mut().zip(senders) {
        gauge.interval_sender = Some(sender);
    }
    collector
}

/// The current moment of a window that opened at `open`.
fn moment(open: u64, gauges: &[WorkerGauge]) -> IntervalEnd {
    IntervalEnd {
        elapsed_ns: sys::now_ns().saturating_sub(open),
        in_flight: in_flight(gauges),
    }
}

/// Reports progress and passes a request to stop on to the workers, until all workers have `ended`; true if they were
/// stopped.
fn watch(
    ended: &Receiver<Infallible>,
    gauges: &[WorkerGauge],
    signals: &Signals,
    observer: &dyn Observer,
    follow: &mut dyn FnMut(&[WorkerGauge]),
) -> bool {
    let began = Instant::now();
    let mut shown = began;
    let mut stopped = false;
    loop {
        if !stopped && observer.should_stop() {
            let stop_at_ns = sys::now_ns() + NOTICE_NS;
            signals.stop_at_ns.store(stop_at_ns, Ordering::Relaxed);
            stopped = true;
        }
        follow(gauges);
        if shown.elapsed() >= SHOW {
            shown = Instant::now();
            observer.progress(began.elapsed(), in_flight(gauges));
        }
        if ended.recv_timeout(POLL) == Err(RecvTimeoutError::Disconnected) {
            return stopped;
        }
    }
}

/// Requests under way on all workers.
fn in_flight(gauges: &[WorkerGauge]) -> u64 {
    let counts = gauges.iter().map(|gauge| &gauge.in_flight);
    counts.map(|count| count.load(Ordering::Relaxed)).sum()
}
