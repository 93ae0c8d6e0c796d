//! The engine: each worker thread runs one share of the load in its own event loop, and shares nothing in the hot path.
//!
//! ```text
//! Workload, Schedule ─▶ Job per thread ─▶ Worker on a Transport ─▶ Recorder, WindowCounts ─▶ Measurement, Summary
//! ```
//!
//! | step | file |
//! | --- | --- |
//! | divides the workload and its schedule into a job per thread | `job` |
//! | chooses the URL of each request, if there are several | `url_chooser` |
//! | starts the threads together, watches them, collects their results | `threads` |
//! | waits for the planned start of a run | `start` |
//! | runs a job: when what is due | `worker` |
//! | takes one request from its start to its outcome | `exchange` |
//! | makes the system calls: one implementation per engine | `transport`, `readiness`, `completion` |
//! | carries bytes on a socket, or in TLS on one | `channel`, `tls_channel` |
//! | records outcomes (the recorder), and counts them a second time as a check | `window_counts` |
//! | turns the sum of both into a measurement | [`run`] |

mod channel;
mod completion;
mod exchange;
mod job;
mod observer;
mod readiness;
mod slot;
mod source;
mod start;
mod threads;
#[cfg(feature = "tls")]
mod tls_channel;
mod transport;
mod url_chooser;
mod window;
pub(crate) mod window_counts;
mod worker;

use std::time::Duration;

use hola_base::process::descriptor_limit;

use channel::PlainChannel;
use completion::CompletionTransport;
use job::ThreadPlan;
pub use observer::{NoObserver, Observer, Probe};
use readiness::ReadinessTransport;
use threads::run_threads;
#[cfg(feature = "tls")]
use tls_channel::TlsChannel;
use window_counts::WindowCounts;

use crate::evidence::Evidence;
use crate::measurement::Measurement;
use crate::recorder::Recorder;
use crate::totals::Totals;
use crate::workload::{Engine, InvalidWorkload, Stop, Workload};

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The load is invalid, or exceeds a limit of this process.
    #[error(transparent)]
    Invalid(#[from] InvalidWorkload),
    /// A worker thread could not be spawned or set up, or could not wait for events any more; all others have ended.
    #[error("{0}")]
    Thread(String),
    /// The planned start had passed when the load was ready.
    #[error("too late: the load was to start at {at}, {:.3} s before it was ready", .late.as_secs_f64())]
    Late {
        /// The planned start, as RFC 3339 writes it.
        at: String,
        /// How much later the load was ready.
        late: Duration,
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
    run_probed(workload, observer, &NoObserver)
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
    collect(workload, observer, probe).map(Measurement::new)
}

/// As [`run_probed`], but returns what a measurement is made of.
pub(crate) fn collect(
    workload: &Workload,
    observer: &dyn Observer,
    probe: &dyn Probe,
) -> Result<Totals, LoadError> {
    let open_files = descriptor_limit();
    workload.validate(open_files)?;
    let plan = ThreadPlan::new(workload, open_files);
    let engine = workload.resolved_engine();
    let (parts, evidence) = match engine {
        Engine::Completion => run_threads::<CompletionTransport>(&plan, observer, probe)?,
        #[cfg(feature = "tls")]
        Engine::Auto | Engine::Readiness if workload.tls.is_some() => {
            run_threads::<ReadinessTransport<TlsChannel>>(&plan, observer, probe)?
        }
        Engine::Auto | Engine::Readiness => {
            run_threads::<ReadinessTransport<PlainChannel>>(&plan, observer, probe)?
        }
    };
    if parts.iter().any(|part| part.window_counts.window_ns == 0) && evidence.stopped {
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
        rank: workload.rank,
        planned: planned(workload, &plan, &window_counts),
        offered: plan
            .schedule
            .map(|schedule| schedule.count(plan.open_ns, plan.open_ns + window_counts.window_ns)),
        schedule: plan.schedule.map(|schedule| (schedule, plan.open_ns)),
        engine: Some(engine),
        pacing: workload.pacing,
        threads,
        cpu_share: cpu_shares.fold(0.0, f64::max),
        ..evidence
    };
    Ok(Totals::new(workload, recorder, window_counts, evidence))
}

/// Requests of this rank's share of the plan. They are counted from the schedule again, not from what the workers did, so that the identity
/// is a check.
fn planned(workload: &Workload, plan: &ThreadPlan, window_counts: &WindowCounts) -> u64 {
    match (plan.schedule, workload.stop) {
        (Some(schedule), _) => schedule.count(plan.open_ns, plan.end_ns),
        (None, Stop::Requests(requests)) => workload.rank.share(requests),
        (None, Stop::After(_)) => window_counts.sent,
    }
}
