//! `hola serve` and `hola models`, as `hola` and this crate's own binary offer them.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::thread;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Args, ValueEnum};
use hola_base::process::{Cpus, end_with, raise_descriptor_limit};
use nix::unistd::geteuid;
use serde::Serialize;
use thiserror::Error;

use crate::context::plain;
use crate::conversation::Protocol;
use crate::drive::Timeouts;
use crate::log;
use crate::models::{self, Capacity, MODELS, Model};
use crate::one_client::{self, Errand};
use crate::operator;
use crate::server::Server;
use crate::settings::{
    Accept, BACKLOG_DEFAULT, COROUTINE_STACK_BYTES, DRAIN_S, FirstRead, QUEUE, Settings,
};

/// Arguments of `serve`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola serve iterative
  hola serve tokio --bind 127.0.0.1:0 --workers 2
  hola serve thread-per-client --max-clients 100 --stats json
  hola serve pre-forked --workers 8 --accept locked
  hola serve epoll-per-core --workers 4 --processes
  hola serve epoll --first-read at-once
  hola serve thread-per-client --conversation ack --log
  hola console epoll --page          serve, watch it in the browser, and answer a chat

The first line on stdout is `MODEL listening on ADDRESS`, once all workers accept clients. SIGTERM or Ctrl-C stops the
server: it answers the clients that it serves and ends with code 0, or with code 1 if that takes more than 5 s.
For experiments, an HTTP server also answers /wait/MS, /block/MS, /compute/ROUNDS, /bytes/N and /count.
Exit codes: 0 ok, 1 error while running, 2 usage, 3 the server did not start.")]
pub struct ServeArgs {
    /// Concurrency model to serve with; `hola models` lists them
    #[arg(value_name = "MODEL", value_parser = ModelName, hide_possible_values = true)]
    model: &'static Model,
    /// Address or name, and port, to listen on; a port alone means 127.0.0.1, and port 0 takes a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = addresses)]
    bind: Box<[SocketAddr]>,
    /// Protocol that clients and server speak
    #[arg(long, value_enum, default_value_t = Protocol::Http)]
    conversation: Protocol,
    /// Most connections that wait to be accepted; the kernel may allow fewer (net.core.somaxconn)
    #[arg(long, value_name = "N", default_value_t = BACKLOG_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=65_535))]
    backlog: u32,
    /// Number of threads or processes, if the model has a fixed number [default: 4 per CPU if each serves one client at a time, else 1 per CPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=2048))]
    workers: Option<u16>,
    /// Most clients that are connected at once; later ones wait [default: 1024 with threads, 256 with processes; never more than the limit on open files allows]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_clients: Option<u32>,
    /// How workers share new clients; `hola models --json` shows what each model can do
    #[arg(long, value_enum)]
    accept: Option<Accept>,
    /// What a loop or a task does first with a new client; `hola models --json` shows which models can choose [default: when-ready]
    #[arg(long, value_enum, value_name = "WHEN")]
    first_read: Option<FirstRead>,
    /// Size of each client's stack, if the model gives it one, from 16K on [default: 64K]
    #[arg(long, value_name = "SIZE", value_parser = stack)]
    stack: Option<u64>,
    /// Close a connection when the server has waited for its client for so many seconds; `off` for never [default: 5 for a request, 300 for a message, 10 for the client to take an answer]
    #[arg(long, value_name = "SECONDS", value_parser = deadlines)]
    deadlines: Option<Timeouts>,
    /// Make the workers processes instead of threads, if the model can have either
    #[arg(long)]
    processes: bool,
    /// Allocate and fill so much memory before serving, such as 500M: each fork then has more page tables to copy
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
    ballast: u64,
    /// Keep the CPU busy for so many nanoseconds before each answer: a known difference that a comparison has to find
    #[arg(long, value_name = "NS", default_value_t = 0, hide = true)]
    extra_work_ns: u64,
    /// Crash when a client asks for `/crash/panic`, `/crash/abort` or `/crash/segv`
    #[arg(long)]
    allow_crash: bool,
    /// Write to stderr what clients send, and when they come and leave; lines that stderr does not take at once are dropped and counted
    #[arg(long)]
    log: bool,
    /// CPUs to run on, such as 0 or 0,2-3 [default: all]
    #[arg(long, value_name = "LIST")]
    cpus: Option<Cpus>,
    /// Print counters to stderr at the end; `json` adds the settings
    #[arg(long, value_enum, value_name = "FORMAT")]
    stats: Option<StatsFormat>,
    /// Give the counters, and the events of a chat, to the operator at this descriptor, which the program was started with
    #[arg(long, value_name = "FD", hide = true)]
    operator: Option<i32>,
    /// Talk to one client only, whose connection this program was started with
    #[arg(long, value_name = "JSON", hide = true, value_parser = errand)]
    one_client: Option<Errand>,
    /// Be killed when this process, which must be the parent, ends
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

/// A model's name as an argument, whose values a shell can complete.
#[derive(Clone, Copy, Debug)]
pub struct ModelName;

impl TypedValueParser for ModelName {
    type Value = &'static Model;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        model_named.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let value = |model: &Model| PossibleValue::new(model.name).help(model.summary.en);
        Some(Box::new(MODELS.iter().map(value)))
    }
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
    let shift = match text.as_bytes().last() {
        Some(b'K') => 10,
        Some(b'M') => 20,
        Some(b'G') => 30,
        _ => 0,
    };
    let digits = if shift > 0 {
        &text[..text.len() - 1]
    } else {
        text
    };
    let is_plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    let number = digits.parse::<u64>().ok().filter(|_| is_plain);
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| format!("`{text}` is not a size; write one such as 64K, 500M or 2G"))
}

/// The size of a stack in bytes, as an argument.
fn stack(text: &str) -> Result<u64, String> {
    const STACKS: RangeInclusive<u64> = 16 << 10..=64 << 20;
    let bytes = size(text)?;
    if STACKS.contains(&bytes) {
        return Ok(bytes);
    }
    Err(format!("`{text}` is not a size from 16K to 64M"))
}

/// One deadline for everything, such as `30`, or `off`, as an argument.
fn deadlines(text: &str) -> Result<Timeouts, String> {
    if text == "off" {
        return Ok(Timeouts::with_all(None));
    }
    let seconds = text.parse::<u32>().ok().filter(|&seconds| seconds > 0);
    seconds
        .and_then(|seconds| seconds.checked_mul(1_000))
        .map(|timeout_ms| Timeouts::with_all(Some(timeout_ms)))
        .ok_or_else(|| format!("`{text}` is not a deadline; write whole seconds from 1 on, or off"))
}

/// Where to listen, as an argument: at least one address, of which the server takes the first that it can bind. A name
/// such as `localhost` may have several.
fn addresses(text: &str) -> Result<Box<[SocketAddr]>, String> {
    const FORMS: &str =
        "write an address and a port, such as 127.0.0.1:8080, localhost:0, [::1]:8080 or 8080";
    // A port alone means loopback, which other machines cannot reach.
    if let Ok(port) = text.strip_prefix(':').unwrap_or(text).parse() {
        return Ok([(Ipv4Addr::LOCALHOST, port).into()].into());
    }
    let found = text.to_socket_addrs();
    let found = found.map_err(|error| format!("{error}; {FORMS}"))?;
    let mut addresses: Vec<SocketAddr> = found.collect();
    addresses.dedup();
    if addresses.is_empty() {
        return Err(FORMS.to_owned());
    }
    Ok(addresses.into())
}

fn errand(text: &str) -> Result<Errand, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
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
    let name = args.model.name;
    if let Some(errand) = &args.one_client {
        return Ok(one_client::converse(name, errand.clone())?);
    }
    (args.model.available)().map_err(|reason| {
        ServeError::NotStarted(format!("{name} is not available here: {reason}"))
    })?;
    log::open().map_err(|error| ServeError::NotStarted(plain(&error)))?;
    if let Some(parent) = args.parent {
        end_with(parent).map_err(ServeError::NotStarted)?;
    }
    if let Some(cpus) = &args.cpus {
        let pinned = cpus.run_on();
        pinned.map_err(|reason| ServeError::NotStarted(format!("--cpus {reason}")))?;
    }
    let server = start(args)?;
    let address = server.settings().bind;
    if !address.ip().is_loopback() {
        let warning = format!("warning: {address} can be reached from other machines");
        log::line(&warning);
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

/// Starts a server at the first address that can be bound; tries each once.
fn start(args: &ServeArgs) -> Result<&'static Server, ServeError> {
    let mut refusals = Vec::new();
    for &address in &args.bind {
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
    // If the system does not tell the number of CPUs, one is enough to serve.
    let cpus = thread::available_parallelism().map_or(1, NonZero::get);
    let default = cpus * model.workers_per_cpu;
    let workers = args.workers.map_or(default, usize::from);
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
    let first_read = match args.first_read {
        Some(_) if model.first_reads.is_empty() => {
            return Err(cannot("choose its first read: it waits in it"));
        }
        asked => asked.or(model.first_reads.first().copied()),
    };
    if args.stack.is_some() && !model.has_stacks {
        return Err(cannot("choose the size of a client's stack"));
    }
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
    let default_timeouts = Timeouts::for_protocol(args.conversation);
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
        first_read,
        stack_bytes: model
            .has_stacks
            .then(|| args.stack.unwrap_or(COROUTINE_STACK_BYTES)),
        queue: QUEUE,
        max_clients,
        max_clients_by,
        descriptors,
        timeouts: args.deadlines.unwrap_or(default_timeouts),
        conversation: args.conversation,
        operator: args.operator,
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
    // Only now, so that what an operator prints of it follows that line.
    let counters = server.counters().memory().ok();
    operator::listening(address, server.settings().workers, counters);
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
    let text = match format {
        StatsFormat::Json => {
            let (model, settings) = (server.model(), server.settings());
            serde_json::json!({"model": model, "settings": settings, "counters": counters})
                .to_string()
        }
        StatsFormat::Text => format!(
            "clients: {} accepted, {} closed, {} refused\n\
             requests answered: {}\n\
             conversations: {} expired, {} broken off, {} crashed\n\
             accepting: {} wake-ups, backed off {} times\n\
             clients by worker: {:?}",
            counters.accepted,
            counters.closed,
            counters.refused,
            counters.answers,
            counters.expired,
            counters.broken,
            counters.crashed,
            counters.wakeups,
            counters.backed_off,
            counters.accepted_by_worker
        ),
    };
    writeln!(io::stderr(), "{text}")
}

/// The table of models, for people.
pub fn models_text() -> String {
    let widths = MODELS.iter().map(|model| model.name.len());
    let width = widths.max().unwrap_or(0);
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
    fn reads_addresses_names_and_ports_alone() {
        for (text, address) in [
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("[::1]:8080", "[::1]:8080"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("8080", "127.0.0.1:8080"),
            (":8080", "127.0.0.1:8080"),
            ("0", "127.0.0.1:0"),
        ] {
            let expected = [address.parse().expect("an address")];
            assert_eq!(addresses(text).as_deref(), Ok(&expected[..]), "{text}");
        }
        let by_name = addresses("localhost:0").expect("a name");
        assert!(by_name.iter().all(|address| address.ip().is_loopback()));
        for bad in [
            "",
            ":",
            "127.0.0.1",
            "localhost",
            "localhost:",
            "65536",
            "a b:1",
            "::1:x",
        ] {
            let error = addresses(bad).expect_err(bad);
            assert!(error.contains("such as 127.0.0.1:8080"), "{bad}: {error}");
        }
    }
}
