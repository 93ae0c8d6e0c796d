//! All settings of a server, in one place, so that every model runs with the same ones and a report can print them.

use std::fmt;
use std::net::SocketAddr;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::conversation::Protocol;
use crate::drive::Timeouts;

/// Connections that may wait to be accepted: enough that the queue does not affect an experiment unless that is its
/// purpose. std and mio choose 128 or 1024 by themselves.
pub const BACKLOG_DEFAULT: u32 = 1024;

/// Longest wait for the conversations under way after SIGTERM or SIGINT, in seconds.
pub const DRAIN_S: u32 = 5;

/// Clients that may wait for a worker of a pool; further ones are refused.
pub const QUEUE: u32 = 256;

/// Default size of a coroutine's stack, in bytes: enough for a conversation, and for reporting a panic in it.
pub const COROUTINE_STACK_BYTES: u64 = 64 << 10;

/// How several acceptors share the clients that come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accept {
    /// All wait at one listener; the kernel wakes one of those that sleep in accept(2), but every loop
    Shared,
    /// The same, but one at a time, behind a lock
    Locked,
    /// Each has a listener of its own on the same port (`SO_REUSEPORT`)
    Reuseport,
    /// All loops watch one listener, and the kernel wakes at least one of them, but not all (`EPOLLEXCLUSIVE`)
    Exclusive,
    /// The parent accepts, and passes each client to a worker process that asks for one (`SCM_RIGHTS`)
    Passed,
}

impl Accept {
    /// Name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Accept::Shared => "shared",
            Accept::Locked => "locked",
            Accept::Reuseport => "reuseport",
            Accept::Exclusive => "exclusive",
            Accept::Passed => "passed",
        }
    }
}

/// What an event loop, or a task, does first with a new client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstRead {
    /// Waits until the system reports that the client has sent something, and reads then
    WhenReady,
    /// Reads at once, and waits only if nothing has come yet
    AtOnce,
}

impl FirstRead {
    /// Both, the default first.
    pub const CHOICE: &'static [FirstRead] = &[FirstRead::WhenReady, FirstRead::AtOnce];
}

/// What limits the number of clients that a server holds at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientLimit {
    /// `--max-clients`.
    Asked,
    /// The model's cap on threads.
    Threads,
    /// The model's cap on processes.
    Processes,
    /// The limit on open files.
    Descriptors,
    /// The size of the descriptor sets of select(2).
    #[serde(rename = "fd_setsize")]
    FdSetSize,
}

impl fmt::Display for ClientLimit {
    /// As the reason for a number of clients.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ClientLimit::Asked => "as asked",
            ClientLimit::Threads => "limited by threads",
            ClientLimit::Processes => "limited by processes",
            ClientLimit::Descriptors => "limited by descriptors",
            ClientLimit::FdSetSize => "limited by FD_SETSIZE",
        })
    }
}

/// Everything that is set before a server starts, the same for every model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// Address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Limit of the accept queue that the kernel applies: what was asked for, or `net.core.somaxconn`.
    pub backlog: u32,
    /// Limit of the accept queue that was asked for.
    pub backlog_asked: u32,
    /// Threads or processes of the models that have a fixed number of them.
    pub workers: usize,
    /// Run them as processes where the model leaves the choice.
    pub processes: bool,
    /// How several acceptors share the clients; `null` for a model with one acceptor.
    pub accept: Option<Accept>,
    /// What is done first with a new client; `null` for a model that has no choice.
    pub first_read: Option<FirstRead>,
    /// Size of each client's stack, in bytes; `null` for a model whose clients have none to choose.
    pub stack_bytes: Option<u64>,
    /// Clients that may wait for a worker of a pool.
    pub queue: u32,
    /// Clients held at once; beyond it, new ones wait in the accept queue.
    pub max_clients: u32,
    /// What sets that limit.
    pub max_clients_by: ClientLimit,
    /// Open files this process may have: the soft limit, raised to the hard one.
    pub descriptors: u32,
    /// How long a conversation may wait.
    pub timeouts: Timeouts,
    /// What is said on a connection.
    pub conversation: Protocol,
    /// Descriptor of the operator; `null` if the server has none.
    pub operator: Option<i32>,
    /// Memory touched before serving, in bytes: a fork has to copy its page tables.
    pub ballast_bytes: u64,
    /// Busy CPU time added to each answer, in nanoseconds: a known difference that a comparison has to find.
    pub extra_work_ns: u64,
    /// Whether clients may ask for a crash.
    pub allow_crash: bool,
    /// Whether what clients say, and how many there are, is written to stderr.
    pub log: bool,
    /// Longest wait for the conversations under way at the end, in seconds.
    pub drain_s: u32,
}

impl fmt::Display for Settings {
    /// All that affects a measurement, in a line for people.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "backlog {}", self.backlog)?;
        if self.backlog < self.backlog_asked {
            let asked = self.backlog_asked;
            write!(formatter, " ({asked} asked, limited by net.core.somaxconn)")?;
        }
        write!(formatter, ", TCP_NODELAY, {} workers", self.workers)?;
        formatter.write_str(match self.accept {
            None => "",
            Some(Accept::Shared) => " at one listener",
            Some(Accept::Locked) => " at one listener, behind a lock",
            Some(Accept::Reuseport) => " with a listener each",
            Some(Accept::Exclusive) => " at one listener, woken one at a time",
            Some(Accept::Passed) => " that get their clients from the parent",
        })?;
        formatter.write_str(match self.first_read {
            None => "",
            Some(FirstRead::WhenReady) => ", first read when ready",
            Some(FirstRead::AtOnce) => ", first read at once",
        })?;
        if let Some(stack_bytes) = self.stack_bytes {
            write!(formatter, ", stacks of {} KiB", stack_bytes / 1024)?;
        }
        write!(
            formatter,
            ", at most {} clients ({}), {} descriptors; deadlines: {}, drain {} s",
            self.max_clients, self.max_clients_by, self.descriptors, self.timeouts, self.drain_s,
        )
    }
}
