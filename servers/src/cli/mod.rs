//! `hola serve` and `hola models`.

mod arguments;
mod printing;
mod values;

use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::thread;

use hola_base::process::{end_with, raise_descriptor_limit};
use thiserror::Error;

pub use self::arguments::ServeArgs;
use self::printing::{announce, print_stats};
pub use self::printing::{models_json, models_text};
pub use self::values::{ModelName, size};
use crate::context::plain;
use crate::drive::Timeouts;
use crate::models::Capacity;
use crate::server::Server;
use crate::settings::{COROUTINE_STACK_BYTES, DRAIN_S, QUEUE, Settings};
use crate::{log, one_client};

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
    if let Some(client) = &args.one_client {
        return Ok(one_client::converse(name, client.clone())?);
    }
    (args.model.available)().map_err(|reason| {
        ServeError::NotStarted(format!("{name} is not available here: {reason}"))
    })?;
    log::open().map_err(|error| ServeError::NotStarted(plain(&error)))?;
    if let Some(parent) = args.parent {
        end_with(parent).map_err(ServeError::NotStarted)?;
    }
    if let Some(cpus) = &args.cpus {
        let refused = |reason| ServeError::NotStarted(format!("--cpus {reason}"));
        cpus.run_on().map_err(refused)?;
    }
    let server = start(args)?;
    let address = server.settings().bind;
    if !address.ip().is_loopback() {
        log::line(&format!(
            "warning: {address} can be reached from other machines"
        ));
    }
    let ended = (args.model.serve)(server);
    log::report_lost();
    if let Err(error) = &ended
        && !server.is_announced()
    {
        return Err(ServeError::NotStarted(plain(error)));
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
    let accept = chosen(args.accept, model.accept).map_err(|()| match model.accept {
        [] => cannot("share clients: it has one acceptor"),
        _ => cannot("share clients that way"),
    })?;
    let first_read = chosen(args.first_read, model.first_reads)
        .map_err(|()| cannot("choose its first read: it waits in it"))?;
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
    let stack_bytes = args.stack.unwrap_or(COROUTINE_STACK_BYTES);
    let default_timeouts = Timeouts::for_protocol(args.conversation);
    Ok(Settings {
        bind,
        backlog: args.backlog,
        backlog_asked: args.backlog,
        // Each blocking worker waits in accept for one more client: more workers than the cap would exceed it.
        workers: match model.capacity {
            Capacity::Workers => workers.min(max_clients as usize),
            Capacity::One | Capacity::Unbounded => workers,
        },
        processes: args.processes,
        accept,
        first_read,
        stack_bytes: model.has_stacks.then_some(stack_bytes),
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

/// The value that is asked for, or else the default, which is the first of those `offered`. Fails if that value is not
/// offered.
fn chosen<T: Copy + PartialEq>(asked: Option<T>, offered: &[T]) -> Result<Option<T>, ()> {
    match asked {
        Some(asked) if !offered.contains(&asked) => Err(()),
        asked => Ok(asked.or(offered.first().copied())),
    }
}
