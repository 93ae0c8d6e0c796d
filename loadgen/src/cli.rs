//! The command line, reusable as a subcommand: arguments to loads (`plan`), loads to a result and an exit code
//! (`execute`), shares of a load to a result (`merge`).

mod execute;
mod exit;
mod gates;
mod merge;
mod outputs;
mod parse;
mod plan;
mod plan_file;
mod rank_run;
mod ranks;
mod scheduler;
mod search;
mod url_list;
mod watch;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use hola_base::process::Cpus;

pub use crate::units::parse_duration;
pub use execute::{print_plan, refuse, run};
use gates::GateArgs;
pub use merge::{MergeArgs, merge};
use parse::{
    ClientLevels, RateLevels, Reuse, parse_clients, parse_name, parse_range, parse_rates,
    parse_reuse,
};
pub use plan_file::{plan_schema, with_plan};
use ranks::RankArgs;

use crate::condition::Condition;
use crate::http::{RequestMethod, StatusCodes};
use crate::schedule::Arrivals;
use crate::workload::{ClientProtocol, Closing, Engine, Pacing};

/// Examples for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  hola-load http://127.0.0.1:8080/                                50 clients, a connection per request, for 10 s
  hola-load 127.0.0.1:8080 --requests-per-connection unlimited    the same on kept connections
  hola-load 127.0.0.1:8080 --rate 2000 --duration 1m              2000 requests/s whatever the server does
  hola-load 127.0.0.1:8080 --rate 2000 --connections 64           2000 requests/s on 64 kept connections, in turn
  hola-load 127.0.0.1:8080 --requests 10000 --format json         one JSON object on standard output
  hola-load 127.0.0.1:8080 --format openmetrics --output load.om  metrics for Prometheus
  hola-load 127.0.0.1:8080 --hlog load.hlog --format ndjson       what happens while it happens, a line per second
  hola-load 127.0.0.1:8080 --fail-if 'p99>10ms'                   exit with 99 when a gate is broken
  hola-load 127.0.0.1:8080 --fail-if 'p99>10ms' --junit load.xml  the same, and a test report
  hola-load 127.0.0.1:8080 --strict                               exit with 4 when a check fails
  hola-load 127.0.0.1:8080/ --expect-body any                     a server that is not Hola's
  hola-load 127.0.0.1:8080/a --expect-status 2xx,404              404 is a right answer, too
  hola-load 127.0.0.1:8080/a --header 'Accept: text/html'         a header field; may be repeated
  hola-load 127.0.0.1:8080/a --body '{}' --header 'Content-Type: application/json'
                                                                  a POST with this body
  hola-load 127.0.0.1:8080 --urls urls.txt                        URLs of a file, by weight
  hola-load http://localhost/a --unix-socket /run/app.sock        over a Unix domain socket
  hola-load 127.0.0.1:8080 --clients 1,8,64,512                   four loads, one after the other, and a table
  hola-load 127.0.0.1:8080 --rate 1k..20k/10                      ten rates, equally spaced
  hola-load 127.0.0.1:8080 --find-max --slo 'p99<5ms,failed<0.1%' the highest rate that keeps its promises
  hola-load --plan load.toml --rate 3k                            the arguments of a file, but for the rate
  hola-load 127.0.0.1:8080 --rate 2k --print-plan > load.toml     a file of these arguments
  hola-load 127.0.0.1:8080 --rate 8k --ranks auto --start-at @1764342000 --output results
                                                                  one of several processes that Slurm, mpirun, … started;
                                                                  `hola merge results` adds them up

Exit codes: 0 ok, 1 run error, 2 usage, 4 measurement invalid (with --strict, or too small for a gate), 5 ready only after
--start-at, 99 a gate is broken, 130 interrupted by SIGINT, 143 by SIGTERM (what was measured is printed; a second signal
ends at once). A closed standard output is no error.";

/// Arguments of `hola-load` and of `hola load`.
#[derive(Args, Clone, Debug)]
pub struct LoadArgs {
    /// Server to load, as http://127.0.0.1:8080/, localhost:8080 or, for a port of this machine, 8080; of a name with
    /// several addresses, the first that takes a connection
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Closed loop: concurrent clients, each sending its next request when the last one ended; several numbers are
    /// loads one after the other, as 1,8,64 or 10..100/10 [default: 50]
    #[arg(long, value_name = "N", value_parser = parse_clients, conflicts_with = "rate")]
    clients: Option<ClientLevels>,
    /// Open loop: requests per second at planned instants, whatever the answers do; several rates are loads one after
    /// the other, as 500,1k,2k or 1k..20k/10
    #[arg(long, value_name = "R", value_parser = parse_rates)]
    rate: Option<RateLevels>,
    /// Find the highest open-loop rate at which every --slo is met and every check holds: from --rate (2000 if none),
    /// doubled while it holds, halved while it does not, then bisected to 5 %. Each step is a load with its own warm-up
    /// and window, all on the same server; the result is the highest rate that was measured to hold
    #[arg(long, requires = "slo", conflicts_with_all = ["clients", "think", "fail_if", "hlog", "hgrm", "junit"])]
    find_max: bool,
    /// With --find-max: what must hold, such as p99<5ms,failed<0.1%
    #[arg(
        long,
        value_name = "CONDITIONS",
        value_delimiter = ',',
        requires = "find_max"
    )]
    slo: Vec<Condition>,
    #[command(flatten)]
    gates: GateArgs,
    /// Open loop: how requests are spaced: `poisson`, with the exponential gaps of independent clients, or `constant`
    #[arg(long, value_parser = parse_name::<Arrivals>, default_value = "poisson")]
    arrivals: Arrivals,
    /// Length of the measured window, such as 10s, 500ms or 1m [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "requests")]
    duration: Option<Duration>,
    /// End after this many requests instead of after a time
    #[arg(long, value_name = "N")]
    requests: Option<u64>,
    /// Requests on one connection before it is closed: a number or `unlimited` [default: 1; with --connections, unlimited]
    #[arg(long, value_name = "N", value_parser = parse_reuse)]
    requests_per_connection: Option<Reuse>,
    /// Open loop: open so many connections during the warm-up and use them in turn, each for one request at a time
    /// [default: open one when a request needs it]
    #[arg(long, value_name = "N", conflicts_with_all = ["clients", "max_in_flight"])]
    connections: Option<u32>,
    /// Load before the measured window
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1s")]
    warmup: Duration,
    /// Longest wait for one request
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "5s")]
    timeout: Duration,
    /// What is said on a connection: `http` (HTTP/1.1), `ack` (messages, each acknowledged) or `echo` (messages, each
    /// returned)
    #[arg(long, value_parser = parse_name::<ClientProtocol>, default_value = "http")]
    conversation: ClientProtocol,
    /// What clients of `ack` and `echo` say [default: Hola, servidor!]
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// Closed loop: pause of a client between an answer and its next request
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "0s", conflicts_with = "rate")]
    think: Duration,
    /// Time over which the load rises to its full height, before the warm-up
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "0s")]
    ramp: Duration,
    /// How the system calls are made: `readiness` (epoll), `completion` (io_uring) or `auto`, which is completion where
    /// the kernel has io_uring
    #[arg(long, value_parser = parse_name::<Engine>, default_value = "auto")]
    engine: Engine,
    /// How the next planned instant is waited for: `sleep`, in the kernel, or `spin`, asking over and over, which is
    /// prompter and takes a whole CPU for each thread
    #[arg(long, value_parser = parse_name::<Pacing>, default_value = "sleep")]
    pace: Pacing,
    /// How connections are closed: `orderly`, as clients do, or with a `reset`, which is cheaper and no measure of closing
    #[arg(long, value_parser = parse_name::<Closing>, default_value = "orderly")]
    close: Closing,
    /// IPv4 addresses to connect from, as FIRST or FIRST-LAST [default: for loopback, as many as the ports need]
    #[arg(long, value_name = "RANGE", value_parser = parse_range::<Ipv4Addr>)]
    source: Option<(Ipv4Addr, Ipv4Addr)>,
    /// Local ports to connect from, as FIRST or FIRST-LAST [default: the system's]
    #[arg(long, value_name = "RANGE", value_parser = parse_range::<u16>)]
    local_ports: Option<(u16, u16)>,
    /// Connect to this socket file, as curl's option does, instead of the host and port of the URL, which still gives Host
    /// and path
    #[arg(long, value_name = "FILE", requires = "url", conflicts_with_all = ["source", "local_ports"])]
    unix_socket: Option<PathBuf>,
    /// Worker threads
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: u32,
    /// What to ask for; overrides the path of the URL [default: /]
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// File of URLs to choose from at random for each request: one a line, as `[WEIGHT] URL`, all of one server, as URLs or
    /// as paths; `#` begins a comment
    #[arg(long, value_name = "FILE", conflicts_with = "path")]
    urls: Option<PathBuf>,
    /// Method of the requests; one that is not idempotent, such as POST, is never sent a second time, so a kept connection
    /// that the server closes then costs a failure [default: GET; with a body, POST]
    #[arg(long, value_name = "NAME")]
    method: Option<RequestMethod>,
    /// Header field of the requests, as `Name: value`; may be repeated. `Host` replaces that of the URL
    #[arg(long, value_name = "FIELD")]
    header: Vec<String>,
    /// Who asks: sent with every request in an Authorization field (Basic)
    #[arg(long, value_name = "NAME:PASSWORD")]
    user: Option<String>,
    /// Body of the requests; it has no Content-Type unless a --header gives one
    #[arg(long, value_name = "TEXT", conflicts_with = "body_file")]
    body: Option<String>,
    /// File with the body of the requests, which is read once, before the load
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// Status that every answer must have: codes, ranges and classes, such as 200, 200-299 or 2xx,404; any other is a
    /// failure of its own class, such as status_404 [default: 2xx]
    #[arg(long, value_name = "LIST")]
    expect_status: Option<StatusCodes>,
    /// Body that every answer must have, or `any`; another one is a bad_body [default: Hola's greeting when a GET asks
    /// for / and there is no --expect-status and no --urls, otherwise any]
    #[arg(long, value_name = "TEXT")]
    expect_body: Option<String>,
    /// CPUs to pin the worker threads to, such as 0,2-3
    #[arg(long, value_name = "LIST")]
    cpus: Option<Cpus>,
    /// Open loop: most requests at once; later ones wait and are counted [default: what open files allow]
    #[arg(long, value_name = "N")]
    max_in_flight: Option<u32>,
    /// Seed of the schedule, and of the choice among --urls
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Length of the intervals of --format ndjson and --hlog, at least 100ms
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1s")]
    interval: Duration,
    /// Write response and service times of each interval, as it ends, to this new file, device or pipe, as an HdrHistogram
    /// log
    #[arg(long, value_name = "FILE")]
    hlog: Option<PathBuf>,
    /// Write the percentiles of the response time, in milliseconds, to this new file, device or pipe, as HdrHistogram's
    /// plotters read them
    #[arg(long, value_name = "FILE")]
    hgrm: Option<PathBuf>,
    /// Shape of the result on standard output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Write the result to this new file, device or pipe instead of standard output; a file appears when the result is
    /// there, and grows with each line of --format ndjson. With --ranks, the folder for the results of all processes
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    ranks: RankArgs,
    /// https: PEM file of the authorities that may have signed the server's certificate [default: those of the system]
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    cacert: Option<PathBuf>,
    /// https: accept any certificate. The server may be another one than it says
    #[arg(long)]
    insecure: bool,
    /// Allow a target that is not on this machine
    #[arg(long)]
    allow_remote: bool,
    /// Take arguments from this TOML file, in which each key is the long name of an option, or `url`; those of the command
    /// line replace the file's
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Write the plan that means the same as this command line, and measure nothing
    #[arg(long)]
    print_plan: bool,
}

impl LoadArgs {
    /// Whether the plan is all that is asked for.
    pub fn prints_plan(&self) -> bool {
        self.print_plan
    }

    /// Name of the conversation on the command line.
    pub fn conversation(&self) -> String {
        format!("{:?}", self.conversation).to_lowercase()
    }
}

/// Shape of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person
    Text,
    /// One object, as its published JSON Schema says
    Json,
    /// A header line, and a row for each load
    Csv,
    /// OpenMetrics text 1.0, as Prometheus reads it
    Openmetrics,
    /// A small report, for a pull request
    Markdown,
    /// One object a line: each interval as it ends, then the summary
    Ndjson,
}
