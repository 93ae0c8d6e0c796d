//! Arguments that say how clients behave, beyond how many there are and how fast.

use std::net::Ipv4Addr;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::parse::{parse_ports, parse_sources};
use crate::units::parse_duration;
use crate::workload::{ClientProtocol, Closing, Engine, Pacing, Workload};

/// How clients behave.
#[derive(Args, Clone, Debug)]
pub struct BehaviourArgs {
    /// What is said on a connection
    #[arg(long, value_enum, default_value = "http")]
    pub conversation: ConversationArg,

    /// What clients of `ack` and `echo` say [default: Hola, servidor!]
    #[arg(long, value_name = "TEXT")]
    pub message: Option<String>,

    /// Closed loop: pause of a client between an answer and its next request
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "0s", conflicts_with = "rate")]
    pub think: Duration,

    /// Time over which the load rises to its full height, before the warm-up
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "0s")]
    pub ramp: Duration,

    /// How the system calls are made
    #[arg(long, value_enum, default_value = "auto")]
    pub engine: EngineArg,

    /// How the next planned instant is waited for
    #[arg(long, value_enum, default_value = "sleep")]
    pub pace: PaceArg,

    /// How connections are closed
    #[arg(long, value_enum, default_value = "orderly")]
    pub close: CloseArg,

    /// IPv4 addresses to connect from, as FIRST or FIRST-LAST [default: for loopback, as many as the ports need]
    #[arg(long, value_name = "RANGE", value_parser = parse_sources)]
    pub source: Option<(Ipv4Addr, Ipv4Addr)>,

    /// Local ports to connect from, as FIRST-LAST [default: the system's]
    #[arg(long, value_name = "RANGE", value_parser = parse_ports)]
    pub local_ports: Option<(u16, u16)>,
}

/// What is said on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConversationArg {
    /// HTTP/1.1
    Http,
    /// Messages, each acknowledged
    Ack,
    /// Messages, each returned
    Echo,
}

/// How the system calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineArg {
    /// Completion where the kernel has io_uring, readiness elsewhere
    Auto,
    /// epoll
    Readiness,
    /// io_uring
    Completion,
}

/// How the next planned instant is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PaceArg {
    /// In the kernel
    Sleep,
    /// Asking over and over: prompter, and each thread uses a whole CPU
    Spin,
}

/// How connections are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CloseArg {
    /// In order, as clients do
    Orderly,
    /// With a reset: cheaper, and no measure of closing
    Reset,
}

impl ConversationArg {
    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Ack => "ack",
            Self::Echo => "echo",
        }
    }
}

impl BehaviourArgs {
    /// Gives `workload` this behaviour.
    pub(super) fn apply(&self, workload: &mut Workload) {
        workload.conversation = match self.conversation {
            ConversationArg::Http => ClientProtocol::Http,
            ConversationArg::Ack => ClientProtocol::Ack,
            ConversationArg::Echo => ClientProtocol::Echo,
        };
        if let Some(message) = &self.message {
            workload.message = message.clone().into_bytes();
        }
        workload.engine = match self.engine {
            EngineArg::Auto => Engine::Auto,
            EngineArg::Readiness => Engine::Readiness,
            EngineArg::Completion => Engine::Completion,
        };
        workload.pacing = match self.pace {
            PaceArg::Sleep => Pacing::Sleep,
            PaceArg::Spin => Pacing::Spin,
        };
        workload.closing = match self.close {
            CloseArg::Orderly => Closing::Orderly,
            CloseArg::Reset => Closing::Reset,
        };
        workload.think = self.think;
        workload.ramp = self.ramp;
        workload.sources = self.source;
        workload.local_ports = self.local_ports;
    }
}
