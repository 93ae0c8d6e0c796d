//! Whether a load makes sense and can be run here.

use super::{ClientProtocol, Engine, FILES_RESERVED, MESSAGE_BYTES_MAX, Pace, Stop, Workload};
use crate::http::BODY_BYTES_MAX;
use crate::sys;
use crate::target::ServerAddress;
use crate::units::nanoseconds;

/// Slowest rate: one request in a thousand seconds; anything slower is a timer, not a load.
pub const MIN_RATE: f64 = 0.001;
/// Fastest rate: its gap of 100 ns is shorter than a system call.
pub const MAX_RATE: f64 = 10_000_000.0;

/// Most URLs of a load: their requests stay in memory for the whole run.
pub const URLS_MAX: usize = 10_000;

impl Workload {
    /// Checks that the load makes sense and that `open_files` descriptors suffice for it.
    ///
    /// # Errors
    /// Returns the first problem found.
    pub fn validate(&self, open_files: u64) -> Result<(), InvalidWorkload> {
        self.validate_quantities()?;
        if let Pace::Open { rate_per_s, .. } = self.pace
            && !(MIN_RATE..=MAX_RATE).contains(&rate_per_s)
        {
            return Err(InvalidWorkload::Rate(rate_per_s));
        }
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain(&self.host) {
            return Err(InvalidWorkload::Host(self.host.clone()));
        }
        for path in self.paths() {
            if !path.starts_with('/') {
                return Err(InvalidWorkload::Path(path.to_owned()));
            }
            if !plain(path) {
                return Err(InvalidWorkload::Unencoded(path.to_owned()));
            }
        }
        if self.target.for_kernel().is_err() {
            return Err(InvalidWorkload::SocketFile(self.target.clone()));
        }
        self.validate_request()?;
        self.validate_conversation()?;
        if self.tls.is_some() && self.engine == Engine::Completion {
            let reason = "it speaks no TLS: choose readiness, or auto";
            return Err(InvalidWorkload::Engine(self.engine, reason.to_owned()));
        }
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

    /// Checks that no quantity is zero, and that there is something for every rank to do.
    fn validate_quantities(&self) -> Result<(), InvalidWorkload> {
        let clients = match self.pace {
            Pace::Closed { clients } => Some(u64::from(clients)),
            Pace::Open { .. } => None,
        };
        let (requests, window_ns) = match self.stop {
            Stop::Requests(requests) => (Some(requests), None),
            Stop::After(window) => (None, Some(nanoseconds(window))),
        };
        let kept = self.kept_connections.map(u64::from);
        let in_flight = self.max_in_flight.map(u64::from);
        let weights = self.url_mix.iter().map(|url| u64::from(url.weight));
        let ranks = self.rank.count();
        // Each with the number of processes that share it.
        for (name, quantity, sharers) in [
            ("clients", clients, ranks),
            ("requests", requests, ranks),
            ("kept connections", kept, ranks),
            ("requests in flight", in_flight, ranks),
            ("duration", window_ns, 1),
            ("threads", Some(self.threads.into()), 1),
            ("timeout", Some(nanoseconds(self.timeout)), 1),
            ("requests per connection", self.requests_per_connection, 1),
            ("the weight of a URL", weights.min(), 1),
        ] {
            match quantity {
                Some(0) => return Err(InvalidWorkload::Zero(name)),
                Some(count) if count < sharers => {
                    return Err(InvalidWorkload::Few { name, count, ranks });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn validate_request(&self) -> Result<(), InvalidWorkload> {
        let body_bytes = self.body.as_deref().map_or(0, <[u8]>::len);
        let urls = self.url_mix.len();
        let hosts = self.headers.iter().filter(|field| field.is("Host"));
        if hosts.count() > 1 {
            Err(InvalidWorkload::Hosts)
        } else if body_bytes > BODY_BYTES_MAX {
            Err(InvalidWorkload::Body)
        } else if urls > URLS_MAX {
            Err(InvalidWorkload::Urls(urls))
        } else if urls > 0 && body_bytes > BODY_BYTES_MAX / urls {
            Err(InvalidWorkload::BodyOfUrls(urls))
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
            _ if !self.url_mix.is_empty() => Err(InvalidWorkload::UrlsOfHttp),
            _ if self.tls.is_some() => Err(InvalidWorkload::TlsOfHttp),
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
}

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
    /// More URLs than [`URLS_MAX`].
    #[error("a load has at most {URLS_MAX} URLs, and this one {0}")]
    Urls(usize),
    /// A body that is too long to be kept for so many URLs.
    #[error(
        "the body is kept for each URL: with {0} of them it has at most {bytes} bytes",
        bytes = BODY_BYTES_MAX / .0
    )]
    BodyOfUrls(usize),
    /// Several URLs in another conversation than HTTP.
    #[error("only HTTP has URLs to choose from")]
    UrlsOfHttp,
    /// TLS in another conversation than HTTP.
    #[error("TLS is for HTTP alone")]
    TlsOfHttp,
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
