//! The self-checks of a measurement.

use std::fmt::{self, Display};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One self-check and its finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Which one.
    pub check: CheckName,
    /// Whether it passed.
    pub ok: bool,
    /// The figures behind it, in one plain sentence.
    pub detail: String,
}

/// The checks of a measurement.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// The accounting identity.
    Identity,
    /// Failed requests.
    Failures,
    /// Bodies of the answers.
    Body,
    /// Little's law (closed loop).
    LittlesLaw,
    /// Pauses of clients after failures (closed loop).
    BackOff,
    /// Requests of the plan that were sent (open loop).
    Offered,
    /// Instants at which they were sent (open loop).
    Arrivals,
    /// Response times over the window.
    SteadyState,
    /// Good answers over the window.
    Throughput,
    /// Time in which worker threads did not run.
    TimeAway,
    /// Time that a CPU quota took.
    Throttling,
    /// The kernel's TCP counters.
    KernelEvidence,
    /// Response times caused by TCP's own timers.
    Modes,
    /// The generator's own limit.
    Generator,
}

impl CheckName {
    /// Short stable name, such as `littles_law`.
    pub fn name(self) -> &'static str {
        self.definition().0
    }

    /// What it asks, in one line.
    pub fn asks(self) -> &'static str {
        self.definition().1
    }

    /// Several names in one text.
    pub fn join(checks: &[Self], separator: &str) -> String {
        let names: Vec<&str> = checks.iter().map(|check| check.name()).collect();
        names.join(separator)
    }

    /// The table of checks: name, and what each asks.
    #[rustfmt::skip]
    fn definition(self) -> (&'static str, &'static str) {
        match self {
            Self::Identity => ("identity", "is every planned request accounted for exactly once?"),
            Self::Failures => ("failures", "are failures rare enough for the rest to be the rule?"),
            Self::Body => ("body", "was every body the expected one?"),
            Self::LittlesLaw => ("littles_law", "do rate and response time account for the clients?"),
            Self::BackOff => ("back_off", "did clients wait only for the server, and not after failures?"),
            Self::Offered => ("offered", "were the requests of the plan sent at all?"),
            Self::Arrivals => ("arrivals", "were requests sent at the planned instants?"),
            Self::SteadyState => ("steady_state", "did response times stay the same over the window?"),
            Self::Throughput => ("throughput", "did good answers come all through the window?"),
            Self::TimeAway => ("time_away", "did the worker threads get to run all through the window?"),
            Self::Throttling => ("throttling", "did no CPU quota hold the generator up?"),
            Self::KernelEvidence => ("kernel_evidence", "did the kernel lose or repeat no packets of a connection's start?"),
            Self::Modes => ("modes", "do response times show none of TCP's own delays?"),
            Self::Generator => ("generator", "are the figures the server's, and not the generator's own limit?"),
        }
    }
}

impl Display for CheckName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
