//! What a run writes down: `run.json` once, and one JSON line of `trials.jsonl` per trial as it happens.
//!
//! Everything the analysis and the reports say is computed from these records and from nothing else.

pub use hola_loadgen::summary::KernelEvidence;
use hola_loadgen::summary::{Check, Summary};
use serde::{Deserialize, Serialize};

/// Version of the shapes in this file.
pub const SCHEMA_VERSION: u32 = 1;

/// `run.json`: everything one `hola compare` did, but for the trials themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// UTC, RFC 3339; absent while the run goes on.
    pub finished_at: Option<String>,
    /// Seed of the trial order, the schedules and the bootstrap.
    pub seed: u64,
    /// The command that makes the same run again, argument by argument.
    pub command: Vec<String>,
    /// What was planned.
    pub design: Design,
    /// The models measured, in teaching order.
    pub models: Vec<ModelCard>,
    /// Models that could not be measured here.
    pub skipped: Vec<Skipped>,
    /// Where it was measured.
    pub environment: Environment,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Still going on, or killed.
    Running,
    /// Every planned trial was made.
    Complete,
    /// Stopped by the user; the trials made are kept.
    Interrupted,
}

/// The plan of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// Experiment, such as `churn`.
    pub experiment: String,
    /// The question it asks, in English.
    pub question: String,
    /// Levels of the factor, here concurrent clients.
    pub levels: Vec<u32>,
    /// Trials of each model at each level.
    pub trials_per_cell: u32,
    /// Measured window of a trial, in seconds.
    pub trial_s: f64,
    /// Warm-up of a trial, in seconds.
    pub warmup_s: f64,
    /// Requests per connection; `null` means unlimited.
    pub requests_per_connection: Option<u64>,
    /// Model that the others are compared with.
    pub control: String,
    /// CPUs of the server.
    pub server_cpus: Vec<usize>,
    /// CPUs of the generator.
    pub generator_cpus: Vec<usize>,
    /// Settings all servers had in common, as they reported them; each trial has its own in full.
    pub server_settings: serde_json::Value,
}

/// What a reader needs to know of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bilingual {
    /// English.
    pub en: String,
    /// Spanish.
    pub es: String,
}

/// A model that could not be measured, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Skipped {
    /// Name on the command line.
    pub model: String,
    /// One plain sentence.
    pub reason: String,
}

/// The machine and the build, as far as they can move a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Experiment the trial belongs to.
    pub experiment: String,
    /// Model measured.
    pub model: String,
    /// Whether this is the model itself or the second copy of the A/A control.
    pub arm: Arm,
    /// Concurrent clients.
    pub clients: u32,
    /// Round, from 0: every cell is measured once in each round.
    pub round: u32,
    /// Place in the order of the whole run, from 0.
    pub position: u32,
    /// UTC, RFC 3339.
    pub started_at: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// Which of the two copies of a model that is compared with itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arm {
    /// The model.
    Model,
    /// The same model again, as if it were another: its difference is the noise floor.
    Again,
}

/// A trial's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What the generator saw.
    pub load: Summary,
    /// What the server cost.
    pub server: ServerCost,
    /// What the kernel's network counters did meanwhile, taken out of the generator's summary.
    pub kernel: KernelEvidence,
    /// Response-time histogram, HdrHistogram V2 deflated and base64-encoded, in nanoseconds.
    pub response_histogram: String,
    /// Checks of the trial beyond the generator's own.
    pub validity: Vec<Check>,
}

impl Measured {
    /// Every failed check, the generator's and the trial's.
    pub fn failed_checks(&self) -> impl Iterator<Item = &Check> {
        self.load
            .validity
            .iter()
            .chain(&self.validity)
            .filter(|check| !check.ok)
    }
}

/// What one server process, its threads and its children cost over a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerCost {
    /// User CPU time, children included, in microseconds. The split from system time comes from the clock ticks of the
    /// server's CPU where it has one to itself, because the kernel's own split is wrong for short processes.
    pub cpu_user_us: u64,
    /// System CPU time, children included, in microseconds.
    pub cpu_system_us: u64,
    /// Conversations the server counted.
    pub conversations: u64,
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
    pub switches_voluntary: u64,
    /// Involuntary context switches, children included.
    pub switches_involuntary: u64,
    /// Page faults that needed no disk, children included.
    pub faults_minor: u64,
    /// Times that waiting for a client ended, with a client or without.
    #[serde(default)]
    pub wakeups: u64,
    /// Conversations begun by each worker, one number for a server without workers of its own.
    #[serde(default)]
    pub conversations_by_worker: Vec<u64>,
    /// What the server was told, as it reported it.
    #[serde(default)]
    pub settings: serde_json::Value,
}
