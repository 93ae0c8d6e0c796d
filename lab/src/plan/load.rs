//! The loads of a plan.

use std::collections::BTreeMap;

use hola_loadgen::workload::ClientProtocol;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A load for one slice of time: connect, warm up, then a window in which CPU time and answers are counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Load {
    /// What decides when a request is sent.
    pub pace: LoadPace,
    /// Requests per connection; `null` means unlimited.
    pub requests_per_connection: Option<u64>,
    /// Messages instead of HTTP requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Messages>,
    /// Requested path.
    pub path: String,
    /// Paths for some participants instead, by participant name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: BTreeMap<String, String>,
    /// A disturbance beside it, on the same server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<Disturbance>,
    /// Warm-up before the window, in milliseconds.
    pub warmup_ms: u32,
    /// The window, in milliseconds.
    pub window_ms: u32,
    /// Longest wait of a client for one answer, in milliseconds.
    pub timeout_ms: u32,
    /// Whether the level studies failed and missing answers, so that a slice with failures still counts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub expects_failures: bool,
}

impl Default for Load {
    /// One new connection per request, for the greeting.
    fn default() -> Self {
        Load {
            pace: LoadPace::Rest,
            requests_per_connection: Some(1),
            messages: None,
            path: "/".into(),
            paths: BTreeMap::new(),
            beside: None,
            warmup_ms: 25,
            window_ms: 100,
            timeout_ms: 5_000,
            expects_failures: false,
        }
    }
}

impl Load {
    /// An open loop of new connections, one for each request.
    pub fn with_rate(rate_per_s: f64) -> Self {
        Load {
            pace: LoadPace::Open {
                rate_per_s,
                connections: None,
            },
            ..Load::default()
        }
    }

    /// An open loop over connections that stay open.
    pub fn with_kept(rate_per_s: f64, connections: u32) -> Self {
        Load {
            pace: LoadPace::Open {
                rate_per_s,
                connections: Some(connections),
            },
            requests_per_connection: None,
            ..Load::default()
        }
    }

    /// A closed loop of clients, each with a new connection for each request.
    pub fn with_clients(clients: u32) -> Self {
        Load {
            pace: LoadPace::Closed { clients },
            ..Load::default()
        }
    }

    /// Connections that are opened first and kept, if it has any.
    pub fn kept_connections(&self) -> Option<u32> {
        match self.pace {
            LoadPace::Open { connections, .. } => connections,
            LoadPace::Closed { .. } | LoadPace::Rest => None,
        }
    }

    /// The path for that participant.
    pub fn path_for(&self, participant: &str) -> &str {
        self.paths.get(participant).unwrap_or(&self.path)
    }
}

/// Messages that the server answers, in a conversation that it must be started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Messages {
    /// What is said.
    pub conversation: ClientProtocol,
    /// Length of a message, in bytes.
    pub bytes: u32,
}

/// What decides when a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadPace {
    /// No requests: shows what the server uses at rest.
    Rest,
    /// An open loop: Poisson arrivals, independent of the server.
    Open {
        /// Mean arrivals per second.
        rate_per_s: f64,
        /// Connections that are opened first and kept, each used in turn; `null` opens them as they are needed.
        connections: Option<u32>,
    },
    /// A closed loop: each client asks again when it has its answer.
    Closed {
        /// Clients.
        clients: u32,
    },
}

/// A disturbance beside a load, on the same server and from threads of the lab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disturbance {
    /// Clients that send half a request head and stay.
    SlowClients {
        /// How many.
        clients: u32,
    },
    /// Other requests, as a Poisson process.
    OtherRequests {
        /// Requested path.
        path: String,
        /// Requests per second.
        rate_per_s: f64,
    },
}
