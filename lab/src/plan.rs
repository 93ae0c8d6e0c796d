//! The plan of a comparison: what is measured, of whom, under which load, and how long. A run stores these types as they are.
//!
//! An experiment has *stages*. In a stage fresh servers of all its *participants* are alive at once, and each *level* is one
//! load that every participant meets in turn: once per *cycle*, in an order shuffled anew, for one *slice* of time. What a
//! stage does from starting its servers to stopping them is a *block*, the unit over which intervals are taken.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metric::Metric;

/// How much a comparison measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// At most 5 minutes of measuring.
    Quick,
    /// At most 45 minutes.
    Full,
}

impl Profile {
    /// Name on the command line and in the names of runs.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Quick => "quick",
            Profile::Full => "full",
        }
    }

    /// Longest time of measuring that it promises, in seconds.
    pub fn budget_s(self) -> f64 {
        match self {
            Profile::Quick => 300.0,
            Profile::Full => 2_700.0,
        }
    }
}

/// The plan of one experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Design {
    /// Name of the experiment, such as `equal-load`.
    pub experiment: String,
    /// What is done with one set of live servers, in order; a block of each in turn.
    pub stages: Vec<Stage>,
    /// What ends the experiment before its budget does; `None` uses the budget up.
    pub precision: Option<Precision>,
    /// Blocks of each stage before the precision is looked at. At least 2, for an interval.
    pub blocks_min: u32,
    /// Most blocks of each stage.
    pub blocks_max: u32,
    /// Time that blocks beyond `blocks_min` may take in all, those before included, in seconds.
    pub budget_s: f64,
}

/// Servers that are alive together, and the loads they meet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stage {
    /// Name, unique within the experiment.
    pub name: String,
    /// Who is alive.
    pub participants: Vec<Participant>,
    /// CPUs of the servers.
    pub server_cpus: Vec<usize>,
    /// CPUs of the load generator, and of the lab itself.
    pub generator_cpus: Vec<usize>,
    /// Loads, in the order they are made.
    pub levels: Vec<Level>,
}

/// One server of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Participant {
    /// Name, unique within the stage: that of the model or target, with a suffix where there are several of it.
    pub name: String,
    /// The model, or the reference target, by its name on the command line.
    pub server: String,
    /// Further arguments of `hola serve`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Why it takes part.
    pub role: Role,
}

/// Why a participant takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// To be compared.
    Compared,
    /// A second server of the participant named, whose figures are pooled with the first one's: the two must not differ (A/A).
    Again(String),
    /// The participant named with a known piece of work more per request, which the comparison must recover.
    Planted(String),
}

impl Role {
    /// The participant that this is a control of, if it is one.
    pub fn control_of(&self) -> Option<&str> {
        match self {
            Role::Compared => None,
            Role::Again(of) | Role::Planted(of) => Some(of),
        }
    }
}

/// One load, or one procedure, that participants of a stage meet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// Name, unique within the experiment.
    pub name: String,
    /// Participant with which the others are compared.
    pub control: String,
    /// Participants that meet it, by name, the control among them.
    pub participants: Vec<String>,
    /// Slices of each participant in a block; of a procedure, repeats.
    pub cycles: u32,
    /// What is done.
    pub task: Task,
}

/// What is done at a level.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// A load for one slice of time on a live server.
    Load(Load),
    /// Something that takes a fresh server of its own each time.
    Procedure(Procedure),
}

/// A load for one slice of time: connect, warm up, then a window in which CPU time and answers are counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Load {
    /// Who decides when a request is sent.
    pub pace: LoadPace,
    /// Requests per connection; `null` means unlimited.
    pub requests_per_connection: Option<u64>,
    /// What is asked for.
    pub path: String,
    /// What some participants are asked for instead, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: BTreeMap<String, String>,
    /// What goes on beside it on the same server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<Disturbance>,
    /// Load before the window, in milliseconds.
    pub warmup_ms: u32,
    /// The window, in milliseconds.
    pub window_ms: u32,
    /// Longest wait of a client for one answer, in milliseconds.
    pub timeout_ms: u32,
    /// Whether answers that fail or do not come are what the level looks for, so that a slice counts nevertheless.
    #[serde(skip_serializing_if = "is_false")]
    pub expects_failures: bool,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

impl Default for Load {
    /// One new connection per request, for the greeting.
    fn default() -> Self {
        Load {
            pace: LoadPace::Rest,
            requests_per_connection: Some(1),
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
    /// What that participant is asked for.
    pub fn path_for(&self, participant: &str) -> &str {
        self.paths.get(participant).unwrap_or(&self.path)
    }
}

/// Who decides when a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadPace {
    /// Nobody: the server is left alone, to see what it uses then.
    Rest,
    /// A plan: Poisson arrivals, whatever the server does.
    Open {
        /// Mean arrivals per second.
        rate_per_s: f64,
        /// Connections that are opened first and kept, each used in turn; `null` opens them as they are needed.
        connections: Option<u32>,
    },
    /// So many clients, each of which asks again when it has its answer.
    Closed {
        /// Clients.
        clients: u32,
    },
}

/// What goes on beside a load, on the same server and from threads of the lab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disturbance {
    /// Clients that send half a head and stay.
    SlowClients {
        /// How many.
        clients: u32,
    },
    /// Other requests, as a Poisson process.
    OtherRequests {
        /// What is asked for.
        path: String,
        /// Requests per second.
        rate_per_s: f64,
    },
}

/// What takes a fresh server of its own each time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Procedure {
    /// Clients that have sent half a head and stay: memory per client, and how many fit.
    Idle {
        /// Most clients to try.
        clients_max: u32,
    },
    /// Clients that keep asking, more and more of them, until one is refused or goodput has fallen by half.
    Crowd {
        /// Most clients to try.
        clients_max: u32,
    },
    /// How many clients connect to a server that accepts none, and what becomes of the others.
    Backlog {
        /// The argument of listen(2).
        backlog: u32,
    },
    /// What it costs to make one thread, process or task, and to end it.
    Spawn {
        /// How many, one after another.
        count: u32,
    },
    /// What two threads or processes pay for what they share.
    Share {
        /// What they share.
        shared: SharedResource,
        /// How many additions each makes, or messages one sends.
        count: u32,
    },
    /// System calls that the server makes for a request, counted by strace(1).
    SystemCalls {
        /// How many requests, a new connection each.
        requests: u32,
    },
    /// Other clients' requests while one client has its handler die, again and again.
    Crash {
        /// How it dies.
        death: Death,
        /// How long, in milliseconds.
        window_ms: u32,
    },
    /// More requests than the server can answer, for long enough that a queue can grow.
    Overload {
        /// Arrivals as a multiple of what the same model answered in a closed loop just before.
        of_capacity: f64,
        /// How long, in seconds.
        duration_s: u32,
    },
}

/// What two threads or processes share.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum SharedResource {
    /// A counter, in memory that both can write
    Counter,
    /// A message, handed over and back
    Message,
}

/// How a handler is asked to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Death {
    /// A panic, which its caller may catch.
    Panic,
    /// `abort(3)`.
    Abort,
    /// A segmentation fault.
    Segv,
}

/// The width of an interval that ends an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Precision {
    /// The metric.
    pub metric: Metric,
    /// Levels at which it is looked at.
    pub levels: Vec<String>,
    /// Half-width of every participant's 95 % interval of its ratio to the control, as a share: 0.05 is ±5 %.
    pub half_width: f64,
}

impl Design {
    /// The level of that name, with its stage.
    pub fn level(&self, name: &str) -> Option<(&Stage, &Level)> {
        self.stages.iter().find_map(|stage| {
            let level = stage.levels.iter().find(|level| level.name == name)?;
            Some((stage, level))
        })
    }

    /// Every level with its stage, in the order they are made.
    pub fn levels(&self) -> impl Iterator<Item = (&Stage, &Level)> {
        let levels = |stage| move |level| (stage, level);
        self.stages
            .iter()
            .flat_map(move |stage| stage.levels.iter().map(levels(stage)))
    }
}

impl Stage {
    /// The participant of that name.
    pub fn participant(&self, name: &str) -> Option<&Participant> {
        self.participants
            .iter()
            .find(|participant| participant.name == name)
    }

    /// Whether the servers have no CPU but those of the generator: rates and times are the generator's as much as theirs then.
    pub fn has_no_cpu_apart(&self) -> bool {
        self.server_cpus
            .iter()
            .all(|cpu| self.generator_cpus.contains(cpu))
    }

    /// Whether servers and generator share a CPU.
    pub fn shares_cpu(&self) -> bool {
        self.server_cpus
            .iter()
            .any(|cpu| self.generator_cpus.contains(cpu))
    }
}
