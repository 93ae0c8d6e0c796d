//! The experiments: one file per question, asked of every model in the same way. Levels are data.

pub mod churn;

/// A question and how it is put.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// Name on the command line.
    pub name: &'static str,
    /// The question, for people.
    pub question: &'static str,
    /// Requests on one connection; `None` is no limit.
    pub requests_per_connection: Option<u64>,
    /// The model the others are compared with.
    pub control: &'static str,
    /// How much of it each profile does.
    pub profiles: &'static [Profile],
}

/// How long, how often and at which levels.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Name on the command line.
    pub name: &'static str,
    /// Concurrent clients.
    pub clients: &'static [u32],
    /// Trials of each cell.
    pub rounds: u32,
    /// Measured window of a trial, in milliseconds.
    pub trial_ms: u64,
    /// Warm-up of a trial, in milliseconds.
    pub warmup_ms: u64,
}

/// Every experiment.
pub const EXPERIMENTS: &[Experiment] = &[churn::EXPERIMENT];
