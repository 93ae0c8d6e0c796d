//! The command line, reusable as a subcommand: arguments to a workload, and a run to an exit code.

mod behaviour;
mod calibrate;
mod parse;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};

pub use behaviour::{BehaviourArgs, CloseArg, ConversationArg, EngineArg, PaceArg};
pub use calibrate::{CalibrateArgs, CalibrateFormat, execute as execute_calibrate};
pub use parse::parse_duration;
use parse::{locate, parse_cpus, parse_reuse};

use crate::engine::{LoadError, Observer, Progress, run};
use crate::measurement::Measurement;
use crate::summary::Arrivals;
use crate::workload::{GREETING, Pace, Stop, Workload};
use crate::{sys, text};

/// Examples for `--help`.
pub const EXAMPLES: &str = "\
Examples:
  hola-load http://127.0.0.1:8080/                                50 clients, a connection per request, for 10 s
  hola-load 127.0.0.1:8080 --requests-per-connection unlimited    the same on kept connections
  hola-load 127.0.0.1:8080 --rate 2000 --duration 1m              2000 requests/s whatever the server does
  hola-load 127.0.0.1:8080 --requests 10000 --format json         one JSON object on standard output
  hola-load 127.0.0.1:8080 --strict                               exit code 4 when a check fails

Exit codes: 0 ok, 1 run error, 2 usage, 4 measurement invalid (with --strict), 130 interrupted.";

/// Exit code of a run that failed or in which nothing succeeded.
const EXIT_ERROR: u8 = 1;
/// Exit code of arguments that make no sense.
const EXIT_USAGE: u8 = 2;
/// Exit code of a measurement with a failed check, where that is to be an error.
const EXIT_INVALID: u8 = 4;
/// Exit code of a run ended by Ctrl-C.
const EXIT_INTERRUPTED: u8 = 130;

/// Arguments of `hola-load` and of `hola load`.
#[derive(Args, Clone, Debug)]
pub struct LoadArgs {
    /// Server to load, as http://127.0.0.1:8080/ or 127.0.0.1:8080
    #[arg(value_name = "URL")]
    pub url: Option<String>,

    /// Closed loop: concurrent clients, each sending its next request when the last one ended [default: 50]
    #[arg(long, value_name = "N", conflicts_with = "rate")]
    pub clients: Option<u32>,

    /// Open loop: requests per second at planned instants, whatever the answers do
    #[arg(long, value_name = "R")]
    pub rate: Option<f64>,

    /// Open loop: how requests are spaced
    #[arg(long, value_enum, default_value = "poisson")]
    pub arrivals: ArrivalsArg,

    /// Length of the measured window, such as 10s, 500ms or 1m [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "requests")]
    pub duration: Option<Duration>,

    /// End after this many requests instead of after a time
    #[arg(long, value_name = "N")]
    pub requests: Option<u64>,

    /// Requests on one connection before it is closed: a number or `unlimited`
    #[arg(long, value_name = "N", value_parser = parse_reuse, default_value = "1")]
    pub requests_per_connection: Reuse,

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
    #[arg(long, value_name = "LIST", value_parser = parse_cpus)]
    pub cpus: Option<Cpus>,

    /// Open loop: most requests at once; later ones wait and are counted [default: what open files allow]
    #[arg(long, value_name = "N")]
    pub max_in_flight: Option<u32>,

    /// Seed of the schedule
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,

    /// Shape of the result on standard output
    #[arg(long, value_enum, default_value = "text")]
    pub format: Format,

    /// Write the result to this file, which must not exist, instead of standard output
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
    /// A header line and one row
    Csv,
}

/// Requests per connection; `None` for as many as the server allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reuse(pub Option<u64>);

/// A list of CPU numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpus(pub Vec<usize>);

/// Where the result goes, in which shape, and what it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Shape.
    pub format: Format,
    /// File to create; standard output otherwise.
    pub file: Option<PathBuf>,
    /// Whether a measurement with a failed check is an error.
    pub strict: bool,
}

/// Why the arguments do not make a workload.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UsageError {
    /// Nobody said what to load.
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
    /// The load makes no sense or does not fit.
    #[error(transparent)]
    Invalid(#[from] crate::workload::InvalidWorkload),
}

impl LoadArgs {
    /// The workload asked for; `target` is the server when the caller started it itself, and then no URL is needed.
    ///
    /// # Errors
    /// The first thing that is wrong with the arguments.
    pub fn workload(&self, target: Option<SocketAddr>) -> Result<Workload, UsageError> {
        let (target, host, url_path) = match (target, &self.url) {
            (Some(target), _) => (target, target.to_string(), None),
            (None, Some(url)) => locate(url)?,
            (None, None) => return Err(UsageError::NoTarget),
        };
        if !target.ip().is_loopback() && !self.allow_remote {
            return Err(UsageError::Remote(target));
        }
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
        let arrivals = match self.arrivals {
            ArrivalsArg::Poisson => Arrivals::Poisson,
            ArrivalsArg::Constant => Arrivals::Constant,
        };
        let mut workload = Workload {
            host,
            path,
            pace: match self.rate {
                Some(rate_per_s) => Pace::Open {
                    rate_per_s,
                    arrivals,
                },
                None => Pace::Closed {
                    clients: self.clients.unwrap_or(50),
                },
            },
            requests_per_connection: self.requests_per_connection.0,
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
                .map_or_else(Vec::new, |cpus| cpus.0.clone()),
            seed: self.seed,
            max_in_flight: self.max_in_flight,
            expected_body,
            ..Workload::new(target)
        };
        self.behaviour.apply(&mut workload);
        workload.validate(sys::raise_open_file_limit())?;
        Ok(workload)
    }

    /// Where the result goes.
    pub fn output(&self) -> Output {
        Output {
            format: self.format,
            file: self.output.clone(),
            strict: self.strict,
        }
    }
}

/// Runs `workload`, writes the result, and says how it went; `model` names the server when the caller started it.
///
/// Ctrl-C ends the run early and still writes what was measured.
pub fn execute(workload: &Workload, output: &Output, model: Option<String>) -> ExitCode {
    match try_execute(workload, output, model) {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(EXIT_ERROR)
        }
    }
}

/// Says why the arguments are refused.
pub fn refuse(error: &UsageError) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(EXIT_USAGE)
}

fn try_execute(workload: &Workload, output: &Output, model: Option<String>) -> Result<u8, String> {
    // Before the run: a measurement that cannot be kept is not worth making.
    let mut sink = open_sink(output.file.as_deref())?;
    sys::note_interrupts().map_err(|error| format!("cannot watch for Ctrl-C: {error}"))?;
    let terminal = Terminal {
        shown: io::stderr().is_terminal(),
    };
    let calibration = calibrate::stored();
    let workload = Workload {
        engine: calibrate::engine(workload, calibration.as_ref()),
        ..workload.clone()
    };
    let result = run(&workload, &terminal);
    terminal.clear();
    let mut measurement = match result {
        Ok(measurement) => measurement,
        Err(error @ LoadError::StoppedInWarmup) => {
            eprintln!("{error}");
            return Ok(EXIT_INTERRUPTED);
        }
        Err(error) => return Err(error.to_string()),
    };
    measurement.summary.model = model;
    if let Some(calibration) = calibration {
        calibration.refer(&mut measurement.summary);
    }
    let rendered = render(&measurement, output.format)?;
    sink.write_all(rendered.as_bytes())
        .and_then(|()| sink.flush())
        .map_err(|error| {
            let name = output
                .file
                .as_deref()
                .map_or("standard output".into(), Path::to_string_lossy);
            format!("cannot write the result to {name}: {error}")
        })?;
    Ok(verdict(&measurement, output.strict))
}

fn verdict(measurement: &Measurement, strict: bool) -> u8 {
    if measurement.interrupted {
        return EXIT_INTERRUPTED;
    }
    if measurement.summary.counts.ok == 0 {
        eprintln!("error: not one request succeeded");
        return EXIT_ERROR;
    }
    if strict && !measurement.summary.is_valid() {
        return EXIT_INVALID;
    }
    0
}

fn render(measurement: &Measurement, format: Format) -> Result<String, String> {
    match format {
        Format::Text => Ok(text::page(measurement)),
        Format::Csv => Ok(text::csv(&measurement.summary)),
        Format::Json => serde_json::to_string_pretty(&measurement.summary)
            .map(|json| json + "\n")
            .map_err(|error| format!("cannot encode the result: {error}")),
    }
}

fn open_sink(file: Option<&Path>) -> Result<Box<dyn Write>, String> {
    match file {
        None => Ok(Box::new(io::stdout())),
        Some(path) => File::create_new(path)
            .map(|file| Box::new(file) as Box<dyn Write>)
            .map_err(|error| format!("cannot create {}: {error}", path.display())),
    }
}

/// One line on standard error, rewritten in place, when somebody is there to see it.
struct Terminal {
    shown: bool,
}

impl Terminal {
    fn clear(&self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

impl Observer for Terminal {
    fn progress(&self, progress: &Progress) {
        if self.shown {
            eprint!(
                "\r\x1b[K{:.1} s  {} completed  {} failed  {} in flight",
                progress.elapsed.as_secs_f64(),
                progress.completed,
                progress.failed,
                progress.in_flight
            );
        }
    }

    fn should_stop(&self) -> bool {
        sys::interrupted()
    }
}
