//! The plan of a comparison: what is measured, of which servers, under which load, and for how long. A run stores these
//! types unchanged.
//!
//! An experiment has *stages*. In a stage, fresh servers of all its *participants* run at the same time. Each *level*
//! is one load, applied to every participant in turn: once per *cycle*, in a newly shuffled order, for one *slice* of
//! time. One pass through a stage, from starting its servers to stopping them, is a *block*. Confidence intervals are
//! computed over blocks.

mod load;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::load::{Disturbance, Load, LoadPace, Messages};
use crate::metric::Metric;

/// How much a comparison measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// At most 5 minutes of measuring, and half a minute more for each target that is asked for.
    #[default]
    Quick,
    /// At most 48 minutes, and half a minute more for each reference target.
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
}

/// The plan of one experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Design {
    /// Name of the experiment, such as `equal-load`.
    pub experiment: String,
    /// Its stages, each with its own set of live servers; one block of each in turn.
    pub stages: Vec<Stage>,
    /// The precision that ends the experiment before its budget is used up; `null` uses the whole budget.
    pub precision: Option<Precision>,
    /// Blocks of each stage before the precision is checked. At least 2, for an interval.
    pub blocks_min: u32,
    /// Most blocks of each stage.
    pub blocks_max: u32,
    /// Time budget of all blocks, in seconds. A block beyond `blocks_min` is made only if it is expected to fit.
    pub budget_s: f64,
}

/// Servers that run at the same time, and the loads applied to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stage {
    /// Name, unique within the experiment.
    pub name: String,
    /// The servers.
    pub participants: Vec<Participant>,
    /// CPUs of the servers.
    pub server_cpus: Vec<usize>,
    /// CPUs of the load generator, and of the lab itself.
    pub generator_cpus: Vec<usize>,
    /// Loads and procedures, in execution order.
    pub levels: Vec<Level>,
}

/// One server of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Participant {
    /// Name, unique within the stage: that of the model or target, with a suffix if it takes part several times.
    pub name: String,
    /// The model, or the reference target, by its name on the command line.
    pub server: String,
    /// Further arguments of `hola serve`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Why it takes part.
    pub role: Role,
    /// How its clients reach it.
    #[serde(default, skip_serializing_if = "Network::is_loopback")]
    pub network: Network,
}

/// How clients reach a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Over the loopback device.
    #[default]
    Loopback,
    /// In a network namespace of its own, over a pair of virtual Ethernet devices.
    Veth,
}

impl Network {
    /// Whether it is the usual one.
    pub fn is_loopback(&self) -> bool {
        *self == Network::Loopback
    }
}

/// Why a participant takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// To be compared.
    Compared,
    /// A second server of the named participant (A/A). The two must not differ; their figures are pooled.
    Again(String),
    /// The named participant with a known amount of extra work per request, which the comparison must detect.
    Planted(String),
}

/// One load or one procedure, applied to participants of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// Name, unique within the experiment.
    pub name: String,
    /// Participant with which the others are compared.
    pub control: String,
    /// Names of its participants, including the control.
    pub participants: Vec<String>,
    /// Slices of each participant in a block. A procedure runs once.
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
    /// A measurement on its own fresh server or process.
    Procedure(Procedure),
}

/// A measurement on its own fresh server or process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Procedure {
    /// Clients that have sent half a request head and stay: memory per client, and how many fit.
    Idle {
        /// Most clients to try.
        clients_max: u32,
    },
    /// A growing number of busy clients, until one is refused or goodput has fallen by half.
    Crowd {
        /// Most clients to try.
        clients_max: u32,
    },
    /// How many clients connect to a server that accepts none, and how many are delayed.
    Backlog {
        /// The argument of listen(2).
        backlog: u32,
    },
    /// Cost of making and ending one thread, process or task.
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
    /// Requests of other clients while one client repeatedly makes its handler die.
    Crash {
        /// How it dies.
        death: Death,
        /// How long, in milliseconds.
        window_ms: u32,
    },
    /// More requests than the server can answer, for long enough that a queue can grow.
    Overload {
        /// Arrival rate as a multiple of the model's capacity, measured in a closed loop just before.
        of_capacity: f64,
        /// How long, in seconds.
        duration_s: u32,
        /// How long a client waits for its answer, as a multiple of the time in which the server answers a full queue.
        /// In older runs it was a second, whatever the queue.
        #[serde(default)]
        deadline_of_queue: f64,
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

/// How a handler dies on request.
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
    /// Levels at which it is checked.
    pub levels: Vec<String>,
    /// Half-width of every participant's 95 % interval of its ratio to the control, as a share: 0.05 is ±5 %.
    pub half_width: f64,
}

impl Design {
    /// The level of that name, with its stage.
    pub fn level(&self, name: &str) -> Option<(&Stage, &Level)> {
        self.levels().find(|(_, level)| level.name == name)
    }

    /// Every level with its stage, in execution order.
    pub fn levels(&self) -> impl Iterator<Item = (&Stage, &Level)> {
        let stages = self.stages.iter();
        stages.flat_map(|stage| stage.levels.iter().map(move |level| (stage, level)))
    }
}

impl Participant {
    /// The server of that name, as it usually runs.
    pub fn named(server: &str) -> Self {
        Participant {
            name: server.into(),
            server: server.into(),
            options: Vec::new(),
            role: Role::Compared,
            network: Network::default(),
        }
    }
}

impl Stage {
    /// The participant of that name.
    pub fn participant(&self, name: &str) -> Option<&Participant> {
        self.participants.iter().find(|one| one.name == name)
    }

    /// Whether the servers have no CPU of their own. Rates and times then depend on the generator as much as on the
    /// servers.
    pub fn has_no_cpu_apart(&self) -> bool {
        let mut cpus = self.server_cpus.iter();
        cpus.all(|cpu| self.generator_cpus.contains(cpu))
    }

    /// Whether servers and generator share a CPU.
    pub fn shares_cpu(&self) -> bool {
        let mut cpus = self.server_cpus.iter();
        cpus.any(|cpu| self.generator_cpus.contains(cpu))
    }
}
