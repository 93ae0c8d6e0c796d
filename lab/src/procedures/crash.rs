//! Requests of other clients while one client repeatedly makes its handler die, on one fresh server.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use hola_base::process::Cpus;
use hola_loadgen::summary::Arrivals;
use hola_loadgen::{Pace, Stop, Workload};

use super::client::{ask, is_greeted};
use super::{FreshServer, ProcedureResult, percentile_us};
use crate::metric::Metric;
use crate::plan::Death;
use crate::record::share;
use crate::slice::expected_body;

/// Pause before each crash.
const INTERVAL: Duration = Duration::from_millis(100);
/// Requested path of the other clients: short waits, so that some requests are always pending.
const OTHERS_PATH: &str = "/wait/2";
const OTHERS_PER_S: f64 = 200.0;
/// Longest wait of another client for its answer.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Load before the window.
const WARMUP: Duration = Duration::from_millis(100);
/// Longest wait for a handler to die.
const DEATH_MAX: Duration = Duration::from_secs(5);
/// Longest wait for a fresh client to be greeted again. A worker that has died is replaced within half a second.
const RECOVERY_MAX: Duration = Duration::from_secs(2);
/// Pause before a fresh client tries again.
const TRY_AGAIN: Duration = Duration::from_millis(1);

/// Asks a fresh server for a crash ten times a second, beside an open loop of other clients.
pub(super) fn measure(
    fresh: &FreshServer<'_>,
    death: Death,
    window: Duration,
) -> Result<ProcedureResult, String> {
    let mut server = fresh.start(&[("--allow-crash", "")])?;
    let address = server.address();
    let others = Workload {
        pace: Pace::Open {
            rate_per_s: OTHERS_PER_S,
            arrivals: Arrivals::Poisson,
        },
        path: OTHERS_PATH.into(),
        expected_body: expected_body(OTHERS_PATH),
        stop: Stop::After(window),
        warmup: WARMUP,
        timeout: TIMEOUT,
        ..fresh.workload(address)
    };
    let (measured, crashes) = thread::scope(|scope| {
        // Dropping `stop` tells the thread to end.
        let (stop, stopped) = mpsc::channel();
        let crashes = scope.spawn(move || crash_again_and_again(fresh, address, death, &stopped));
        let measured = fresh.load(&others, fresh.lab);
        drop(stop);
        // The thread itself has reported a panic.
        (measured, crashes.join().unwrap_or_default())
    });
    let counts = measured?.summary.counts;
    let survived = server.is_alive() && is_greeted(address, RECOVERY_MAX);

    let mut found = ProcedureResult::default();
    let answered = share(counts.ok, counts.planned);
    found.figure(Metric::OthersFailed, answered.map(|share| 1.0 - share));
    found.figure(Metric::Survived, f64::from(u8::from(survived)));
    let recovery_us = percentile_us(&crashes.recoveries, 0.5);
    found.figure(Metric::RecoveryTime, recovery_us);
    let Crashes { asked, died, .. } = crashes;
    found.note("crashes", format_args!("{died} of {asked} handlers died"));
    found.check("crashed", died > 0, "no handler died");
    if survived {
        found.note_end(server.stop());
    }
    Ok(found)
}

/// The results of the crash requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Crashes {
    asked: usize,
    /// Requests whose handler died: the connection ended without a whole answer, or with a 500.
    died: usize,
    /// Time from each death to the whole greeting of a fresh client, which waits behind the other clients.
    recoveries: Vec<Duration>,
}

/// Requests crashes until it is stopped, or until no fresh client is greeted any more.
fn crash_again_and_again(
    fresh: &FreshServer<'_>,
    target: SocketAddr,
    death: Death,
    stopped: &Receiver<()>,
) -> Crashes {
    // The thread also works on other CPUs, but may disturb the server there.
    let _ = Cpus::from(fresh.generator_cpus).run_on();
    let goes_on = || stopped.try_recv() == Err(TryRecvError::Empty);
    let mut crashes = Crashes::default();
    while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
        crashes.asked += 1;
        let has_died = match ask(target, path(death), None, DEATH_MAX, goes_on) {
            Ok(status) => status == 500,
            Err(error) => is_end(error.kind()),
        };
        if has_died {
            crashes.died += 1;
            let Some(recovery) = recovery(target, goes_on) else {
                break;
            };
            crashes.recoveries.push(recovery);
        }
    }
    crashes
}

fn path(death: Death) -> &'static str {
    match death {
        Death::Panic => "/crash/panic",
        Death::Abort => "/crash/abort",
        Death::Segv => "/crash/segv",
    }
}

/// Whether a connection ended in a way that the death of its handler explains.
fn is_end(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
}

/// Time until a fresh client is greeted; `None` if that takes too long, or the measurement ends first.
fn recovery(target: SocketAddr, goes_on: impl Fn() -> bool) -> Option<Duration> {
    let started = Instant::now();
    loop {
        let left = RECOVERY_MAX.saturating_sub(started.elapsed());
        if !left.is_zero() && is_greeted(target, left) {
            return Some(started.elapsed());
        }
        if left.is_zero() || !goes_on() {
            return None;
        }
        thread::sleep(TRY_AGAIN);
    }
}
