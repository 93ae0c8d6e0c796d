//! One slice: a short load on a live server. The server's CPU account is read at both ends of the window.

use std::net::SocketAddr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use hola_loadgen::summary::{Arrivals, Check, CheckName};
use hola_loadgen::workload::{ClientProtocol, GREETING};
use hola_loadgen::{Measurement, Pace, Probe, Stop, Workload, run_probed};

use crate::disturbance;
use crate::lab::Lab;
use crate::plan::{Load, LoadPace, Stage};
use crate::process_tree::ServerAccount;
use crate::record::Slice;
use crate::running::RunningServer;
use crate::switches::Switches;

/// Checks of a load that invalidate any slice.
const ALWAYS_DECISIVE: &[CheckName] = &[
    CheckName::Identity,
    CheckName::TimeAway,
    CheckName::Throttling,
];

/// Checks that invalidate a slice in which every request should have been answered. The other checks judge what a slice
/// does not claim: in a closed loop the generator may be the limit (capacity is taken from full servers alone), and a
/// tenth of a second is too short for a trend.
const DECISIVE: &[CheckName] = &[
    CheckName::Failures,
    CheckName::Body,
    CheckName::Offered,
    CheckName::KernelEvidence,
    CheckName::Modes,
];

/// What all slices of a stage share.
pub(crate) struct SliceContext<'b> {
    /// The program, the targets, and whether the user interrupts the run.
    pub(crate) lab: &'b Lab<'b>,
    /// The stage: its CPUs.
    pub(crate) stage: &'b Stage,
    /// Counts context switches on the servers' CPUs, where that is allowed.
    pub(crate) switches: Option<Mutex<Switches>>,
}

/// Makes one slice, and returns it with the response times of its requests.
pub(crate) fn make(
    context: &SliceContext<'_>,
    server: &RunningServer,
    participant: &str,
    load: &Load,
    seed: u64,
) -> Result<(Slice, Option<Histogram<u64>>), String> {
    let account = AccountReader {
        account: server.account(),
        context,
        opened: OnceLock::new(),
        closed: OnceLock::new(),
    };
    let Some(workload) = workload(context, server.address(), participant, load, seed) else {
        thread::sleep(milliseconds(load.warmup_ms));
        account.window_opened();
        thread::sleep(milliseconds(load.window_ms));
        account.window_closed();
        return Ok((account.slice()?, None));
    };
    let measure = || run_probed(&workload, context.lab, &account);
    let measured = match &load.beside {
        None => measure(),
        Some(disturbance) => {
            let (address, cpus) = (server.address(), &context.stage.generator_cpus);
            let at_most = workload.warmup + milliseconds(load.window_ms) + workload.timeout;
            disturbance::beside(disturbance, address, cpus, at_most, seed, measure)?
        }
    };
    let measured = measured.map_err(|error| error.to_string())?;
    let slice = account.slice()?;
    Ok(with_load(slice, &measured, load))
}

/// The load as the generator's workload; `None` if the server gets no requests.
fn workload(
    context: &SliceContext<'_>,
    target: SocketAddr,
    participant: &str,
    load: &Load,
    seed: u64,
) -> Option<Workload> {
    let pace = match load.pace {
        LoadPace::Rest => return None,
        LoadPace::Closed { clients } => Pace::Closed { clients },
        LoadPace::Open { rate_per_s, .. } => Pace::Open {
            rate_per_s,
            arrivals: Arrivals::Poisson,
        },
    };
    let path = load.path_for(participant);
    let messages = load.messages.map(|messages| {
        let message = vec![b'.'; messages.bytes as usize];
        (messages.conversation, message)
    });
    let (conversation, message) = messages.unwrap_or((ClientProtocol::Http, Vec::new()));
    Some(Workload {
        conversation,
        message,
        pace,
        kept_connections: load.kept_connections(),
        path: path.to_owned(),
        expected_body: expected_body(path),
        requests_per_connection: load.requests_per_connection,
        stop: Stop::After(milliseconds(load.window_ms)),
        warmup: milliseconds(load.warmup_ms),
        timeout: milliseconds(load.timeout_ms),
        cpus: context.stage.generator_cpus.clone(),
        seed,
        ..Workload::new(target)
    })
}

/// The body of a right answer, if it is always the same and known without computing it.
pub(crate) fn expected_body(path: &str) -> Option<Vec<u8>> {
    match path.strip_prefix("/wait/") {
        Some(ms) => Some(format!("waited {ms} ms\n").into_bytes()),
        None => (path == "/").then(|| GREETING.to_vec()),
    }
}

fn with_load(
    mut slice: Slice,
    measured: &Measurement,
    load: &Load,
) -> (Slice, Option<Histogram<u64>>) {
    let summary = &measured.summary;
    let window_s = measured.window.as_secs_f64();
    // The generator reports a rate; rate times window is the count again.
    slice.answered = round(summary.rates.good_per_s * window_s);
    slice.failed = summary.counts.failed_total();
    slice.generator_share = summary.generator.cpu_share;
    let speaks_against = |check: &&Check| {
        let is_decisive = DECISIVE.contains(&check.check) && !load.expects_failures;
        !check.ok && (is_decisive || ALWAYS_DECISIVE.contains(&check.check))
    };
    let failed = summary.validity.iter().filter(speaks_against);
    slice.failed_checks = failed.map(|check| check.check).collect();
    (slice, Some(measured.histograms.response.clone()))
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a slice are positive and small"
)]
fn round(count: f64) -> u64 {
    count.round().max(0.0) as u64
}

fn milliseconds(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

/// The values read at one end of a window.
#[derive(Debug)]
struct WindowEnd {
    at: Instant,
    cpu_us: f64,
    switches: Option<u64>,
}

/// Reads a server's account when the window opens and when it closes.
struct AccountReader<'r> {
    account: &'r ServerAccount,
    context: &'r SliceContext<'r>,
    opened: OnceLock<WindowEnd>,
    closed: OnceLock<WindowEnd>,
}

impl AccountReader<'_> {
    fn read(&self) -> WindowEnd {
        let switches = self.context.switches.as_ref().and_then(|switches| {
            let mut switches = switches.lock().unwrap_or_else(PoisonError::into_inner);
            switches.so_far().ok()
        });
        WindowEnd {
            at: Instant::now(),
            cpu_us: self.account.cpu_us(),
            switches,
        }
    }

    fn slice(&self) -> Result<Slice, String> {
        let ends = self.opened.get().zip(self.closed.get());
        let (opened, closed) = ends.ok_or("the window was not closed")?;
        let window = closed.at.duration_since(opened.at);
        let switches = closed.switches.zip(opened.switches);
        Ok(Slice {
            window_us: u64::try_from(window.as_micros()).unwrap_or(u64::MAX),
            cpu_us: (closed.cpu_us - opened.cpu_us).max(0.0),
            server_cpus: u32::try_from(self.context.stage.server_cpus.len()).unwrap_or(1),
            switches: switches.map(|(closed, opened)| closed.saturating_sub(opened)),
            ..Slice::default()
        })
    }
}

/// The window of a load opens and closes once.
impl Probe for AccountReader<'_> {
    fn window_opened(&self) {
        let _ = self.opened.set(self.read());
    }

    fn window_closed(&self) {
        let _ = self.closed.set(self.read());
    }
}
