//! How the generator itself works: its system calls, its waiting, how it closes connections.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sys::ring;

/// How the system calls are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Completion where the kernel has it, readiness elsewhere.
    #[default]
    Auto,
    /// Non-blocking calls and epoll(7).
    Readiness,
    /// Chains of operations and io_uring(7).
    Completion,
}

impl Engine {
    /// Name on the command line and in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Readiness => "readiness",
            Self::Completion => "completion",
        }
    }

    /// The engine that it selects on this machine.
    pub fn resolved(self) -> Self {
        match self {
            Self::Auto if ring::unavailable().is_none() => Self::Completion,
            Self::Auto => Self::Readiness,
            named => named,
        }
    }

    /// Why it cannot be used here; `None` when it can.
    pub fn unavailable(self) -> Option<String> {
        match self {
            Self::Completion => ring::unavailable(),
            Self::Auto | Self::Readiness => None,
        }
    }
}

/// How the worker threads wait for the next planned instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pacing {
    /// In the kernel, with nanosecond timeouts.
    #[default]
    Sleep,
    /// By polling: more punctual, but each thread uses a whole CPU.
    Spin,
}

/// How connections are closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Closing {
    /// With a FIN, as clients do.
    #[default]
    Orderly,
    /// With a RST: it costs less and leaves no TIME_WAIT, but clients do not close this way.
    Reset,
}
