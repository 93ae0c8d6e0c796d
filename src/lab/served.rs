//! What a trial puts its load on: one of Hola's models, or a reference target.

use std::net::SocketAddr;
use std::thread;

use hola_loadgen::{LoadError, Measurement, Observer, Workload};

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
    /// generator saw answered is the window's, so a target's account is read when the window opens and when it has closed.
    /// Warm-up and window are one load without a pause, as for the models: requests that the one hands over to the other
    /// are as many as the window leaves unanswered, and neither are on the bill for nothing.
    pub(super) fn load(&self, workload: &Workload, observer: &dyn Observer) -> Loaded {
        let Served::Target(target) = self else {
            return Loaded {
                outcome: hola_loadgen::run(workload, observer),
                window_cpu_us: None,
            };
        };
        let cpu_us = target.cpu_reader();
        thread::scope(|scope| {
            let opening = scope.spawn(|| {
                thread::sleep(workload.warmup);
                cpu_us()
            });
            let outcome = hola_loadgen::run(workload, observer);
            let closed_us = target.cpu_so_far_us();
            let opened_us = opening.join().ok();
            Loaded {
                outcome,
                window_cpu_us: opened_us.map(|opened_us| closed_us.saturating_sub(opened_us)),
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
