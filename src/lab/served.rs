//! What a trial puts its load on: one of Hola's models, or a reference target.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hola_loadgen::{LoadError, Measurement, Observer, Pace, Stop, Workload};

use super::server_process::{Bill, ServerProcess};
use super::target::{Cost, Target};

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub enum Served {
    /// One of Hola's models.
    Model(ServerProcess),
    /// A reference target.
    Target(Target),
}

/// What came of a load.
#[derive(Debug)]
pub(super) struct Loaded {
    /// What the generator saw.
    pub(super) outcome: Result<Measurement, LoadError>,
    /// CPU time of the measured window, in microseconds, where the bill at the end does not do: see [`Served::load`].
    pub(super) window_cpu_us: Option<u64>,
}

/// What a server is worth when it has ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// A model, with what it counted.
    Model(Bill),
    /// A reference target.
    Target(Cost),
}

impl Served {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        match self {
            Served::Model(server) => server.address(),
            Served::Target(target) => target.address(),
        }
    }

    /// Process id of its first process.
    pub fn pid(&self) -> i32 {
        match self {
            Served::Model(server) => server.pid(),
            Served::Target(target) => target.pid(),
        }
    }

    /// Puts a load on it.
    ///
    /// A model counts its own requests, from its start to its end, and so does its bill. A target does not count; what the
    /// generator saw answered is the window's, so a target's account is read when the window opens and when it closes, by
    /// one thread, whose delays cancel.
    ///
    /// Warm-up and window are one load without a pause, as for the models. Between two loads, a target would have the
    /// requests left over from the first on the bill of the second: of a slow one with many clients half as many again.
    pub(super) fn load(&self, workload: &Workload, observer: &dyn Observer) -> Loaded {
        let Served::Target(target) = self else {
            return Loaded {
                outcome: hola_loadgen::run(workload, observer),
                window_cpu_us: None,
            };
        };
        let cpu_us = target.cpu_reader();
        let (not_over, over) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let account = scope.spawn(move || {
                let begun = Instant::now();
                let cpu_us_at = |instant: Duration| {
                    // Ends early with the load.
                    let _ = over.recv_timeout(instant.saturating_sub(begun.elapsed()));
                    cpu_us()
                };
                let opened_us = cpu_us_at(workload.warmup);
                let closed_us = cpu_us_at(closing(workload));
                closed_us.saturating_sub(opened_us)
            });
            let outcome = hola_loadgen::run(workload, observer);
            drop(not_over);
            Loaded {
                outcome,
                window_cpu_us: account.join().ok(),
            }
        })
    }

    /// Has it end, and reads what it cost.
    ///
    /// # Errors
    /// One plain sentence, when it did not end well.
    pub(super) fn stop(self) -> Result<Ended, String> {
        match self {
            Served::Model(server) => server.stop().map(Ended::Model),
            Served::Target(target) => target.stop().map(Ended::Target),
        }
    }
}

/// How long after its start a load's account is closed: with the window, or, where the window's answers may come after
/// that, with the load.
fn closing(workload: &Workload) -> Duration {
    match (workload.pace, workload.stop) {
        (Pace::Closed { .. }, Stop::After(window)) => workload.warmup + window,
        _ => Duration::MAX,
    }
}
