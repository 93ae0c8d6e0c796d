//! Several loads on one server, the search that they may belong to, and lines of NDJSON.

use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

use super::{IntervalSummary, SCHEMA_VERSION, Summary};

/// One line of `--format ndjson`: each interval as it ends, then the summary; several loads follow one another. A
/// search for the highest rate has a line of its own at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Line {
    /// An interval that has ended.
    Interval(Box<IntervalSummary>),
    /// A load that is over.
    Summary(Box<Summary>),
    /// A search that is over.
    Search(Search),
}

/// Several loads on one server, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Levels {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// One for each load that was finished, in order.
    pub levels: Vec<Summary>,
    /// The search that the loads belong to, if they searched for the highest rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
}

impl Levels {
    /// These loads, and the search that they belong to.
    pub(crate) fn new(levels: Vec<Summary>, search: Option<Search>) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            levels,
            search,
        }
    }
}

/// A search for the highest rate at which every objective is met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Search {
    /// The objectives, as asked for.
    pub objectives: Vec<String>,
    /// Highest rate, per second, that was measured to meet them; `null` when none was.
    pub highest_rate_per_s: Option<f64>,
    /// What kept the search from a higher rate.
    pub limit: SearchLimit,
    /// The result in one plain sentence.
    pub conclusion: String,
    /// Every rate that was measured, in order.
    pub steps: Vec<SearchStep>,
}

/// What kept a search from a higher rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchLimit {
    /// An objective was not met at a higher rate.
    Objective,
    /// Another check than the generator's did not hold at a higher rate.
    Check,
    /// The generator was the limit at a higher rate.
    Generator,
    /// No rate failed within the bounds of the search.
    Bounds,
    /// Not one request succeeded.
    NothingSucceeded,
    /// The search was ended early.
    Interrupted,
}

/// One rate of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchStep {
    /// Rate, per second.
    pub rate_per_s: f64,
    /// Whether every objective was met and every check held.
    pub met: bool,
    /// Why not.
    pub reasons: Vec<String>,
}

/// The published JSON Schemas, by the names they are stored under: a summary, a line of `--format ndjson`, several loads.
pub fn schemas() -> [(&'static str, Schema); 3] {
    [
        ("load.json", schema_for!(Summary)),
        ("load-line.json", schema_for!(Line)),
        ("load-levels.json", schema_for!(Levels)),
    ]
}
