//! What the terminal and the page are told.

use serde::Serialize;

use crate::live::LiveSample;

/// Something that happened to the server or to a client. Texts of clients are escaped, and one line each.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum ConsoleEvent {
    /// A client came.
    Connected {
        /// Its number; the first one is 1.
        client: u64,
        /// Its address, or why that is not known.
        address: String,
        /// Clients that are connected now.
        here: usize,
    },
    /// A client wrote.
    Message {
        /// Its number.
        client: u64,
        /// What it wrote.
        text: String,
    },
    /// The operator wrote.
    Answer {
        /// Number of the client; `null` means all.
        to: Option<u64>,
        /// What the operator wrote.
        text: String,
        /// Clients that it was for.
        reached: usize,
    },
    /// A client did not read, and lost the oldest message that waited for it.
    Dropped {
        /// Its number.
        client: u64,
    },
    /// The connection of a client failed.
    Failed {
        /// Its number.
        client: u64,
        /// The system's message.
        reason: String,
    },
    /// A client has gone.
    Left {
        /// Its number.
        client: u64,
        /// Clients that are connected now.
        here: usize,
        /// Whether the process that served it died.
        died: bool,
    },
    /// A second of the server's life.
    Sample(Box<LiveSample>),
    /// A trial load has begun.
    LoadStarted {
        /// Planned requests per second.
        rate_per_s: u32,
        /// Length, in seconds.
        seconds: u32,
    },
    /// A trial load has ended.
    LoadEnded(LoadResult),
    /// A trial load could not be made.
    LoadFailed {
        /// Why.
        reason: String,
    },
}

/// The outcome of a trial load, as `hola load` measured it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct LoadResult {
    /// Requests answered rightly, per second.
    pub(crate) good_per_s: f64,
    /// Requests that failed.
    pub(crate) failed: u64,
    /// Median response time, in microseconds.
    pub(crate) p50_us: Option<f64>,
    /// 99th percentile of the response time, in microseconds.
    pub(crate) p99_us: Option<f64>,
    /// Longest response time, in microseconds.
    pub(crate) max_us: Option<f64>,
    /// Names of the checks of the measurement that failed.
    pub(crate) failed_checks: Vec<String>,
}

/// What an event is a line about. The history of each is bounded on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum EventSource {
    /// One client.
    Client(u64),
    /// The operator, to all; loads.
    Operator,
    /// The figures of the server, which are no lines.
    Samples,
}

impl ConsoleEvent {
    pub(super) fn source(&self) -> EventSource {
        match self {
            ConsoleEvent::Connected { client, .. }
            | ConsoleEvent::Message { client, .. }
            | ConsoleEvent::Answer {
                to: Some(client), ..
            }
            | ConsoleEvent::Dropped { client }
            | ConsoleEvent::Failed { client, .. }
            | ConsoleEvent::Left { client, .. } => EventSource::Client(*client),
            ConsoleEvent::Answer { to: None, .. }
            | ConsoleEvent::LoadStarted { .. }
            | ConsoleEvent::LoadEnded(_)
            | ConsoleEvent::LoadFailed { .. } => EventSource::Operator,
            ConsoleEvent::Sample(_) => EventSource::Samples,
        }
    }

    /// The line for the operator's terminal; `None` for what only a page shows.
    pub(super) fn terminal_line(&self) -> Option<String> {
        Some(match self {
            ConsoleEvent::Connected {
                client,
                address,
                here,
            } => format!("[{client}] connected from {address}; {here} here\n"),
            ConsoleEvent::Message { client, text } => format!("[{client}] {text}\n"),
            ConsoleEvent::Failed { client, reason } => format!("[{client}] failed: {reason}\n"),
            ConsoleEvent::Left { client, here, .. } => format!("[{client}] left; {here} here\n"),
            _ => return None,
        })
    }
}
