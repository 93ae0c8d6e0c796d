//! The command line, reusable as a subcommand: arguments to a task (`task`), a task to an exit code (`execute`).

mod behaviour;
mod execute;
mod histogram_log;
mod levels;
mod live;
mod outputs;
mod parse;
mod search;
mod session;
mod sink;
mod task;
mod watch;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

pub use crate::units::parse_duration;
pub use behaviour::{BehaviourArgs, CloseArg, ConversationArg, EngineArg, PaceArg};
pub use execute::{execute, refuse};
use parse::{parse_clients, parse_rates, parse_reuse};
pub use task::{LoadTask, UsageError};

use hola_base::process::Cpus;

use crate::condition::Condition;

/// Examples for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  hola-load http://127.0.0.1:8080/                                50 clients, a connection per request, for 10 s
  hola-load 127.0.0.1:8080 --requests-per-connection unlimited    the same on kept connections
  hola-load 127.0.0.1:8080 --rate 2000 --duration 1m              2000 requests/s whatever the server does
  hola-load 127.0.0.1:8080 --rate 2000 --connections 64           2000 requests/s on 64 kept connections, in turn
  hola-load 127.0.0.1:8080 --requests 10000 --format json         one JSON object on standard output
  hola-load 127.0.0.1:8080 --hlog load.hlog --format ndjson       what happens while it happens, a line per second
  hola-load 127.0.0.1:8080 --fail-if 'p99>10ms'                   exit with 99 when a gate is broken
  hola-load 127.0.0.1:8080 --strict                               exit with 4 when a check fails
  hola-load 127.0.0.1:8080 --clients 1,8,64,512                   four loads, one after the other, and a table
  hola-load 127.0.0.1:8080 --rate 1k..20k/10                      ten rates, equally spaced
  hola-load 127.0.0.1:8080 --find-max --slo 'p99<5ms,failed<0.1%' the highest rate that keeps its promises

Exit codes: 0 ok, 1 run error, 2 usage, 4 measurement invalid (with --strict, or too small for a gate), 99 a gate is broken,
130 interrupted by SIGINT, 143 by SIGTERM (what was measured is printed; a second signal ends at once). A closed standard
output is no error.";

/// Arguments of `hola-load` and of `hola load`.
#[derive(Args, Clone, Debug)]
pub struct LoadArgs {
    /// Server to load, as http://127.0.0.1:8080/, localhost:8080 or, for a port of this machine, 8080; of a name with
    /// several addresses, the first that takes a connection
    #[arg(value_name = "URL")]
    pub url: Option<String>,

    /// Closed loop: concurrent clients, each sending its next request when the last one ended; several numbers are
    /// loads one after the other, as 1,8,64 or 10..100/10 [default: 50]
    #[arg(long, value_name = "N", value_parser = parse_clients, conflicts_with = "rate")]
    pub clients: Option<ClientLevels>,

    /// Open loop: requests per second at planned instants, whatever the answers do; several rates are loads one after
    /// the other, as 500,1k,2k or 1k..20k/10
    #[arg(long, value_name = "R", value_parser = parse_rates)]
    pub rate: Option<RateLevels>,

    /// Find the highest open-loop rate at which every --slo is met and every check holds: from --rate (2000 if none),
    /// doubled while it holds, halved while it does not, then bisected to 5 %. Each step is a load with its own warm-up
    /// and window, all on the same server; the result is the highest rate that was measured to hold
    #[arg(long, requires = "slo", conflicts_with_all = ["clients", "think", "fail_if", "hlog", "hgrm"])]
    pub find_max: bool,

    /// With --find-max: what must hold, such as p99<5ms,failed<0.1%
    #[arg(
        long,
        value_name = "CONDITIONS",
        value_delimiter = ',',
        requires = "find_max"
    )]
    pub slo: Vec<Condition>,

    /// Exit with 99 when this holds, such as p99>10ms, service.p99.9>1s, max>2s, failed>0.1%, failed>5 or rate<1000
    /// (good per second); may be repeated. What cannot be told because failures reach into a percentile breaks the
    /// gate; what the sample cannot support exits with 4
    #[arg(long, value_name = "CONDITION")]
    pub fail_if: Vec<Condition>,

    /// Open loop: how requests are spaced
    #[arg(long, value_enum, default_value = "poisson")]
    pub arrivals: ArrivalsArg,

    /// Length of the measured window, such as 10s, 500ms or 1m [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "requests")]
    pub duration: Option<Duration>,

    /// End after this many requests instead of after a time
    #[arg(long, value_name = "N")]
    pub requests: Option<u64>,

    /// Requests on one connection before it is closed: a number or `unlimited` [default: 1; with --connections, unlimited]
    #[arg(long, value_name = "N", value_parser = parse_reuse)]
    pub requests_per_connection: Option<Reuse>,

    /// Open loop: open so many connections during the warm-up and use them in turn, each for one request at a time
    /// [default: open one when a request needs it]
    #[arg(long, value_name = "N", conflicts_with_all = ["clients", "max_in_flight"])]
    pub connections: Option<u32>,

    /// Load before the measured window
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1s")]
    pub warmup: Duration,

    /// Longest wait for one request
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "5s")]
    pub timeout: Duration,

    /// How clients behave.
    #[command(flatten)]
    pub behaviour: BehaviourArgs,

    /// Worker threads
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub threads: u32,

    /// What to ask for; overrides the path of the URL [default: /]
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,

    /// Body that every answer must have [default: the greeting, when the path is /]
    #[arg(long, value_name = "TEXT", conflicts_with = "any_body")]
    pub expect: Option<String>,

    /// Accept any body
    #[arg(long)]
    pub any_body: bool,

    /// CPUs to pin the worker threads to, such as 0,2-3
    #[arg(long, value_name = "LIST")]
    pub cpus: Option<Cpus>,

    /// Open loop: most requests at once; later ones wait and are counted [default: what open files allow]
    #[arg(long, value_name = "N")]
    pub max_in_flight: Option<u32>,

    /// Seed of the schedule
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Length of the intervals of --format ndjson and --hlog, at least 100ms
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1s")]
    pub interval: Duration,

    /// Write response and service times of each interval, as it ends, to this new file, device or pipe, as an HdrHistogram
    /// log
    #[arg(long, value_name = "FILE")]
    pub hlog: Option<PathBuf>,

    /// Write the percentiles of the response time, in milliseconds, to this new file, device or pipe, as HdrHistogram's
    /// plotters read them
    #[arg(long, value_name = "FILE")]
    pub hgrm: Option<PathBuf>,

    /// Shape of the result on standard output
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,

    /// Write the result to this new file, device or pipe instead of standard output; a file appears when the result is
    /// there, and grows with each line of --format ndjson
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Exit with code 4 when a check of the measurement fails; without this, the result says so and nothing else
    #[arg(long)]
    pub strict: bool,

    /// Allow a target that is not on this machine
    #[arg(long)]
    pub allow_remote: bool,
}

/// How open-loop requests are spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ArrivalsArg {
    /// Exponential gaps: independent clients
    Poisson,
    /// Equal gaps
    Constant,
}

/// Shape of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person
    Text,
    /// One object, as documented in [`crate::summary`]
    Json,
    /// A header line, and a row for each load
    Csv,
    /// A small report, for a pull request
    Markdown,
    /// One object a line: each interval as it ends, then the summary
    Ndjson,
}

/// Requests per connection; `None` for as many as the server allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reuse(pub Option<u64>);

/// Numbers of clients, for one load each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientLevels(pub Vec<u32>);

/// Rates, per second, for one load each.
#[derive(Clone, Debug, PartialEq)]
pub struct RateLevels(pub Vec<f64>);

/// Where the result goes, in which format, and which results are an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Shape.
    pub format: Format,
    /// File to create, device or pipe; standard output otherwise.
    pub file: Option<PathBuf>,
    /// Length of intervals.
    pub interval: Duration,
    /// Interval log to create.
    pub hlog: Option<PathBuf>,
    /// Percentile file to create.
    pub hgrm: Option<PathBuf>,
    /// Conditions that break a gate.
    pub fail_if: Vec<Condition>,
    /// Whether a measurement with a failed check is an error.
    pub strict: bool,
}

impl Output {
    /// Whether the result is only for standard output: no file, gate or strict check.
    fn is_for_stdout_alone(&self) -> bool {
        self.file.is_none()
            && self.hlog.is_none()
            && self.hgrm.is_none()
            && self.fail_if.is_empty()
            && !self.strict
    }
}

impl LoadArgs {
    /// Where the result goes.
    pub fn output(&self) -> Output {
        Output {
            format: self.format,
            file: self.output.clone(),
            interval: self.interval,
            hlog: self.hlog.clone(),
            hgrm: self.hgrm.clone(),
            fail_if: self.fail_if.clone(),
            strict: self.strict,
        }
    }
}
