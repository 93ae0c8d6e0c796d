//! Turns arguments into a task: one load, several, or a search.

use std::net::SocketAddr;
use std::time::Duration;

use hola_base::output::say;

use super::parse::{ServerUrl, locate};
use super::{ArrivalsArg, LoadArgs};
use hola_base::process::descriptor_limit;

use crate::condition::Condition;
use crate::summary::Arrivals;
use crate::target::{connect, is_on_this_machine};
use crate::workload::{GREETING, Pace, Stop, Workload};

/// Shortest interval: a worker checks this often whether an interval has ended.
const INTERVAL_MIN: Duration = Duration::from_millis(100);

/// First rate of a search: twice what a 99.9th percentile needs in ten seconds, and low for most servers.
const FIRST_RATE_PER_S: f64 = 2_000.0;

/// What to do with a server.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadTask {
    /// One load.
    One(Workload),
    /// Several loads, one after the other.
    Levels(Vec<Workload>),
    /// Loads that look for the highest rate at which all objectives are met.
    FindMax {
        /// The first of them, an open loop.
        workload: Workload,
        /// What must hold.
        objectives: Vec<Condition>,
    },
}

/// Why the arguments do not make a workload.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UsageError {
    /// No target was given.
    #[error("say which server to load, such as http://127.0.0.1:8080/")]
    NoTarget,
    /// Not an `http` URL.
    #[error("`{0}` is not a URL of the form http://HOST[:PORT][/PATH]")]
    Url(String),
    /// The name cannot be resolved.
    #[error("`{0}` has no address: {1}")]
    Unresolved(String, String),
    /// The target is another machine, and that was not allowed.
    #[error("{0} is not on this machine; loading somebody else's server needs --allow-remote")]
    Remote(SocketAddr),
    /// Intervals this short would cost more than they are worth.
    #[error("an interval must be at least 100ms")]
    Interval,
    /// A search was given more than one rate to start from.
    #[error("--find-max starts from one rate")]
    SeveralFirstRates,
    /// A closed loop has a connection for each client.
    #[error("--connections are those of an open loop: give a --rate")]
    ConnectionsWithoutRate,
    /// Connections are to be opened before the window, and there is no time for it.
    #[error("--connections are opened during the warm-up: give it more than 0s")]
    ConnectionsWithoutWarmup,
    /// Histograms of several loads would end up in one file.
    #[error("--hlog and --hgrm keep one load: name one number of clients, or one rate")]
    SeveralLoads,
    /// No instant of the schedule lies in the measured window.
    #[error(
        "no request is due within a window of {window_s} s at {rate_per_s}/s with --seed {seed}: use a longer --duration \
         or a higher --rate"
    )]
    NothingDue {
        /// Length of the window, in seconds.
        window_s: f64,
        /// Requests per second.
        rate_per_s: f64,
        /// Seed of the schedule.
        seed: u64,
    },
    /// The load is invalid, or exceeds a limit.
    #[error(transparent)]
    Invalid(#[from] crate::workload::InvalidWorkload),
}

impl LoadArgs {
    /// The task asked for; `target` is the server when the caller started it itself, and then no URL is needed.
    ///
    /// # Errors
    /// Returns the first error in the arguments.
    pub fn task(&self, target: Option<SocketAddr>) -> Result<LoadTask, UsageError> {
        if self.interval < INTERVAL_MIN {
            return Err(UsageError::Interval);
        }
        if self.connections.is_some() {
            if self
                .paces()
                .iter()
                .any(|pace| matches!(pace, Pace::Closed { .. }))
            {
                return Err(UsageError::ConnectionsWithoutRate);
            }
            if self.warmup.is_zero() && self.behaviour.ramp.is_zero() {
                return Err(UsageError::ConnectionsWithoutWarmup);
            }
        }
        let (target, host, path) = match (target, &self.url) {
            (Some(target), _) => (target, target.to_string(), None),
            (None, Some(url)) => {
                let located = locate(url)?;
                (self.choose(&located)?, located.host, located.path)
            }
            (None, None) => return Err(UsageError::NoTarget),
        };
        let workload = self.workload(target, host, path)?;
        if self.find_max {
            return match self.paces()[..] {
                [Pace::Open { .. }] => Ok(LoadTask::FindMax {
                    workload,
                    objectives: self.slo.clone(),
                }),
                _ => Err(UsageError::SeveralFirstRates),
            };
        }
        let workloads: Vec<Workload> = self
            .paces()
            .into_iter()
            .map(|pace| Workload {
                pace,
                ..workload.clone()
            })
            .collect();
        for workload in &workloads {
            workload.validate(descriptor_limit())?;
            require_requests(workload)?;
        }
        match workloads.len() {
            1 => Ok(LoadTask::One(workload)),
            _ if self.hlog.is_some() || self.hgrm.is_some() => Err(UsageError::SeveralLoads),
            _ => Ok(LoadTask::Levels(workloads)),
        }
    }

    /// The pace of each load.
    fn paces(&self) -> Vec<Pace> {
        let arrivals = match self.arrivals {
            ArrivalsArg::Poisson => Arrivals::Poisson,
            ArrivalsArg::Constant => Arrivals::Constant,
        };
        let open = |rate_per_s| Pace::Open {
            rate_per_s,
            arrivals,
        };
        match (&self.rate, &self.clients) {
            (Some(rates), _) => rates.0.iter().copied().map(open).collect(),
            (None, Some(clients)) => clients
                .0
                .iter()
                .map(|clients| Pace::Closed { clients: *clients })
                .collect(),
            (None, None) if self.find_max => vec![open(FIRST_RATE_PER_S)],
            (None, None) => vec![Pace::Closed { clients: 50 }],
        }
    }

    /// Chooses the address to load: the first allowed one that accepts a connection, or else the first allowed one.
    /// Prints the address if the URL does not show it.
    fn choose(&self, located: &ServerUrl) -> Result<SocketAddr, UsageError> {
        let mut allowed = located.addresses.clone();
        allowed.retain(|address| self.allow_remote || is_on_this_machine(address.ip()));
        let target = match allowed[..] {
            [] => return Err(UsageError::Remote(located.addresses[0])),
            [only] => only,
            [first, ..] => connect(&allowed, self.timeout).map_or(first, |(_, address)| address),
        };
        if located.is_named() {
            say(format_args!("{} is {target}", located.host));
        }
        Ok(target)
    }

    /// The first of the requested workloads.
    fn workload(
        &self,
        target: SocketAddr,
        host: String,
        url_path: Option<String>,
    ) -> Result<Workload, UsageError> {
        let path = self
            .path
            .clone()
            .or(url_path)
            .unwrap_or_else(|| "/".to_owned());
        let expected_body = match &self.expect {
            Some(text) => Some(text.clone().into_bytes()),
            None if path == "/" && !self.any_body => Some(GREETING.to_vec()),
            None => None,
        };
        let mut workload = Workload {
            host,
            path,
            pace: self.paces()[0],
            requests_per_connection: match self.requests_per_connection {
                Some(reuse) => reuse.0,
                None if self.connections.is_some() => None,
                None => Some(1),
            },
            kept_connections: self.connections,
            stop: match self.requests {
                Some(requests) => Stop::Requests(requests),
                None => Stop::After(self.duration.unwrap_or(Duration::from_secs(10))),
            },
            warmup: self.warmup,
            timeout: self.timeout,
            threads: self.threads,
            cpus: self
                .cpus
                .as_ref()
                .map_or_else(Vec::new, |cpus| cpus.numbers().to_vec()),
            seed: self.seed,
            max_in_flight: self.max_in_flight,
            expected_body,
            ..Workload::new(target)
        };
        self.behaviour.apply(&mut workload);
        workload.validate(descriptor_limit())?;
        Ok(workload)
    }
}

/// Refuses a load whose window ends before its first request.
fn require_requests(workload: &Workload) -> Result<(), UsageError> {
    match (workload.pace, workload.stop) {
        (Pace::Open { rate_per_s, .. }, Stop::After(window)) if !workload.plans_requests() => {
            Err(UsageError::NothingDue {
                window_s: window.as_secs_f64(),
                rate_per_s,
                seed: workload.seed,
            })
        }
        _ => Ok(()),
    }
}
