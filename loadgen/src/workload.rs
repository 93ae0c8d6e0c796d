//! What is asked of the generator: connections, pacing, reuse and when to stop.

use std::net::SocketAddr;
use std::time::Duration;

use crate::summary::{Arrivals, LoopKind, Plan};

/// Body that the greeting at `/` must have.
pub const GREETING: &[u8] = b"Hola, cliente!";

/// One load to put on one server.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Where to connect.
    pub target: SocketAddr,
    /// `Host` header, as the user wrote the authority of the URL.
    pub host: String,
    /// Request target in origin form, starting with `/`.
    pub path: String,
    /// Who decides when the next request is sent.
    pub pace: Pace,
    /// Requests on one connection before it is closed; `None` keeps it as long as the server does.
    pub requests_per_connection: Option<u64>,
    /// What ends the measured window.
    pub stop: Stop,
    /// Load before the measured window, handed over without draining.
    pub warmup: Duration,
    /// Longest wait for one request, from its start to its last byte.
    pub timeout: Duration,
    /// Worker threads.
    pub threads: u32,
    /// CPUs to pin the worker threads to, in turn; empty leaves them to the scheduler.
    pub cpus: Vec<usize>,
    /// Seed of the schedule.
    pub seed: u64,
    /// Most requests at once in an open loop; `None` takes what the limit on open files allows, up to
    /// [`MAX_IN_FLIGHT_DEFAULT`].
    pub max_in_flight: Option<u32>,
    /// Body that every answer must have; `None` accepts any.
    pub expected_body: Option<Vec<u8>>,
}

/// Default bound on requests at once in an open loop: a quarter of a gigabyte of kernel socket memory at worst.
pub const MAX_IN_FLIGHT_DEFAULT: u32 = 65_536;

/// Files the process needs besides its connections: standard streams, epoll instances, an output file and slack.
const FILES_RESERVED: u64 = 64;

impl Workload {
    /// The default load on `target`: 50 closed-loop clients for 10 s, one request per connection.
    pub fn new(target: SocketAddr) -> Self {
        Self {
            target,
            host: target.to_string(),
            path: "/".to_owned(),
            pace: Pace::Closed { clients: 50 },
            requests_per_connection: Some(1),
            stop: Stop::After(Duration::from_secs(10)),
            warmup: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            threads: 1,
            cpus: Vec::new(),
            seed: 1,
            max_in_flight: None,
            expected_body: Some(GREETING.to_vec()),
        }
    }

    /// Target as a URL.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.host, self.path)
    }

    /// Checks that the load makes sense and that `open_files` descriptors suffice for it.
    ///
    /// # Errors
    /// The first reason why it does not.
    pub fn validate(&self, open_files: u64) -> Result<(), InvalidWorkload> {
        let zero = |name| Err(InvalidWorkload::Zero(name));
        match self.pace {
            Pace::Closed { clients: 0 } => return zero("clients"),
            Pace::Open { rate_per_s, .. } if !(MIN_RATE..=MAX_RATE).contains(&rate_per_s) => {
                return Err(InvalidWorkload::Rate(rate_per_s));
            }
            _ => {}
        }
        match self.stop {
            Stop::After(duration) if duration.is_zero() => return zero("duration"),
            Stop::Requests(0) => return zero("requests"),
            _ => {}
        }
        if self.threads == 0 {
            return zero("threads");
        }
        if self.timeout.is_zero() {
            return zero("timeout");
        }
        if self.requests_per_connection == Some(0) {
            return zero("requests per connection");
        }
        if self.max_in_flight == Some(0) {
            return zero("requests in flight");
        }
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !self.path.starts_with('/') || !plain(&self.path) || !plain(&self.host) {
            return Err(InvalidWorkload::Path(self.path.clone()));
        }
        let connections = u64::from(self.connections(open_files));
        let needed = connections + FILES_RESERVED + u64::from(self.threads);
        if needed > open_files {
            return Err(InvalidWorkload::OpenFiles {
                connections,
                needed,
                allowed: open_files,
            });
        }
        Ok(())
    }

    /// Most connections at once, given the limit on open files.
    pub fn connections(&self, open_files: u64) -> u32 {
        match self.pace {
            Pace::Closed { clients } => clients,
            Pace::Open { .. } => self.max_in_flight.unwrap_or_else(|| {
                let spare = open_files.saturating_sub(FILES_RESERVED + u64::from(self.threads));
                u32::try_from(spare)
                    .unwrap_or(u32::MAX)
                    .clamp(1, MAX_IN_FLIGHT_DEFAULT)
            }),
        }
    }

    /// The load in the words of the published summary.
    pub fn plan(&self) -> Plan {
        let (loop_kind, clients, rate_per_s, arrivals) = match self.pace {
            Pace::Closed { clients } => (LoopKind::Closed, Some(clients), None, None),
            Pace::Open {
                rate_per_s,
                arrivals,
            } => (LoopKind::Open, None, Some(rate_per_s), Some(arrivals)),
        };
        let (duration_s, requests) = match self.stop {
            Stop::After(duration) => (Some(duration.as_secs_f64()), None),
            Stop::Requests(requests) => (None, Some(requests)),
        };
        Plan {
            loop_kind,
            clients,
            rate_per_s,
            arrivals,
            requests_per_connection: self.requests_per_connection,
            duration_s,
            requests,
            warmup_s: self.warmup.as_secs_f64(),
            timeout_s: self.timeout.as_secs_f64(),
            seed: self.seed,
        }
    }
}

/// Who decides when the next request is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Each of `clients` sends its next request when the last one ended.
    Closed {
        /// Concurrent clients.
        clients: u32,
    },
    /// Requests are sent at planned instants.
    Open {
        /// Mean arrivals per second.
        rate_per_s: f64,
        /// Shape of the arrivals.
        arrivals: Arrivals,
    },
}

/// What ends the measured window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Time.
    After(Duration),
    /// A number of requests, warm-up not included.
    Requests(u64),
}

/// Slowest rate: one request in a thousand seconds; slower is a timer, not a load.
pub const MIN_RATE: f64 = 0.001;
/// Fastest rate: a gap of 100 ns, below what a system call takes.
pub const MAX_RATE: f64 = 10_000_000.0;

/// Why a load cannot be run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidWorkload {
    /// A quantity that must be positive is zero.
    #[error("{0} must be at least one")]
    Zero(&'static str),
    /// The rate is outside [`MIN_RATE`]…[`MAX_RATE`].
    #[error("a rate of {0} per second is outside {MIN_RATE} to {MAX_RATE}")]
    Rate(f64),
    /// The path is not an origin-form target, or the host holds characters that do not belong in a header.
    #[error(
        "`{0}` cannot be asked for: a path starts with / and has no spaces or control characters"
    )]
    Path(String),
    /// The connections do not fit the limit on open files.
    #[error(
        "{connections} connections need {needed} open files, and this process may have {allowed} (see ulimit -Hn)"
    )]
    OpenFiles {
        /// Connections asked for.
        connections: u64,
        /// Files needed.
        needed: u64,
        /// Files allowed.
        allowed: u64,
    },
}

/// Share of `total` that falls to thread `index` of `threads`: equal but for the first few, and summing to `total`.
pub(crate) fn share(total: u64, index: u32, threads: u32) -> u64 {
    let (index, threads) = (u64::from(index), u64::from(threads));
    total / threads + u64::from(index < total % threads)
}
