//! What a run writes down: `run.json` once, and one JSON line of `trials.jsonl` per trial as it happens.
//!
//! Everything the analysis and the reports say is computed from these records and from nothing else.

use std::collections::BTreeMap;

pub use hola_loadgen::summary::KernelEvidence;
use hola_loadgen::summary::{Check, Summary};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

use super::cgroup::Account;

/// Version of the shapes in this file. Runs of version 1 had one experiment, whose levels were numbers of clients.
pub const SCHEMA_VERSION: u32 = 2;

/// `run.json`: everything one `hola compare` did, but for the trials themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Name of the run, which is also its folder's: `2026-11-21T101502Z-quick`.
    pub name: String,
    /// `quick` or `full`.
    pub profile: String,
    /// Whether every planned trial was made.
    pub status: Status,
    /// UTC, RFC 3339.
    pub started_at: String,
    /// When an interrupted run was gone on with: UTC, RFC 3339.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed_at: Vec<String>,
    /// UTC, RFC 3339; absent while the run goes on.
    pub finished_at: Option<String>,
    /// Seed of the trial order, the schedules and the bootstrap.
    pub seed: u64,
    /// The command that makes the same run again, argument by argument.
    pub command: Vec<String>,
    /// What was planned, an experiment each, in the order they are made.
    pub experiments: Vec<Design>,
    /// The models measured in any of them, in teaching order, and the reference targets after them.
    pub models: Vec<ModelCard>,
    /// Models and reference targets left out, of the whole run or of an experiment.
    pub skipped: Vec<Skipped>,
    /// Where it was measured.
    pub environment: Environment,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Still going on, or killed.
    Running,
    /// Every planned trial was made.
    Complete,
    /// Stopped by the user; the trials made are kept.
    Interrupted,
}

/// The plan of one experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Design {
    /// Experiment, such as `churn`.
    pub experiment: String,
    /// The question it asks.
    pub question: Bilingual,
    /// What result would change our mind.
    pub changes_mind: Bilingual,
    /// Levels of the factor, in the order tables show them.
    pub levels: Vec<Level>,
    /// Models that take part, in teaching order, and the reference targets after them.
    pub models: Vec<String>,
    /// Model that the others are compared with.
    pub control: String,
    /// Names of the figures compared, the one that headlines first.
    pub figures: Vec<String>,
    /// Checks whose failure is what the experiment looks for, so that it speaks against no trial.
    pub tolerates: Vec<String>,
    /// Trials of each model at each level.
    pub trials_per_cell: u32,
    /// Measured window of a trial, in seconds.
    pub trial_s: f64,
    /// Warm-up of a trial, in seconds.
    pub warmup_s: f64,
    /// What a trial takes besides, beyond starting and stopping a server: as estimated, in seconds.
    pub extra_s: f64,
    /// CPUs of the server.
    pub server_cpus: Vec<usize>,
    /// CPUs of the generator.
    pub generator_cpus: Vec<usize>,
    /// Settings all servers had in common, as they reported them; each trial has its own in full.
    pub server_settings: serde_json::Value,
}

impl Design {
    /// The level of that name.
    pub fn level(&self, name: &str) -> Option<&Level> {
        self.levels.iter().find(|level| level.name == name)
    }

    /// Models measured at a level, in teaching order.
    pub fn models_at<'d>(&'d self, level: &'d Level) -> impl Iterator<Item = &'d str> {
        let takes_part = move |model: &&str| {
            level.models.is_empty() || level.models.iter().any(|one| one == model)
        };
        self.models.iter().map(String::as_str).filter(takes_part)
    }
}

/// One level of an experiment's factor: the load, and how the server differs from its usual self.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Level {
    /// Short name, unique within the experiment.
    pub name: String,
    /// Concurrent clients of a closed loop; in an open loop, the most expected at once.
    pub clients: u32,
    /// Requests per connection; `null` means unlimited.
    pub requests_per_connection: Option<u64>,
    /// What is asked for; empty where there is no load.
    pub path: String,
    /// What some are asked for instead, by the name of the model or target.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: BTreeMap<String, String>,
    /// Arrivals per second of an open loop; `null` means a closed loop, unless the next field says otherwise.
    pub rate_per_s: Option<f64>,
    /// Arrivals as a multiple of what the same model served in a closed loop just before, in the same round.
    pub rate_of_capacity: Option<f64>,
    /// Longest wait of a client for one answer, in seconds.
    pub timeout_s: f64,
    /// Further arguments of `hola serve`.
    pub server_options: Vec<String>,
    /// Workers of the models of which each worker holds one client; `null` means as many as they have by default.
    pub pool_workers: Option<u32>,
    /// What goes on beside the load, in the experiment's words.
    pub disturbance: Option<String>,
    /// Models measured at this level; empty means all that take part in the experiment.
    pub models: Vec<String>,
    /// CPUs, where they are not the experiment's.
    pub placement: Option<Placement>,
}

impl Level {
    /// What that model or target is asked for.
    pub fn path_for(&self, model: &str) -> &str {
        self.paths.get(model).unwrap_or(&self.path)
    }

    /// Whether clients wait for their answers before they ask again.
    pub fn is_closed(&self) -> bool {
        !self.path.is_empty() && !self.is_open()
    }

    /// Whether requests are due at planned instants, whatever the server does.
    pub fn is_open(&self) -> bool {
        self.rate_per_s.is_some() || self.rate_of_capacity.is_some()
    }
}

/// Who runs where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Placement {
    /// CPUs of the server.
    pub server_cpus: Vec<usize>,
    /// CPUs of the generator.
    pub generator_cpus: Vec<usize>,
}

impl Default for Level {
    /// One client, one greeting per connection.
    fn default() -> Self {
        Level {
            name: String::new(),
            clients: 1,
            requests_per_connection: Some(1),
            path: "/".into(),
            paths: BTreeMap::new(),
            rate_per_s: None,
            rate_of_capacity: None,
            timeout_s: 5.0,
            server_options: Vec::new(),
            pool_workers: None,
            disturbance: None,
            models: Vec::new(),
            placement: None,
        }
    }
}

/// What a reader needs to know of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelCard {
    /// Name on the command line.
    pub name: String,
    /// Title, in English and in Spanish.
    pub title: Bilingual,
    /// One sentence, in English and in Spanish.
    pub summary: Bilingual,
    /// What one client costs: `nothing`, `task`, `thread`, `process`.
    pub attention: String,
}

/// One text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bilingual {
    /// English.
    pub en: String,
    /// Spanish.
    pub es: String,
}

/// A model that was left out, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// Name on the command line.
    pub model: String,
    /// Experiment it was left out of; `null` means all of them.
    pub experiment: Option<String>,
    /// One plain sentence.
    pub reason: String,
}

/// The machine and the build, as far as they can move a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// Processor, as the kernel names it.
    pub cpu_model: String,
    /// Processors this process may use.
    pub cpus: u32,
    /// Memory, in MiB.
    pub memory_mib: u64,
    /// Kernel release.
    pub kernel: String,
    /// Whether a hypervisor announces itself.
    pub virtualised: bool,
    /// Clock source of the kernel.
    pub clock_source: Option<String>,
    /// Frequency governor, where there is one.
    pub governor: Option<String>,
    /// Processor vulnerabilities and their mitigation, a line each.
    pub mitigations: Vec<String>,
    /// Soft limits and sysctls that bound connections, `name = value`.
    pub limits: Vec<String>,
    /// 1-minute load average before and after.
    pub load_before: f64,
    /// 1-minute load average after the last trial.
    pub load_after: Option<f64>,
    /// Share of CPU time stolen by the hypervisor during the run, 0…1.
    pub steal_share: Option<f64>,
    /// Compiler.
    pub rustc: String,
    /// Build profile: `release` or `debug`.
    pub build: String,
    /// Version of Hola.
    pub version: String,
    /// Commit built, where it is known.
    pub commit: Option<String>,
    /// Whether the build had uncommitted changes.
    pub dirty: Option<bool>,
}

/// One line of `trials.jsonl`: one fresh server process under one workload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Experiment the trial belongs to.
    pub experiment: String,
    /// Model measured.
    pub model: String,
    /// Whether this is the model itself or the second copy of the A/A control.
    pub arm: Arm,
    /// Level, by its name.
    pub level: String,
    /// Round, from 0: every cell is measured once in each round.
    pub round: u32,
    /// Place in the order of the whole run, from 0.
    pub position: u32,
    /// UTC, RFC 3339.
    pub started_at: String,
    /// Attempts made at it, of which this is the one least disturbed by other guests of the host.
    #[serde(default = "once")]
    pub attempts: u32,
    /// Share of the CPU time asked for during it that the hypervisor gave to others, 0…1; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stolen_share: Option<f64>,
    /// What came of it.
    pub outcome: Outcome,
}

fn once() -> u32 {
    1
}

/// Which of the two copies of a model that is compared with itself.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Arm {
    /// The model.
    Model,
    /// The same model again, as if it were another: its difference is the noise floor.
    Again,
}

/// A trial's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
// Trials are kept by the hundred, not by the million: indirection would buy nothing.
#[allow(clippy::large_enum_variant)]
pub enum Outcome {
    /// The trial was made; its checks say whether it can be ranked.
    Measured(Measured),
    /// The trial could not be made: why, in one plain sentence.
    Failed(String),
}

/// The figures of a trial.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// What the generator saw; `null` where there was no load.
    pub load: Option<Summary>,
    /// What the server cost; `null` where nobody could present the bill.
    pub server: Option<ServerCost>,
    /// What only this experiment measures, by name, the unit last in it.
    pub figures: BTreeMap<String, f64>,
    /// What is no number, by name, such as a limit that was met.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remarks: BTreeMap<String, String>,
    /// What the kernel's network counters did under load, taken out of the generator's summary.
    pub kernel: KernelEvidence,
    /// Response-time histogram, HdrHistogram V2 deflated and base64-encoded, in nanoseconds.
    pub response_histogram: Option<String>,
    /// Checks of the trial beyond the generator's own.
    pub validity: Vec<Check>,
}

impl Measured {
    /// Every failed check, the generator's and the trial's.
    pub fn failed_checks(&self) -> impl Iterator<Item = &Check> {
        let generators = self.load.iter().flat_map(|load| &load.validity);
        generators.chain(&self.validity).filter(|check| !check.ok)
    }
}

/// What one server process, its threads and its children cost over a trial.
///
/// A model's bill is from listening to the end, over the requests that it counted itself. A reference target counts none:
/// its bill is the measured window's, over the requests that the generator saw answered there, and what only the server
/// could count, or the kernel for a whole life, is `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerCost {
    /// User CPU time, children included, in microseconds. The split from system time comes from the clock ticks of the
    /// server's CPU where it has one to itself, because the kernel's own split is wrong for short processes.
    pub cpu_user_us: u64,
    /// System CPU time, children included, in microseconds.
    pub cpu_system_us: u64,
    /// Who counted the CPU time; `null` in records from before there was a choice.
    #[serde(default)]
    pub accounted_by: Option<Account>,
    /// Conversations the server counted.
    pub conversations: Option<u64>,
    /// Requests the server answered.
    pub requests: u64,
    /// CPU time per request answered, start and stop of the server not included, in microseconds.
    pub cpu_us_per_request: Option<f64>,
    /// Largest proportional set size seen over the process tree, in KiB.
    pub pss_peak_kib: Option<u64>,
    /// Most threads seen at once over the process tree.
    pub threads_peak: u32,
    /// Most processes seen at once.
    pub processes_peak: u32,
    /// Voluntary context switches, children included.
    pub switches_voluntary: Option<u64>,
    /// Involuntary context switches, children included.
    pub switches_involuntary: Option<u64>,
    /// Page faults that needed no disk, children included.
    pub faults_minor: Option<u64>,
    /// Times that waiting for a client ended, with a client or without.
    #[serde(default)]
    pub wakeups: Option<u64>,
    /// Clients it sent away, for want of a thread, a process or memory, or by its cap.
    #[serde(default)]
    pub refused: Option<u64>,
    /// Times that accepting paused because the system was short of something.
    #[serde(default)]
    pub backed_off: Option<u64>,
    /// Conversations begun by each worker, one number for a server without workers of its own.
    #[serde(default)]
    pub conversations_by_worker: Vec<u64>,
    /// What the server was told, as it reported it.
    #[serde(default)]
    pub settings: serde_json::Value,
}

/// The published JSON Schemas, by the names they are stored under: a run, and a line of its trials.
pub fn schemas() -> [(&'static str, Schema); 2] {
    [
        ("run.json", schema_for!(Run)),
        ("trial.json", schema_for!(Trial)),
    ]
}
