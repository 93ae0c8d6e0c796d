//! A measurement as published: the JSON of `hola load`.
//!
//! Times are in microseconds, rates per second. A figure that the sample cannot support is `null`.

mod check;
mod series;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::check::{Check, CheckName};
pub use self::series::{Levels, Line, Search, SearchLimit, SearchStep, schemas};
pub use crate::schedule::Arrivals;
use crate::workload::{ClientProtocol, Closing, Engine, Pacing};

/// Version of the JSON format; it increases when a field changes its meaning or is removed.
pub const SCHEMA_VERSION: u32 = 1;

/// One complete measurement: the plan, its results, and whether they can be trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Model under load when the generator's caller started the server itself.
    pub model: Option<String>,
    /// Target, as `http://127.0.0.1:8080/`.
    pub url: String,
    /// What was asked for.
    pub plan: Plan,
    /// What was offered and what came back, per second of the measured window.
    pub rates: Rates,
    /// Every planned request, accounted for.
    pub counts: Counts,
    /// Distributions over the measured window.
    pub latency_us: Latencies,
    /// Results of each URL, if the requests choose from 2 to 100 of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<UrlSummary>,
    /// What the generator itself cost.
    pub generator: Generator,
    /// What the kernel's network counters did during the run; `null` if the kernel does not provide them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<KernelEvidence>,
    /// The instant at which the load was to start; `null` if it started when it was ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<PlannedStart>,
    /// Self-checks; a measurement with a failed check must not be ranked.
    pub validity: Vec<Check>,
}

impl Summary {
    /// True when every self-check passed.
    pub fn is_valid(&self) -> bool {
        self.validity.iter().all(|check| check.ok)
    }
}

/// The workload as asked for, in the words of the command line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// What is said on a connection.
    #[serde(default)]
    pub conversation: ClientProtocol,
    /// The requests and the right answer to them, in HTTP; `null` in other conversations, and in results of versions
    /// that sent nothing but a plain GET.
    #[serde(default)]
    pub http: Option<HttpPlan>,
    /// Socket file of the server; `null` over TCP.
    #[serde(default)]
    pub unix_socket: Option<String>,
    /// `closed` or `open`.
    #[serde(rename = "loop")]
    pub loop_kind: LoopKind,
    /// Concurrent clients of a closed loop.
    pub clients: Option<u32>,
    /// Arrival rate of an open loop.
    pub rate_per_s: Option<f64>,
    /// Arrival process of an open loop.
    pub arrivals: Option<Arrivals>,
    /// Requests per connection; `null` means unlimited.
    pub requests_per_connection: Option<u64>,
    /// Connections of an open loop that were opened first and used in turn; `null` where they were opened as needed.
    #[serde(default)]
    pub connections: Option<u32>,
    /// Pause of a closed-loop client between an answer and its next request, in seconds.
    #[serde(default)]
    pub think_s: f64,
    /// How connections are closed.
    #[serde(default)]
    pub closing: Closing,
    /// Length of the measured window, in seconds, when time ends it.
    pub duration_s: Option<f64>,
    /// Number of requests, when a count ends it.
    pub requests: Option<u64>,
    /// Time over which the load rose, before the warm-up, in seconds.
    #[serde(default)]
    pub ramp_s: f64,
    /// Warm-up before the measured window, in seconds.
    pub warmup_s: f64,
    /// Longest wait for one request, in seconds.
    pub timeout_s: f64,
    /// Seed of the schedule.
    pub seed: u64,
}

/// The requests of an HTTP load, without what may be secret: no values of header fields, and no bodies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpPlan {
    /// Method of the requests.
    pub method: String,
    /// Number of URLs that the requests choose from; `null` if they are all for one.
    #[serde(default)]
    pub urls: Option<u64>,
    /// Number of header fields besides those that every request has.
    pub headers: u64,
    /// Length of the body, in bytes; `null` if the requests have none.
    pub body_bytes: Option<u64>,
    /// Status codes of right answers, such as `200-299`.
    pub expected_status: String,
    /// Length of the only right body, in bytes; `null` if bodies were not compared.
    pub expected_body_bytes: Option<u64>,
}

/// What decides when the next request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LoopKind {
    /// A client sends its next request when it has the answer to the last one.
    Closed,
    /// Requests are sent at planned instants, whatever the answers do.
    Open,
}

/// Rates over the measured window, per second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rates {
    /// Requests whose intended instant fell in the window.
    pub offered_per_s: f64,
    /// Requests that ended in the window, successfully or not.
    pub completed_per_s: f64,
    /// Requests that ended in the window with the right answer: the headline.
    pub good_per_s: f64,
}

/// Every planned request, once. `planned = not_sent + sent` and
/// `sent = ok + Σ failed + in_flight_at_end` hold in every output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Requests of the schedule.
    pub planned: u64,
    /// Requests for which a connection attempt or a write was begun.
    pub sent: u64,
    /// Requests answered with the right status and body.
    pub ok: u64,
    /// Planned requests that the run ended before sending.
    pub not_sent: u64,
    /// Requests without an outcome when the run ended.
    pub in_flight_at_end: u64,
    /// Kept connections that the server closed between requests. These are no failures: an idempotent request that was
    /// already on its way is sent again on a new connection, and fails only if that one fails.
    #[serde(default)]
    pub closed_between_requests: u64,
    /// Failures, by cause (`refused`, `reset`, `closed_early`, `timeout`, `status_503`, `bad_body`, `parse`,
    /// `head_too_long`, `unclear_length`, `broken_chunk`, `tls`, `local_EMFILE`, …) and phase (`connect`, `before_first_byte`,
    /// `head`, `mid_body`). A bad status is the cause whatever comes after the head.
    pub failed: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Counts {
    /// Failures of every cause and phase.
    pub fn failed_total(&self) -> u64 {
        self.failed.values().flat_map(BTreeMap::values).sum()
    }

    /// Requests that ended, successfully or not.
    pub fn ended(&self) -> u64 {
        self.ok + self.failed_total()
    }

    /// Failures in words, such as `3 refused, 1 reset`.
    pub fn failures(&self) -> String {
        let causes = self.failed.iter().map(|(cause, phases)| {
            let count: u64 = phases.values().sum();
            format!("{count} {cause}")
        });
        causes.collect::<Vec<_>>().join(", ")
    }
}

/// Adds failures, which are counted by cause and phase.
pub(crate) fn add_failures(
    mine: &mut BTreeMap<String, BTreeMap<String, u64>>,
    theirs: &BTreeMap<String, BTreeMap<String, u64>>,
) {
    for (cause, phases) in theirs {
        let known = mine.entry(cause.clone()).or_default();
        for (phase, count) in phases {
            *known.entry(phase.clone()).or_default() += count;
        }
    }
}

/// One distribution for each interval between a request's timestamps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latencies {
    /// Intended instant to last byte: what a client feels.
    pub response: Distribution,
    /// Start of the connection (or of the write, on a kept one) to last byte.
    pub service: Distribution,
    /// Start of the connection to established; with TLS, to the end of the handshake.
    pub connect: Distribution,
    /// Request written to first byte of the answer.
    pub first_byte: Distribution,
    /// Intended instant to start: how late the generator was.
    pub lag: Distribution,
}

/// A latency distribution, in microseconds. A percentile q is `null` where n·(1−q) < 10.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// Samples.
    pub count: u64,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Smallest sample.
    pub min: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// 99.9th percentile.
    pub p99_9: Option<f64>,
    /// Largest sample.
    pub max: Option<f64>,
    /// Names of the figures that failures affect. Failures are recorded at their elapsed time, so these figures read
    /// "at least".
    #[serde(default)]
    pub censored: Vec<String>,
}

impl Distribution {
    /// The figure called `name`, such as `p99_9`; `None` if the sample cannot support it or if there is no such figure.
    pub fn figure(&self, name: &str) -> Option<f64> {
        match name {
            "mean" => self.mean,
            "min" => self.min,
            "p50" => self.p50,
            "p90" => self.p90,
            "p99" => self.p99,
            "p99_9" => self.p99_9,
            "max" => self.max,
            _ => None,
        }
    }

    /// Whether failures affect the figure called `name`, so that it reads "at least".
    pub fn is_censored(&self, name: &str) -> bool {
        self.censored.iter().any(|censored| censored == name)
    }
}

/// Results of one URL, in a load that chooses among several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UrlSummary {
    /// The URL.
    pub url: String,
    /// Its share of the requests, relative to the sum of all weights.
    pub weight: u32,
    /// Requests answered with the right status and body.
    pub ok: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Intended instant to last byte, in microseconds.
    pub response_us: Distribution,
}

/// What the generator itself cost: check this first if a rate looks low.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Generator {
    /// How the system calls were made; `null` in results of versions with only one engine.
    #[serde(default)]
    pub engine: Option<Engine>,
    /// How the worker threads waited for planned instants.
    #[serde(default)]
    pub pacing: Pacing,
    /// Worker threads.
    pub threads: u32,
    /// CPU time of the worker threads per completed request, in microseconds.
    pub cpu_us_per_request: Option<f64>,
    /// Busiest worker thread's CPU time over the measured window, 0…1.
    pub cpu_share: f64,
}

/// Deltas of the kernel's TCP counters over a run, warm-up included. They are those of the whole network namespace: other
/// programs count, too. Of several ranks, the sum over their namespaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KernelEvidence {
    /// `TcpExt: ListenOverflows`: connections that found the accept queue full.
    pub listen_overflows: u64,
    /// `TcpExt: ListenDrops`: connections dropped by a listener, whatever the reason.
    pub listen_drops: u64,
    /// `TcpExt: TCPSynRetrans`.
    pub syn_retransmissions: u64,
    /// `TcpExt: TCPTimeouts`: times a retransmission timer went off.
    #[serde(default)]
    pub timeouts: u64,
    /// `TcpExt: DelayedACKs`: acknowledgements sent because their timer went off.
    #[serde(default)]
    pub delayed_acks: u64,
}

/// A start at a planned instant, which processes on several machines can share. Of several processes, the worst.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedStart {
    /// The planned instant, as RFC 3339 writes it.
    pub at: String,
    /// How much later the load started, in microseconds of the same clock.
    pub late_us: f64,
    /// Largest error of that clock, in microseconds, as the kernel bounds it (`maxerror` of adjtimex(2)); `null` if the
    /// kernel knows of nothing that keeps the clock right.
    pub clock_error_us: Option<u64>,
}

/// What happened in one interval of the measured window, as published while the window is still open.
///
/// Intervals add up to the summary. Those that start after the window hold the late answers of an open loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IntervalSummary {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Start, in seconds from the opening of the measured window.
    pub start_s: f64,
    /// Length, in seconds.
    pub length_s: f64,
    /// Requests begun.
    pub sent: u64,
    /// Requests answered with the right status and body.
    pub ok: u64,
    /// Failures, by cause and phase as in [`Counts::failed`].
    pub failed: BTreeMap<String, BTreeMap<String, u64>>,
    /// Requests under way at its end.
    pub in_flight: u64,
    /// Distributions of the requests that ended in it.
    pub latency_us: Latencies,
}
