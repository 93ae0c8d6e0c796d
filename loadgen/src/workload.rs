//! The load to generate: connections, pacing, reuse and when to stop.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::{BODY_BYTES_MAX, HeaderField, RequestMethod, StatusCodes};
use crate::rank::Rank;
use crate::schedule::{Arrivals, Schedule};
use crate::sys::{self, ring};
use crate::target::ServerAddress;

/// Body that the greeting at `/` must have.
pub const GREETING: &[u8] = b"Hola, cliente!";

/// Default message of a client in the `ack` and `echo` conversations.
pub const MESSAGE: &[u8] = b"Hola, servidor!";

/// Longest such message, in bytes: a server that reads this much at once treats it as one message.
pub const MESSAGE_BYTES_MAX: usize = 1024;

/// One load to put on one server.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Where to connect.
    pub target: ServerAddress,
    /// `Host` header, as the user wrote the authority of the URL.
    pub host: String,
    /// Request target in origin form, starting with `/`.
    pub path: String,
    /// Method of the requests, in HTTP.
    pub method: RequestMethod,
    /// Header fields of the requests; one called `Host` replaces `host`.
    pub headers: Vec<HeaderField>,
    /// Body of the requests; `None` sends none.
    pub body: Option<Arc<[u8]>>,
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
            method: RequestMethod::GET,
            headers: Vec::new(),
            body: None,
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
            ClientProtocol::Http => format!("http://{}{}", self.host, self.path),
            ClientProtocol::Ack | ClientProtocol::Echo => format!("tcp://{}", self.host),
        }
    }

    /// Checks that the load makes sense and that `open_files` descriptors suffice for it.
    ///
    /// # Errors
    /// Returns the first problem found.
    pub fn validate(&self, open_files: u64) -> Result<(), InvalidWorkload> {
        let quantities = [
            ("clients", self.pace == Pace::Closed { clients: 0 }),
            ("duration", self.stop == Stop::After(Duration::ZERO)),
            ("requests", self.stop == Stop::Requests(0)),
            ("threads", self.threads == 0),
            ("timeout", self.timeout.is_zero()),
            (
                "requests per connection",
                self.requests_per_connection == Some(0),
            ),
            ("kept connections", self.kept_connections == Some(0)),
            ("requests in flight", self.max_in_flight == Some(0)),
        ];
        if let Some((name, _)) = quantities.into_iter().find(|(_, is_zero)| *is_zero) {
            return Err(InvalidWorkload::Zero(name));
        }
        self.validate_shares()?;
        if let Pace::Open { rate_per_s, .. } = self.pace
            && !(MIN_RATE..=MAX_RATE).contains(&rate_per_s)
        {
            return Err(InvalidWorkload::Rate(rate_per_s));
        }
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain(&self.host) {
            return Err(InvalidWorkload::Host(self.host.clone()));
        }
        if !self.path.starts_with('/') {
            return Err(InvalidWorkload::Path(self.path.clone()));
        }
        if !plain(&self.path) {
            return Err(InvalidWorkload::Unencoded(self.path.clone()));
        }
        if self.target.for_kernel().is_err() {
            return Err(InvalidWorkload::SocketFile(self.target.clone()));
        }
        self.validate_request()?;
        self.validate_conversation()?;
        if let Some(reason) = self.engine.unavailable() {
            return Err(InvalidWorkload::Engine(self.engine, reason));
        }
        let connections = u64::from(self.connections(open_files));
        self.validate_ports(connections)?;
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

    /// Checks that there is something for every rank to do.
    fn validate_shares(&self) -> Result<(), InvalidWorkload> {
        let mut quantities = Vec::new();
        if let Pace::Closed { clients } = self.pace {
            quantities.push(("clients", Some(u64::from(clients))));
        }
        if let Stop::Requests(requests) = self.stop {
            quantities.push(("requests", Some(requests)));
        }
        quantities.push(("kept connections", self.kept_connections.map(u64::from)));
        quantities.push(("requests in flight", self.max_in_flight.map(u64::from)));
        let ranks = self.rank.count();
        let is_few = |count: &u64| *count < ranks;
        let few = |(name, count): (&'static str, Option<u64>)| Some((name, count.filter(is_few)?));
        match quantities.into_iter().find_map(few) {
            Some((name, count)) => Err(InvalidWorkload::Few { name, count, ranks }),
            None => Ok(()),
        }
    }

    fn validate_request(&self) -> Result<(), InvalidWorkload> {
        let body_bytes = self.body.as_deref().map_or(0, <[u8]>::len);
        let hosts = self.headers.iter().filter(|field| field.is("Host"));
        if hosts.count() > 1 {
            Err(InvalidWorkload::Hosts)
        } else if body_bytes > BODY_BYTES_MAX {
            Err(InvalidWorkload::Body)
        } else if self.method.is_head() && self.expected_body.is_some() {
            Err(InvalidWorkload::BodyOfHead)
        } else {
            Ok(())
        }
    }

    fn validate_conversation(&self) -> Result<(), InvalidWorkload> {
        let farewell = self
            .message
            .split(|byte| *byte == b'\n')
            .any(|line| line.strip_suffix(b"\r").unwrap_or(line) == b"salir");
        match self.conversation {
            ClientProtocol::Http => Ok(()),
            _ if !(1..=MESSAGE_BYTES_MAX).contains(&self.message.len()) => {
                Err(InvalidWorkload::Message(self.message.len()))
            }
            ClientProtocol::Echo if farewell => Err(InvalidWorkload::EndsEcho),
            ClientProtocol::Ack | ClientProtocol::Echo => Ok(()),
        }
    }

    /// Checks that `connections` can be open at once from the requested addresses and ports.
    fn validate_ports(&self, connections: u64) -> Result<(), InvalidWorkload> {
        if let Some((first, last)) = self.sources {
            if first > last {
                return Err(InvalidWorkload::Range("source addresses"));
            }
            if !self.target.ip().is_some_and(|ip| ip.is_ipv4()) {
                return Err(InvalidWorkload::SourceFamily(self.target.clone()));
            }
        }
        let Some((first, last)) = self.local_ports else {
            return Ok(());
        };
        if first == 0 || first > last {
            return Err(InvalidWorkload::Range("local ports"));
        }
        let (lowest, highest) = sys::local_port_range();
        if first < lowest || last > highest {
            // The kernel would silently use any port (IP_LOCAL_PORT_RANGE, ip(7)).
            return Err(InvalidWorkload::PortsOutside(lowest, highest));
        }
        let (_, addresses) = self.source_addresses();
        let ports = (u64::from(last - first) + 1) * u64::from(addresses);
        if matches!(self.pace, Pace::Closed { .. }) && connections > ports {
            return Err(InvalidWorkload::Ports { connections, ports });
        }
        Ok(())
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

/// What is said on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientProtocol {
    /// HTTP/1.1: `GET`, and an answer that says how long it is.
    #[default]
    Http,
    /// A message, answered with `Mensaje recibido`.
    Ack,
    /// A message, answered with itself (RFC 862).
    Echo,
}

/// How the system calls are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Completion where the kernel has it, readiness elsewhere.
    #[default]
    Auto,
    /// Non-blocking calls and epoll(7).
    Readiness,
    /// Chains of operations and io_uring(7).
    Completion,
}

impl Engine {
    /// Name on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Readiness => "readiness",
            Self::Completion => "completion",
        }
    }

    /// The engine that it selects on this machine.
    pub fn resolved(self) -> Self {
        match self {
            Self::Auto if ring::unavailable().is_none() => Self::Completion,
            Self::Auto => Self::Readiness,
            named => named,
        }
    }

    /// Why it cannot be used here; `None` when it can.
    pub fn unavailable(self) -> Option<String> {
        match self {
            Self::Completion => ring::unavailable(),
            Self::Auto | Self::Readiness => None,
        }
    }
}

/// How the worker threads wait for the next planned instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pacing {
    /// In the kernel, with nanosecond timeouts.
    #[default]
    Sleep,
    /// By polling: more punctual, but each thread uses a whole CPU.
    Spin,
}

/// How connections are closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Closing {
    /// With a FIN, as clients do.
    #[default]
    Orderly,
    /// With a RST: it costs less and leaves no TIME_WAIT, but clients do not close this way.
    Reset,
}

/// What ends the measured window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Time.
    After(Duration),
    /// A number of requests, warm-up not included.
    Requests(u64),
}

/// Slowest rate: one request in a thousand seconds; anything slower is a timer, not a load.
pub const MIN_RATE: f64 = 0.001;
/// Fastest rate: its gap of 100 ns is shorter than a system call.
pub const MAX_RATE: f64 = 10_000_000.0;

/// Why a load cannot be run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InvalidWorkload {
    /// A quantity that must be positive is zero.
    #[error("{0} must be at least one")]
    Zero(&'static str),
    /// There are fewer of a quantity than processes that share it.
    #[error("{count} {name} are too few for {ranks} processes")]
    Few {
        /// The quantity.
        name: &'static str,
        /// How many there are.
        count: u64,
        /// Processes of the load.
        ranks: u64,
    },
    /// The rate is outside [`MIN_RATE`]…[`MAX_RATE`].
    #[error("a rate of {0} per second is outside {MIN_RATE} to {MAX_RATE}")]
    Rate(f64),
    /// The path is not an origin-form target.
    #[error("`{0}` cannot be asked for: a path starts with /")]
    Path(String),
    /// The path has characters that a request line cannot carry (RFC 3986 §2.1).
    #[error(
        "{0:?} cannot be asked for: percent-encode it, as {encoded}",
        encoded = percent_encoded(.0)
    )]
    Unencoded(String),
    /// The host has characters that do not belong in a header.
    #[error("{0:?} is not a host: only ASCII letters, digits and punctuation belong there")]
    Host(String),
    /// More than one `Host` header, which servers refuse (RFC 9112 §3.2).
    #[error("a request has one Host")]
    Hosts,
    /// A body longer than [`BODY_BYTES_MAX`].
    #[error("a body has at most {BODY_BYTES_MAX} bytes")]
    Body,
    /// An expected body where none can come.
    #[error("the answer to HEAD has no body to expect")]
    BodyOfHead,
    /// A message that is empty, or longer than [`MESSAGE_BYTES_MAX`].
    #[error("a message has 1 to {MESSAGE_BYTES_MAX} bytes, and this one {0}")]
    Message(usize),
    /// A message that ends an `echo` conversation.
    #[error("`salir` on a line of its own ends an echo, so it cannot be the message")]
    EndsEcho,
    /// A range that ends before it begins.
    #[error("a range of {0} begins with its lower end")]
    Range(&'static str),
    /// IPv4 source addresses for a target that has another family.
    #[error("{0} cannot be reached from IPv4 addresses")]
    SourceFamily(ServerAddress),
    /// A file name too long for an address (unix(7)).
    #[error("{0}: the name of a socket file has at most 107 bytes")]
    SocketFile(ServerAddress),
    /// Local ports that the system does not hand out; with the first and the last that it does.
    #[error("local ports must be within the system's range, {0} to {1}")]
    PortsOutside(u16, u16),
    /// There are fewer local ports than connections.
    #[error("{connections} connections at once need as many local ports, and there are {ports}")]
    Ports {
        /// Connections asked for.
        connections: u64,
        /// Ports allowed, over all addresses.
        ports: u64,
    },
    /// The requested engine is not available here, for this reason.
    #[error("the {name} engine cannot be used here: {1}", name = .0.name())]
    Engine(Engine, String),
    /// The connections exceed the limit on open files.
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

/// `path`, in which each byte that a request line cannot carry is replaced by `%` and two digits.
fn percent_encoded(path: &str) -> String {
    let encoded = path.bytes().map(|byte| match byte {
        plain if plain.is_ascii_graphic() => char::from(plain).to_string(),
        other => format!("%{other:02X}"),
    });
    encoded.collect()
}
