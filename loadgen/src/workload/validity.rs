//! Whether a load makes sense and can be run here.

use super::{ClientProtocol, Engine, FILES_RESERVED, MESSAGE_BYTES_MAX, Pace, Stop, Workload};
use crate::http::BODY_BYTES_MAX;
use crate::sys;
use crate::units::nanoseconds;

/// Slowest rate: one request in a thousand seconds; anything slower is a timer, not a load.
pub const MIN_RATE: f64 = 0.001;
/// Fastest rate: its gap of 100 ns is shorter than a system call.
pub const MAX_RATE: f64 = 10_000_000.0;

/// Most URLs of a load: their requests stay in memory for the whole run.
pub const URLS_MAX: usize = 10_000;

/// Why a load cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidWorkload(String);

/// Nothing, or the reason if something does not hold.
fn require(holds: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason()) }
}

impl Workload {
    /// Checks that the load makes sense and that `open_files` descriptors suffice for it.
    ///
    /// # Errors
    /// Names the first problem found.
    pub fn validate(&self, open_files: u64) -> Result<(), InvalidWorkload> {
        let connections = u64::from(self.connections(open_files));
        self.validate_quantities()
            .and_then(|()| self.validate_url())
            .and_then(|()| self.validate_request())
            .and_then(|()| self.validate_conversation())
            .and_then(|()| self.validate_engine())
            .and_then(|()| self.validate_ports(connections))
            .and_then(|()| self.validate_files(connections, open_files))
            .map_err(InvalidWorkload)
    }

    /// Checks that no quantity is zero, and that there is something for every rank to do.
    fn validate_quantities(&self) -> Result<(), String> {
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
            require(quantity != Some(0), || {
                format!("{name} must be at least one")
            })?;
            let count = quantity.unwrap_or(u64::MAX);
            require(count >= sharers, || {
                format!("{count} {name} are too few for {ranks} processes")
            })?;
        }
        match self.pace {
            Pace::Open { rate_per_s, .. } if !(MIN_RATE..=MAX_RATE).contains(&rate_per_s) => Err(
                format!("a rate of {rate_per_s} per second is outside {MIN_RATE} to {MAX_RATE}"),
            ),
            _ => Ok(()),
        }
    }

    /// Checks that a request can carry the host and each path (RFC 3986 §2.1), and that the kernel takes the address
    /// (unix(7)).
    fn validate_url(&self) -> Result<(), String> {
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let (host, target) = (&self.host, &self.target);
        require(is_plain(host), || {
            format!(
                "{host:?} is not a host: only ASCII letters, digits and punctuation belong there"
            )
        })?;
        for path in self.paths() {
            require(path.starts_with('/'), || {
                format!("`{path}` cannot be asked for: a path starts with /")
            })?;
            require(is_plain(path), || {
                let encoded = percent_encoded(path);
                format!("{path:?} cannot be asked for: percent-encode it, as {encoded}")
            })?;
        }
        require(target.for_kernel().is_ok(), || {
            format!("{target}: the name of a socket file has at most 107 bytes")
        })
    }

    fn validate_request(&self) -> Result<(), String> {
        let body_bytes = self.body.as_deref().map_or(0, <[u8]>::len);
        let urls = self.url_mix.len();
        let hosts = self.headers.iter().filter(|field| field.is("Host"));
        let (hosts, expects_body) = (hosts.count(), self.expected_body.is_some());
        // Servers refuse more than one (RFC 9112 §3.2).
        require(hosts <= 1, || "a request has one Host".to_owned())?;
        require(body_bytes <= BODY_BYTES_MAX, || {
            format!("a body has at most {BODY_BYTES_MAX} bytes")
        })?;
        require(urls <= URLS_MAX, || {
            format!("a load has at most {URLS_MAX} URLs, and this one {urls}")
        })?;
        let bytes_max = BODY_BYTES_MAX / urls.max(1);
        require(body_bytes <= bytes_max, || {
            format!(
                "the body is kept for each URL: with {urls} of them it has at most {bytes_max} bytes"
            )
        })?;
        require(!(self.method.is_head() && expects_body), || {
            "the answer to HEAD has no body to expect".to_owned()
        })
    }

    fn validate_conversation(&self) -> Result<(), String> {
        let mut lines = self.message.split(|byte| *byte == b'\n');
        let ends_echo = lines.any(|line| line.strip_suffix(b"\r").unwrap_or(line) == b"salir");
        let bytes = self.message.len();
        let reason = match self.conversation {
            ClientProtocol::Http => return Ok(()),
            _ if !self.url_mix.is_empty() => "only HTTP has URLs to choose from",
            _ if self.tls.is_some() => "TLS is for HTTP alone",
            _ if !(1..=MESSAGE_BYTES_MAX).contains(&bytes) => {
                return Err(format!(
                    "a message has 1 to {MESSAGE_BYTES_MAX} bytes, and this one {bytes}"
                ));
            }
            ClientProtocol::Echo if ends_echo => {
                "`salir` on a line of its own ends an echo, so it cannot be the message"
            }
            ClientProtocol::Ack | ClientProtocol::Echo => return Ok(()),
        };
        Err(reason.to_owned())
    }

    fn validate_engine(&self) -> Result<(), String> {
        let needs_other = self.tls.is_some() && self.engine == Engine::Completion;
        let reason = match needs_other {
            true => Some("it speaks no TLS: choose readiness, or auto".to_owned()),
            false => self.engine.unavailable(),
        };
        let name = self.engine.name();
        reason.map_or(Ok(()), |reason| {
            Err(format!("the {name} engine cannot be used here: {reason}"))
        })
    }

    /// Checks that `connections` can be open at once from the requested addresses and ports.
    fn validate_ports(&self, connections: u64) -> Result<(), String> {
        let in_order = |holds: bool, name: &str| {
            require(holds, || {
                format!("a range of {name} begins with its lower end")
            })
        };
        if let Some((first, last)) = self.sources {
            in_order(first <= last, "source addresses")?;
            let target = &self.target;
            require(target.ip().is_some_and(|ip| ip.is_ipv4()), || {
                format!("{target} cannot be reached from IPv4 addresses")
            })?;
        }
        let Some((first, last)) = self.local_ports else {
            return Ok(());
        };
        in_order(first > 0 && first <= last, "local ports")?;
        let (lowest, highest) = sys::local_port_range();
        // The kernel would silently use any port (IP_LOCAL_PORT_RANGE, ip(7)).
        require(lowest <= first && last <= highest, || {
            format!("local ports must be within the system's range, {lowest} to {highest}")
        })?;
        let (_, addresses) = self.source_addresses();
        let ports = (u64::from(last - first) + 1) * u64::from(addresses);
        let is_open = matches!(self.pace, Pace::Open { .. });
        require(is_open || connections <= ports, || {
            format!(
                "{connections} connections at once need as many local ports, and there are {ports}"
            )
        })
    }

    fn validate_files(&self, connections: u64, open_files: u64) -> Result<(), String> {
        let needed = connections + FILES_RESERVED + u64::from(self.threads);
        require(needed <= open_files, || {
            format!(
                "{connections} connections need {needed} open files, and this process may have {open_files} (see ulimit -Hn)"
            )
        })
    }
}

/// `path`, in which each byte that a request line cannot carry is replaced by `%` and two digits.
fn percent_encoded(path: &str) -> String {
    let encoded = path.bytes().map(|byte| match byte {
        plain if plain.is_ascii_graphic() => char::from(plain).to_string(),
        other => format!("%{other:02X}"),
    });
    encoded.collect()
}
