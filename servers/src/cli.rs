//! `hola serve` and `hola models`, as `hola` and this crate's own binary offer them.

mod bind;

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::num::NonZero;

use clap::{Args, ValueEnum};
use hola_base::process::{Cpus, end_with, raise_descriptor_limit};
use nix::unistd::geteuid;
use serde::Serialize;
use thiserror::Error;

use self::bind::Bind;
use crate::context::plain;
use crate::conversation::Protocol;
use crate::counters::Snapshot;
use crate::drive::Timeouts;
use crate::log;
use crate::models::{self, Capacity, MODELS, Model};
use crate::server::Server;
use crate::settings::{Accept, BACKLOG_DEFAULT, DRAIN_S, QUEUE, Settings};

/// Arguments of `serve`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola serve iterative
  hola serve tokio --bind 127.0.0.1:0 --workers 2
  hola serve thread-per-client --max-clients 100 --stats json
  hola serve pre-forked --workers 8 --accept locked
  hola serve epoll-per-core --workers 4 --processes
  hola serve thread-per-client --conversation ack --log

The first line on stdout is `MODEL listening on ADDRESS`, once all workers are there. SIGTERM or Ctrl-C: clients being served get their answer, then
the server ends with code 0; with code 1 if that takes more than 5 s.
For experiments, an HTTP server also answers /wait/MS, /compute/ROUNDS, /bytes/N and /count.
Exit codes: 0 ok, 1 error while running, 2 usage, 3 the server did not start.")]
pub struct ServeArgs {
    /// Who runs a conversation; `hola models` lists them
    #[arg(value_name = "MODEL", value_parser = model_named)]
    model: &'static Model,
    /// Address or name, and port, to listen on; a port alone is one of 127.0.0.1, and port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    bind: Bind,
    /// What is said on a connection
    #[arg(long, value_enum, default_value_t = Protocol::Http)]
    conversation: Protocol,
    /// Connections that may wait to be accepted
    #[arg(long, value_name = "N", default_value_t = BACKLOG_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=65_535))]
    backlog: u32,
    /// Threads or processes of a model that has a fixed number of them [default: one per CPU it may use]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=2048))]
    workers: Option<u16>,
    /// Clients held at once; further ones wait [default: threads 1024, processes 256; never more than the descriptor limit allows]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_clients: Option<u32>,
    /// How several acceptors share the clients; `hola models` shows which model takes which
    #[arg(long, value_enum)]
    accept: Option<Accept>,
    /// Longest wait for a client, whatever for: seconds, or `off` [default: 5 to say something, 10 to take an answer]
    #[arg(long, value_name = "SECONDS", value_parser = deadlines)]
    deadlines: Option<Timeouts>,
    /// Run workers as processes, where the model leaves the choice
    #[arg(long)]
    processes: bool,
    /// Memory to touch before serving, such as 500M: what a fork has to copy the page tables of
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
    ballast: u64,
    /// Keep the CPU busy for so many nanoseconds before each answer: a known difference for a comparison to find
    #[arg(long, value_name = "NS", default_value_t = 0, hide = true)]
    extra_work_ns: u64,
    /// Answer `/crash/panic`, `/crash/abort` and `/crash/segv` by crashing
    #[arg(long)]
    allow_crash: bool,
    /// Write what clients say, and how many there are, to stderr; lines that are not read in time are lost, and counted
    #[arg(long)]
    log: bool,
    /// CPUs to run on, such as 0 or 0,2-3 [default: all]
    #[arg(long, value_name = "LIST")]
    cpus: Option<Cpus>,
    /// Print settings and counters on stderr at the end
    #[arg(long, value_enum, value_name = "FORMAT")]
    stats: Option<StatsFormat>,
    /// End with this process, whatever happens to it
    #[arg(long, value_name = "PID", hide = true)]
    parent: Option<i32>,
}

/// How counters are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StatsFormat {
    /// One line of JSON
    Json,
    /// A line for each counter
    Text,
}

/// The model of that name, as an argument.
///
/// # Errors
/// Returns the names of all models if `name` is none of them.
pub fn model_named(name: &str) -> Result<&'static Model, String> {
    models::find(name).ok_or_else(|| {
        let names: Vec<_> = MODELS.iter().map(|model| model.name).collect();
        format!("no such model; there are {}", names.join(", "))
    })
}

/// A size in bytes, such as `4096`, `64K`, `500M` or `2G`, as an argument.
///
/// # Errors
/// Returns examples of a size if `text` is none.
pub fn size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 10),
        Some(b'M') => (&text[..text.len() - 1], 20),
        Some(b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    let number = digits.parse::<u64>().ok().filter(|_| plain);
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| format!("`{text}` is not a size; write one such as 64K, 500M or 2G"))
}

/// One deadline for everything, such as `30`, or `off`, as an argument.
///
/// # Errors
/// Returns what a deadline looks like if `text` is none.
fn deadlines(text: &str) -> Result<Timeouts, String> {
    let seconds = match text {
        "off" => return Ok(Timeouts::all(None)),
        text => text.parse().ok().filter(|seconds| *seconds > 0),
    };
    let timeout_ms = seconds.and_then(|seconds: u32| seconds.checked_mul(1_000));
    timeout_ms
        .map(|timeout_ms| Timeouts::all(Some(timeout_ms)))
        .ok_or_else(|| format!("`{text}` is not a deadline; write whole seconds from 1 on, or off"))
}

/// Why `serve` failed.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The model cannot do what is asked of it.
    #[error("{0}")]
    Usage(String),
    /// The server could not start to listen.
    #[error("cannot start: {0}")]
    NotStarted(String),
    /// It listened, and failed later.
    #[error("{0}")]
    Running(#[from] io::Error),
}

impl ServeError {
    /// The documented exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            ServeError::Usage(_) => 2,
            ServeError::NotStarted(_) => 3,
            ServeError::Running(_) => 1,
        }
    }
}

/// Serves until told to stop.
///
/// # Errors
/// Returns [`ServeError`]: its text is one line for a person, and its code is the exit code of the process.
pub fn serve(args: &ServeArgs) -> Result<(), ServeError> {
    (args.model.available)().map_err(|reason| {
        ServeError::NotStarted(format!(
            "{} is not available here: {reason}",
            args.model.name
        ))
    })?;
    log::open().map_err(|error| ServeError::NotStarted(plain(&error)))?;
    prepare_process(args)?;
    let server = start(args)?;
    let address = server.settings().bind;
    if !address.ip().is_loopback() {
        log::line(&format!(
            "warning: {address} can be reached from other machines"
        ));
    }
    let ended = (args.model.serve)(server);
    log::report_lost();
    if ended.is_err() && !server.is_announced() {
        return ended.map_err(|error| ServeError::NotStarted(plain(&error)));
    }
    if let Some(format) = args.stats {
        print_stats(server, format)?;
    }
    Ok(ended?)
}

fn prepare_process(args: &ServeArgs) -> Result<(), ServeError> {
    if let Some(parent) = args.parent {
        end_with(parent).map_err(ServeError::NotStarted)?;
    }
    if let Some(cpus) = &args.cpus {
        cpus.run_on()
            .map_err(|why_not| ServeError::NotStarted(format!("--cpus {why_not}")))?;
    }
    Ok(())
}

/// Starts a server at the first address that can be bound; tries each once.
fn start(args: &ServeArgs) -> Result<&'static Server, ServeError> {
    let mut refusals = Vec::new();
    for &address in args.bind.addresses() {
        match Server::start(args.model.name, settings(args, address)?, announce) {
            Ok(server) => return Ok(server),
            Err(error) => refusals.push(plain(&error)),
        }
    }
    Err(ServeError::NotStarted(refusals.join("; ")))
}

fn settings(args: &ServeArgs, bind: SocketAddr) -> Result<Settings, ServeError> {
    let model = args.model;
    let descriptors = raise_descriptor_limit().unwrap_or_else(|refused| {
        log::line(&format!("warning: {refused}"));
        refused.left
    });
    let workers = match args.workers {
        Some(workers) => usize::from(workers),
        None => {
            // If the system does not tell the number of CPUs, one is enough to serve.
            let cpus = std::thread::available_parallelism().map_or(1, NonZero::get);
            cpus * model.workers_per_cpu
        }
    };
    let cannot = |what: &str| ServeError::Usage(format!("{} cannot {what}", model.name));
    if args.processes && !model.threads_or_processes {
        return Err(cannot("choose between threads and processes"));
    }
    let accept = match args.accept {
        None => model.accept.first().copied(),
        Some(asked) if model.accept.contains(&asked) => Some(asked),
        Some(_) if model.accept.is_empty() => {
            return Err(cannot("share clients: it has one acceptor"));
        }
        Some(_) => return Err(cannot("share clients that way")),
    };
    let (max_clients, max_clients_by) =
        model.clients_max(args.max_clients, descriptors, workers, accept);
    if max_clients == 0 {
        let own = model.descriptors_without_clients(workers, accept);
        return Err(ServeError::NotStarted(format!(
            "no client can be served with {descriptors} descriptors: {} with {workers} workers may need {own} for itself; \
             raise the limit on open files (ulimit -n)",
            model.name
        )));
    }
    let most_at_once = usize::try_from(max_clients).unwrap_or(usize::MAX);
    Ok(Settings {
        bind,
        backlog: args.backlog,
        backlog_asked: args.backlog,
        // Each blocking worker waits in accept for one more client: more workers than the cap would exceed it.
        workers: match model.capacity {
            Capacity::Workers => workers.min(most_at_once),
            Capacity::One | Capacity::Unbounded => workers,
        },
        processes: args.processes,
        accept,
        queue: QUEUE,
        max_clients,
        max_clients_by,
        descriptors,
        timeouts: args
            .deadlines
            .unwrap_or_else(|| Timeouts::for_protocol(args.conversation)),
        conversation: args.conversation,
        ballast_bytes: args.ballast,
        extra_work_ns: args.extra_work_ns,
        allow_crash: args.allow_crash,
        log: args.log,
        drain_s: DRAIN_S,
    })
}

fn announce(server: &Server) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let (name, address) = (server.model(), server.address()?);
    writeln!(stdout, "{name} listening on {address}")?;
    stdout.flush()?;
    log::line(&server.settings().to_string());
    if geteuid().is_root() {
        log::line("warning: running as root, which serving does not need");
    }
    if io::stderr().is_terminal() {
        log::line("Ctrl-C stops it");
    }
    Ok(())
}

fn print_stats(server: &Server, format: StatsFormat) -> io::Result<()> {
    let counters = server.counters().snapshot();
    match format {
        StatsFormat::Json => {
            let stats = serde_json::json!({"model": server.model(), "settings": server.settings(), "counters": counters});
            writeln!(io::stderr(), "{stats}")
        }
        StatsFormat::Text => {
            let Snapshot {
                accepted,
                wakeups,
                closed,
                refused,
                answers,
                expired,
                broken,
                crashed,
                backed_off,
                accepted_by_worker,
                wakeups_by_worker: _,
            } = counters;
            writeln!(
                io::stderr(),
                "clients: {accepted} accepted, {closed} closed, {refused} refused\n\
                 requests answered: {answers}\n\
                 conversations: {expired} expired, {broken} broken off, {crashed} crashed\n\
                 accepting: {wakeups} wake-ups, backed off {backed_off} times\n\
                 clients by worker: {accepted_by_worker:?}"
            )
        }
    }
}

/// The table of models, for people.
pub fn models_text() -> String {
    let width = MODELS
        .iter()
        .map(|model| model.name.len())
        .max()
        .unwrap_or(0);
    let line = |model: &Model| match (model.available)() {
        Ok(()) => format!("{:width$}  {}\n", model.name, model.summary.en),
        Err(reason) => format!("{:width$}  skipped: {reason}\n", model.name),
    };
    MODELS.iter().map(line).collect()
}

/// The table of models, for programs: a JSON array. `skipped` says why a model is not available here, or is `null`.
///
/// # Errors
/// None that can happen: the table is plain data.
pub fn models_json() -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Row {
        #[serde(flatten)]
        model: &'static Model,
        skipped: Option<String>,
    }
    let row = |model| Row {
        model,
        skipped: (model.available)().err(),
    };
    serde_json::to_string_pretty(&MODELS.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_every_model_when_one_is_unknown() {
        let message = model_named("threads").expect_err("there is no such model");
        assert!(
            MODELS.iter().all(|model| message.contains(model.name)),
            "{message}"
        );
    }
}
