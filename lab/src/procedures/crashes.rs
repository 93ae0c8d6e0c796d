//! Crashes beside a load: one client after another asks its handler to die, and it is seen how soon others are served.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::aside::{Aside, Bell};
use super::client::{ask, is_greeted};
use super::{microseconds, percentile, to_f64};

/// Longest wait for the end of whoever was asked to die.
const DEATH_MAX: Duration = Duration::from_secs(5);
/// Longest wait for a fresh client to be greeted again. A worker that has died is replaced within half a second.
const RECOVERY_MAX: Duration = Duration::from_secs(2);
/// Pause between two tries of a fresh client that was refused.
const TRY_AGAIN: Duration = Duration::from_millis(1);

/// How a handler is asked to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// A panic, which whoever runs the handler may catch.
    Panic,
    /// `abort(3)`.
    Abort,
    /// A segmentation fault.
    Segv,
}

impl Death {
    /// What is asked for.
    pub fn path(self) -> &'static str {
        match self {
            Death::Panic => "/crash/panic",
            Death::Abort => "/crash/abort",
            Death::Segv => "/crash/segv",
        }
    }
}

/// Asks for a crash at intervals; needs a server with `--allow-crash`.
#[derive(Debug)]
pub struct Crashes(Aside<CrashCounts>);

/// What became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrashCounts {
    /// Requests for a crash that were sent.
    pub asked: usize,
    /// Of these, those whose handler died: the connection ended without a whole answer, or with a 500.
    pub died: usize,
    /// Those that were answered otherwise: nobody died.
    pub survived: usize,
    /// Neither died nor answered in time, never connected, or broken off by the end of the measurement.
    pub unheard: usize,
    /// From each death to the whole greeting of a fresh client. Behind a load its place in the queue is part of it.
    pub recoveries: Vec<Duration>,
    /// Deaths after which no fresh client was greeted within 2 s; the last one, as there is nobody left to ask.
    pub not_recovered: usize,
}

impl CrashCounts {
    /// The same by name, with the median and the longest recovery.
    pub fn figures(&self) -> BTreeMap<String, f64> {
        let mut recoveries: Vec<f64> = self.recoveries.iter().copied().map(microseconds).collect();
        recoveries.sort_by(f64::total_cmp);
        let mut figures = BTreeMap::from([
            ("crashes_asked".to_owned(), to_f64(self.asked)),
            ("crashes_died".to_owned(), to_f64(self.died)),
            (
                "crashes_not_recovered".to_owned(),
                to_f64(self.not_recovered),
            ),
        ]);
        for (name, q) in [("recovery_us", 0.5), ("recovery_us_max", 1.0)] {
            figures.extend(percentile(&recoveries, q).map(|value| (name.to_owned(), value)));
        }
        figures
    }
}

impl Crashes {
    /// Starts to ask `target` for a crash each `interval`, from a thread on `cpus`, the first one after one interval.
    ///
    /// # Errors
    /// One plain sentence, when there is no thread to be had.
    pub fn start(
        target: SocketAddr,
        death: Death,
        interval: Duration,
        cpus: &[usize],
    ) -> Result<Self, String> {
        Aside::start(cpus, move |bell| {
            keep_killing(target, death, interval, bell)
        })
        .map(Crashes)
    }

    /// Whether there is nobody left to ask.
    pub fn is_over(&self) -> bool {
        self.0.is_over()
    }

    /// Asks for no more.
    pub fn finish(self) -> CrashCounts {
        self.0.finish()
    }
}

fn keep_killing(target: SocketAddr, death: Death, interval: Duration, bell: &Bell) -> CrashCounts {
    let mut counts = CrashCounts::default();
    while !bell.rings_within(interval) && counts.not_recovered == 0 {
        let asked = ask(target, death.path(), None, DEATH_MAX, || !bell.has_rung());
        counts.asked += 1;
        match asked {
            Ok(reply) if reply.status != 500 => counts.survived += 1,
            Err(error) if !is_end(error.kind()) => counts.unheard += 1,
            Ok(_) | Err(_) => {
                counts.died += 1;
                match recovery(target, bell) {
                    Recovery::After(time) => counts.recoveries.push(time),
                    Recovery::Never => counts.not_recovered += 1,
                    Recovery::NotSeen => break,
                }
            }
        }
    }
    counts
}

/// Whether a connection ended in a way that the death of its handler explains.
fn is_end(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    )
}

enum Recovery {
    After(Duration),
    Never,
    /// The measurement ended first.
    NotSeen,
}

fn recovery(target: SocketAddr, bell: &Bell) -> Recovery {
    let begun = Instant::now();
    loop {
        let left = RECOVERY_MAX.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Recovery::Never;
        }
        if is_greeted(target, left) {
            return Recovery::After(begun.elapsed());
        }
        if bell.has_rung() {
            return Recovery::NotSeen;
        }
        thread::sleep(TRY_AGAIN);
    }
}
