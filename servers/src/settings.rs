//! What a server may be told, in one place, so that every model runs on equal terms and a report can print them.

use std::net::SocketAddr;

use serde::Serialize;

use crate::drive::Limits;

/// Connections that may wait to be accepted: enough that the queue is never the experiment unless it is asked to be.
/// std and mio would say 128 or 1024 without telling.
pub const BACKLOG_DEFAULT: u32 = 1024;

/// Longest wait for the conversations under way after SIGTERM or SIGINT, in seconds.
pub const DRAIN_S: u32 = 5;

/// Everything that is set before a server starts, the same for every model.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// Address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Length of the accept queue, capped by the kernel at `net.core.somaxconn`.
    pub backlog: u32,
    /// Threads or processes of the models that have a fixed number of them.
    pub workers: usize,
    /// Clients held at once; beyond it, new ones wait in the accept queue.
    pub max_clients: u32,
    /// How long a conversation may wait.
    pub limits: Limits,
    /// Longest wait for the conversations under way at the end, in seconds.
    pub drain_s: u32,
}
