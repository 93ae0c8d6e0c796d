//! The records of a run: `run.json`, and one line of `blocks.jsonl` per finished block.
//!
//! The analysis and the reports are computed from these records and from nothing else.

mod figures;
pub mod metric;

use std::collections::BTreeMap;

use hola_base::{LANGUAGES, Language, Text};
pub use hola_loadgen::summary::CheckName;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

use self::figures::DecodedTail;
pub use self::figures::FULL_SHARE;
use crate::metric::Metric;
use crate::plan::{Design, Profile};

/// Version of the types in this file and in [`crate::plan`].
pub const SCHEMA_VERSION: u32 = 3;

/// `run.json`: everything about one `hola compare` except its blocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Version of the rules by which its results are judged: analysis, words and claims.
    pub rules_version: u32,
    /// Name of the run and of its folder: `2026-11-21T101502Z-quick`.
    pub name: String,
    /// How much was to be measured.
    pub profile: Profile,
    /// How far it came.
    pub status: RunStatus,
    /// UTC, RFC 3339.
    pub started_at: String,
    /// When an interrupted run was resumed: UTC, RFC 3339.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed_at: Vec<String>,
    /// UTC, RFC 3339; `null` until the run ends.
    pub finished_at: Option<String>,
    /// Seed of the order, the schedules and the simulations.
    pub seed: u64,
    /// The command that makes the same run again, argument by argument.
    pub command: Vec<String>,
    /// Work added to each request of the planted participants, as a percentage of what the control costs.
    pub planted_percent: f64,
    /// The planned experiments, in execution order.
    pub designs: Vec<Design>,
    /// Models and reference targets that take part in any experiment: models in teaching order, then targets.
    pub servers: Vec<ServerCard>,
    /// Models and reference targets that were left out of the whole run or of one experiment.
    pub skipped: Vec<Skipped>,
    /// Where it was measured.
    pub environment: Environment,
}

impl Run {
    /// Most time that measuring takes, in seconds.
    pub fn budget_s(&self) -> f64 {
        self.designs.iter().map(|design| design.budget_s).sum()
    }
}

/// How far a run came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Still running, or killed.
    #[default]
    Running,
    /// Every experiment reached its precision or used its budget up.
    Complete,
    /// Stopped by the user; the blocks made are kept.
    Interrupted,
}

/// What a reader needs to know of a model or a reference target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerCard {
    /// Name on the command line.
    pub name: String,
    /// Whether it is one of Hola's models; otherwise it is a reference target.
    pub is_model: bool,
    /// Title, in English and in Spanish.
    pub title: StoredText,
    /// One sentence, in English and in Spanish.
    pub summary: StoredText,
    /// What one client costs: `nothing`, `task`, `thread`, `process`.
    pub attention: String,
    /// Lines of code on its page; `null` for a reference target.
    #[serde(default)]
    pub lines_of_code: Option<u32>,
}

/// One text in both languages, as records keep it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredText {
    /// English.
    pub en: String,
    /// Spanish.
    pub es: String,
}

impl StoredText {
    /// Makes the text in each language.
    pub fn from_each(make: impl Fn(Language) -> String) -> Self {
        let [en, es] = LANGUAGES.map(make);
        StoredText { en, es }
    }

    /// The text in this language.
    pub fn in_language(&self, language: Language) -> &str {
        language.choose(|| &*self.en, || &*self.es)
    }
}

impl From<Text> for StoredText {
    fn from(text: Text) -> Self {
        StoredText {
            en: text.en.into(),
            es: text.es.into(),
        }
    }
}

/// A model or target that was left out, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// Name on the command line.
    pub server: String,
    /// Experiment it was left out of; `null` means all of them.
    pub experiment: Option<String>,
    /// One plain sentence.
    pub reason: String,
}

/// The machine and the build, as far as they can affect a figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// Processor, as the kernel names it.
    pub cpu_model: String,
    /// Processors this process may use, by number.
    pub cpus: Vec<usize>,
    /// Groups of the server's and the generator's CPUs that are threads of one core (SMT).
    pub smt_siblings: Vec<String>,
    /// CPU time this process's control groups allow, in CPUs; `null` is no limit.
    pub cpu_quota: Option<f64>,
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
    /// Environment variables that servers were given, `name=value`; all others were removed.
    pub server_environment: Vec<String>,
    /// How the load generator made its system calls.
    pub generator_engine: String,
    /// What counted the servers' CPU time.
    pub accounted_by: Option<CpuAccounting>,
    /// Why context switches were not counted; `null` when they were.
    pub switches_not_counted: Option<String>,
    /// 1-minute load average before.
    pub load_before: f64,
    /// 1-minute load average after the last block.
    pub load_after: Option<f64>,
    /// Share of CPU time stolen by the hypervisor during the run, 0…1.
    pub steal_share: Option<f64>,
    /// Time that control groups kept this process or its servers off the CPU, in milliseconds.
    pub throttled_ms: Option<f64>,
    /// Highest number of other comparisons that were seen on the machine at the same time.
    pub other_comparisons: u32,
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

/// What measured CPU time.
///
/// When a thread ends, the kernel adds its time to the totals of its process before the thread has stopped running
/// (`__exit_signal` takes the time as of the last update). What the thread uses after that is in no later `getrusage`.
/// For a thread that lives for one request, that is several microseconds of about forty. A control group loses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CpuAccounting {
    /// A control group for each server.
    Cgroup,
    /// The process tree in `/proc`, where no control group can be made.
    Proc,
}

/// One line of `blocks.jsonl`: one stage, from starting its servers to stopping them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Block {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Experiment.
    pub experiment: String,
    /// Stage.
    pub stage: String,
    /// Number of the block within its stage, from 0.
    pub index: u32,
    /// UTC, RFC 3339.
    pub started_at: String,
    /// How long it took, in seconds.
    pub took_s: f64,
    /// Share of the CPU time demanded during the block that the hypervisor gave to others, 0…1; absent if it is not
    /// known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stolen_share: Option<f64>,
    /// Work added to each request of the planted participant, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planted_us: Option<f64>,
    /// A reading for each participant at each level, in the order of the plan.
    pub readings: Vec<Reading>,
}

/// One participant at one level of one block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Reading {
    /// Participant, by its name in the stage.
    pub participant: String,
    /// Level.
    pub level: String,
    /// Its slices, by cycle.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<Slice>,
    /// Response times of its slices that count and were not disturbed, merged: HdrHistogram V2, deflated, base64, in
    /// nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_histogram: Option<String>,
    /// Those of its slices that count and were disturbed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disturbed_histogram: Option<String>,
    /// What a procedure found.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<Metric, f64>,
    /// Findings that are not numbers, by name, such as the limit that was reached.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
    /// Why the reading is incomplete: a server that did not start, or died.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Percentiles of the histogram, decoded on first use; not part of the record.
    #[serde(skip)]
    #[schemars(skip)]
    pub(crate) tail: DecodedTail,
}

/// One slice: a window of load on one live server, and what was read at its start and end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Slice {
    /// Cycle, from 0.
    pub cycle: u32,
    /// Actual length of the window, in microseconds.
    pub window_us: u64,
    /// CPU time of the server in the window, in microseconds.
    pub cpu_us: f64,
    /// Number of CPUs that the server may use.
    pub server_cpus: u32,
    /// Requests answered in the window with the right answer.
    pub answered: u64,
    /// Requests of the window that failed: timeouts, wrong answers, broken connections.
    pub failed: u64,
    /// Context switches on the server's CPUs in the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switches: Option<u64>,
    /// Share of its CPU that the busiest generator thread used, 0…1.
    pub generator_share: f64,
    /// Whether the hypervisor took a tick of the CPUs' time (proc(5)) during the slice, or more than [`STOLEN_SHARE_MAX`]
    /// during its cycle. Its response times then tell of the hypervisor.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_disturbed: bool,
    /// Checks that it failed; such a slice does not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_checks: Vec<CheckName>,
}

/// Most of the time of a stage's CPUs that the hypervisor may take in a cycle. An answer needs two CPUs, the server's and
/// the generator's: with half a hundredth of each taken, the slowest hundredth of the answers are those that waited for
/// the hypervisor.
pub const STOLEN_SHARE_MAX: f64 = 0.005;

#[allow(
    clippy::cast_precision_loss,
    reason = "counts, bytes and microseconds stay far below 2^53"
)]
pub(crate) fn to_f64(count: impl TryInto<u64>) -> f64 {
    let count: Result<u64, _> = count.try_into();
    count.map_or(f64::NAN, |count| count as f64)
}

/// `part` as a share of `whole`, 0…1; `None` if `whole` is 0.
pub(crate) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| to_f64(part) / to_f64(whole))
}

/// The published JSON schemas: of `run.json` and of a line of `blocks.jsonl`.
pub fn schemas() -> [(&'static str, Schema); 2] {
    [("run", schema_for!(Run)), ("block", schema_for!(Block))]
}
