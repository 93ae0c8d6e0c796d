//! How a server serves its clients, told from how many it serves at once and from the processes and threads that it has
//! then.

use clap::ValueEnum;
use hola_base::{Text, text};
use schemars::JsonSchema;
use serde::Serialize;

use super::crowd::{CLIENTS, Crowd};

/// How a server serves its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ServerKind {
    /// One client after another
    Iterative,
    /// A thread for each client
    ThreadPerClient,
    /// A process for each client
    ProcessPerClient,
    /// Threads that stay, each with one client at a time
    ThreadPool,
    /// Processes that stay, each with one client at a time
    ProcessPool,
    /// Few threads for many clients: an event loop, or tasks
    Loop,
}

impl ServerKind {
    /// Its name for people.
    pub fn title(self) -> Text {
        match self {
            ServerKind::Iterative => text("iterative", "iterativo"),
            ServerKind::ThreadPerClient => text("a thread per client", "un hilo por cliente"),
            ServerKind::ProcessPerClient => text("a process per client", "un proceso por cliente"),
            ServerKind::ThreadPool => text("a pool of threads", "un conjunto de hilos"),
            ServerKind::ProcessPool => text("a pool of processes", "un conjunto de procesos"),
            ServerKind::Loop => text("a loop", "un bucle"),
        }
    }
}

impl ServerKind {
    /// The model of this kind that it is compared with.
    pub(super) fn model(self) -> &'static str {
        match self {
            ServerKind::Iterative => "iterative",
            ServerKind::ThreadPerClient => "thread-per-client",
            ServerKind::ProcessPerClient => "fork-per-client",
            ServerKind::ThreadPool => "pre-threaded",
            ServerKind::ProcessPool => "pre-forked",
            ServerKind::Loop => "epoll",
        }
    }
}

/// The kind that a crowd of silent clients shows; `None` if the processes cannot be seen.
pub(super) fn of(crowd: &Crowd) -> Option<ServerKind> {
    /// A few clients may share a thread that was there before.
    const MOST_CLIENTS: usize = CLIENTS * 8 / 10;
    let (rest, with) = (crowd.at_rest?, crowd.with_clients?);
    let processes = with.processes.saturating_sub(rest.processes);
    let threads = with.threads.saturating_sub(rest.threads);
    Some(match crowd.served_at_once {
        Some(1) => ServerKind::Iterative,
        Some(count) if with.processes >= count => ServerKind::ProcessPool,
        Some(count) if with.threads >= count => ServerKind::ThreadPool,
        Some(_) => ServerKind::Loop,
        // A pool may start its workers when they are first needed.
        None if processes >= MOST_CLIENTS && crowd.keeps_workers => ServerKind::ProcessPool,
        None if threads >= MOST_CLIENTS && crowd.keeps_workers => ServerKind::ThreadPool,
        // This comes before what is there at rest: on a large machine, a runtime has that many threads of its own.
        None if processes >= MOST_CLIENTS => ServerKind::ProcessPerClient,
        None if threads >= MOST_CLIENTS => ServerKind::ThreadPerClient,
        None if rest.processes > CLIENTS => ServerKind::ProcessPool,
        None if rest.threads > CLIENTS => ServerKind::ThreadPool,
        None => ServerKind::Loop,
    })
}
