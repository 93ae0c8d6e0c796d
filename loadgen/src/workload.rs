//! The load to generate: connections, pacing, reuse and when to stop.

mod client_protocol;
mod execution;
mod validity;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use self::client_protocol::{ClientProtocol, GREETING, MESSAGE, MESSAGE_BYTES_MAX};
pub use self::execution::{Closing, Engine, Pacing};
pub use self::validity::{InvalidWorkload, MAX_RATE, MIN_RATE, URLS_MAX};

use crate::http::{HeaderField, RequestMethod, StatusCodes};
use crate::rank::Rank;
use crate::schedule::{Arrivals, Schedule};
use crate::target::ServerAddress;
use crate::tls::TlsClient;

/// One load to put on one server.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Where to connect.
    pub target: ServerAddress,
    /// `Host` header, as the user wrote the authority of the URL.
    pub host: String,
    /// Request target in origin form, starting with `/`.
    pub path: String,
    /// Paths to choose from for each request, in HTTP; empty asks for `path` alone.
    pub url_mix: Vec<WeightedPath>,
    /// Method of the requests, in HTTP.
    pub method: RequestMethod,
    /// Header fields of the requests; one called `Host` replaces `host`.
    pub headers: Vec<HeaderField>,
    /// Body of the requests; `None` sends none.
    pub body: Option<Arc<[u8]>>,
    /// How connections are secured, in HTTP; `None` leaves them plain.
    pub tls: Option<TlsClient>,
    /// What is said on a connection.
    pub conversation: ClientProtocol,
    /// Message of a client in the `ack` and `echo` conversations.
    pub message: Vec<u8>,
    /// What decides when the next request is sent.
    pub pace: Pace,
    /// Pause of a closed-loop client between an answer and its next request.
    pub think: Duration,
    /// Requests on one connection before it is closed; `None` keeps it as long as the server does.
    pub requests_per_connection: Option<u64>,
    /// What ends the measured window.
    pub stop: Stop,
    /// Time before the warm-up over which the load rises to its full height: clients join one by one, a rate grows
    /// linearly.
    pub ramp: Duration,
    /// Time of load before the measured window, which follows without draining.
    pub warmup: Duration,
    /// Longest wait for one request, from its start to its last byte.
    pub timeout: Duration,
    /// Worker threads.
    pub threads: u32,
    /// How the system calls are made.
    pub engine: Engine,
    /// How the worker threads wait for the next planned instant.
    pub pacing: Pacing,
    /// How connections are closed.
    pub closing: Closing,
    /// First and last IPv4 address to connect from; with `None` the generator chooses, and spreads over 127/8 if the
    /// target is there.
    pub sources: Option<(Ipv4Addr, Ipv4Addr)>,
    /// First and last local port to connect from; `None` takes the system's range.
    pub local_ports: Option<(u16, u16)>,
    /// CPUs to pin the worker threads to, in turn; empty leaves them to the scheduler.
    pub cpus: Vec<usize>,
    /// Seed of the schedule.
    pub seed: u64,
    /// Most requests at once in an open loop; `None` takes what the limit on open files allows, up to
    /// [`MAX_IN_FLIGHT_DEFAULT`].
    pub max_in_flight: Option<u32>,
    /// Connections of an open loop that are opened first and then used in turn, each for one request at a time; `None`
    /// opens connections as they are needed.
    pub kept_connections: Option<u32>,
    /// Status that every answer must have, in HTTP.
    pub expected_status: StatusCodes,
    /// Body that every answer must have; `None` accepts any.
    pub expected_body: Option<Vec<u8>>,
    /// Which share of this load the process makes, if several make it together.
    pub rank: Rank,
    /// When to start; `None` starts as soon as all threads are ready.
    pub start_at: Option<SystemTime>,
}

/// Default bound on requests at once in an open loop: a quarter of a gigabyte of kernel socket memory at worst.
pub const MAX_IN_FLIGHT_DEFAULT: u32 = 65_536;

/// Most URLs with results of their own: each has two histograms of a quarter of a megabyte on every thread.
const URLS_RECORDED_MAX: usize = 100;

/// Mean number of requests in a window above which at least one is certain: the probability of none is e^-50.
const CERTAIN_REQUESTS: f64 = 50.0;

/// Files the process needs besides its connections: standard streams, epoll instances, an output file and slack.
const FILES_RESERVED: u64 = 64;

/// Source addresses used by default: 127.0.0.1, which the kernel chooses by itself, to 127.0.0.254.
const LOOPBACK_ADDRESSES: u32 = 254;

impl Workload {
    /// The default load on `target`: 50 closed-loop clients for 10 s, one request per connection.
    pub fn new(target: impl Into<ServerAddress>) -> Self {
        let target = target.into();
        Self {
            host: match &target {
                ServerAddress::Tcp(address) => address.to_string(),
                ServerAddress::Unix(_) => "localhost".to_owned(),
            },
            target,
            path: "/".to_owned(),
            url_mix: Vec::new(),
            method: RequestMethod::GET,
            headers: Vec::new(),
            body: None,
            tls: None,
            conversation: ClientProtocol::Http,
            message: MESSAGE.to_vec(),
            pace: Pace::Closed { clients: 50 },
            think: Duration::ZERO,
            requests_per_connection: Some(1),
            stop: Stop::After(Duration::from_secs(10)),
            ramp: Duration::ZERO,
            warmup: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            threads: 1,
            engine: Engine::Auto,
            pacing: Pacing::Sleep,
            closing: Closing::Orderly,
            sources: None,
            local_ports: None,
            cpus: Vec::new(),
            seed: 1,
            max_in_flight: None,
            kept_connections: None,
            expected_status: StatusCodes::default(),
            expected_body: Some(GREETING.to_vec()),
            rank: Rank::ONLY,
            start_at: None,
        }
    }

    /// Target as a URL.
    pub fn url(&self) -> String {
        match self.conversation {
            ClientProtocol::Http => self.url_of(&self.path),
            ClientProtocol::Ack | ClientProtocol::Echo => format!("tcp://{}", self.host),
        }
    }

    /// A path of the target as a URL.
    pub(crate) fn url_of(&self, path: &str) -> String {
        let scheme = match self.tls {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}{path}", self.host)
    }

    /// The engine that it runs on: TLS has only one.
    pub(crate) fn resolved_engine(&self) -> Engine {
        match (self.engine, &self.tls) {
            (Engine::Auto, Some(_)) => Engine::Readiness,
            (engine, _) => engine.resolved(),
        }
    }

    /// Every path that is asked for.
    pub(crate) fn paths(&self) -> Vec<&str> {
        match self.url_mix.is_empty() {
            true => vec![&self.path],
            false => self.url_mix.iter().map(|url| &*url.path).collect(),
        }
    }

    /// Number of URLs that have results of their own.
    pub(crate) fn urls_recorded(&self) -> usize {
        match self.url_mix.len() {
            urls @ 2..=URLS_RECORDED_MAX => urls,
            _ => 0,
        }
    }

    /// First of the consecutive addresses to connect from, and how many there are; without a first one, the kernel
    /// chooses.
    pub(crate) fn source_addresses(&self) -> (Option<Ipv4Addr>, u32) {
        match self.sources {
            Some((first, last)) => (Some(first), u32::from(last) - u32::from(first) + 1),
            None => match self.target.ip() {
                Some(IpAddr::V4(ip)) if ip.is_loopback() => {
                    (Some(Ipv4Addr::LOCALHOST), LOOPBACK_ADDRESSES)
                }
                _ => (None, 1),
            },
        }
    }

    /// Whether any request of this rank is due in the measured window: a slow schedule may have none in it.
    pub fn plans_requests(&self) -> bool {
        let (Pace::Open { rate_per_s, .. }, Stop::After(duration)) = (self.pace, self.stop) else {
            return true;
        };
        // With this many due on average, one is certain, and searching for it could take long.
        let ranks = u32::try_from(self.rank.count()).unwrap_or(u32::MAX);
        let expected = rate_per_s / f64::from(ranks) * duration.as_secs_f64();
        let plan = self.plan();
        let is_due = |schedule: Schedule| {
            let share = schedule.share(self.rank);
            share.count(plan.opens_ns(), plan.closes_ns()) > 0
        };
        expected > CERTAIN_REQUESTS || plan.schedule().is_some_and(is_due)
    }

    /// Most connections of this rank at once, given the limit on open files.
    pub fn connections(&self, open_files: u64) -> u32 {
        if let Pace::Closed { clients } = self.pace {
            return self.rank.share_of(clients);
        }
        let spare = open_files.saturating_sub(FILES_RESERVED + u64::from(self.threads));
        let spare = u32::try_from(spare).unwrap_or(u32::MAX);
        let asked = self.kept_connections.or(self.max_in_flight);
        match asked {
            Some(asked) => self.rank.share_of(asked),
            None => spare.clamp(1, MAX_IN_FLIGHT_DEFAULT),
        }
    }
}

/// A path and its share of the requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightedPath {
    /// Request target in origin form, starting with `/`.
    pub path: String,
    /// Its share, relative to the sum of all weights; at least one.
    pub weight: u32,
}

/// What decides when the next request is sent.
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
