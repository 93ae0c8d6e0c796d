//! `hola judge`: examines a small HTTP server that somebody wrote in any language, and says what it does right and wrong.
//!
//! A check of conduct is a row of [`CHECKS`]: it asks a fresh server something, and says what it saw. How results are
//! printed is decided elsewhere.

mod checks;
mod client;
mod clients;
mod connections;
mod cost;
mod counts;
mod crowd;
mod examiner;
mod kind;
mod limits;
mod processes;
mod requests;
mod sandbox;
mod server;

use std::collections::BTreeMap;

use hola_base::{Text, text};
use hola_lab::record::StoredText;
use hola_lab::target::ReachedLimit;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

pub use self::checks::{CHECKS, ConductCheck};
pub use self::cost::{ComparedFigure, CostComparison};
pub use self::examiner::Examiner;
pub use self::kind::ServerKind;
pub use self::sandbox::{SandboxChoice, UsedSandbox};
pub use self::server::ExaminedServer;
use crate::toml_error;

/// Version of the published schema of an examination.
pub const SCHEMA_VERSION: u32 = 3;

/// What a check saw: `Ok` if that is as expected.
type Observation = Result<StoredText, StoredText>;

/// Whether a check was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// What was seen is as expected.
    Passed,
    /// It is not.
    Failed,
    /// It cannot be examined here.
    NotExamined,
}

/// The result of one check.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckResult {
    /// The check's name.
    pub id: String,
    /// Whether it was passed.
    pub state: CheckState,
    /// What is expected.
    pub expected: StoredText,
    /// What was seen.
    pub seen: StoredText,
    /// The bytes that were sent, or those that matter, with escapes.
    pub sent: String,
    /// A shell command that does the same; `PORT` stands for the server's port, `PID` for its process.
    pub reproduce: String,
    /// What to read about it: sections of RFCs, and manual pages.
    pub reading: String,
    /// Points that it gets.
    pub points: f64,
    /// Most points that it can get; 0 if it was not examined.
    pub points_max: f64,
}

/// All that an examination has found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Examination {
    /// Version of this format.
    pub schema_version: u32,
    /// The server: its command, or its address.
    pub server: String,
    /// What kept it from the rest of the machine; `null` if it was not started here.
    pub sandbox: Option<UsedSandbox>,
    /// The limits of its processes together that it reached.
    pub reached_limits: Vec<ReachedLimit>,
    /// How it serves its clients, seen from outside and in `/proc`; `null` if that cannot be seen.
    pub kind: Option<ServerKind>,
    /// Clients that it serves at once; `null` means more than were tried.
    pub serves_at_once: Option<usize>,
    /// Clients that were tried at once.
    pub tried_at_once: usize,
    /// Every check.
    pub checks: Vec<CheckResult>,
    /// What a request costs it, beside the model of its kind; `null` if that was not asked.
    pub cost: Option<CostComparison>,
    /// Why there is no cost although it was asked.
    pub cost_missing: Option<String>,
    /// Points of all checks.
    pub points: f64,
    /// Most points that they can get.
    pub points_max: f64,
}

impl Examination {
    /// The published schema.
    pub fn schema() -> Schema {
        schema_for!(Examination)
    }

    /// How many checks ended in that state.
    pub fn count(&self, state: CheckState) -> usize {
        let checks = self.checks.iter();
        checks.filter(|check| check.state == state).count()
    }
}

/// Points for each check, by its name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Rubric(BTreeMap<String, f64>);

impl Rubric {
    /// Reads lines such as `greeting = 2`. A check that is not named gets one point.
    ///
    /// # Errors
    /// Names the line, the check or the points that are wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rubric: Rubric = toml::from_str(text).map_err(|error| toml_error(&error))?;
        for (id, points) in &rubric.0 {
            if !CHECKS.iter().any(|check| check.id == id) {
                let ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
                return Err(format!("no check '{id}'; there are {}", ids.join(", ")));
            }
            if !points.is_finite() || *points < 0.0 {
                return Err(format!("{id}: {points} are no points"));
            }
        }
        Ok(rubric)
    }

    fn points(&self, id: &str) -> f64 {
        self.0.get(id).copied().unwrap_or(1.0)
    }
}

/// Makes every check.
///
/// # Errors
/// Returns the reason if the server does not start.
pub fn examine(examiner: &Examiner, rubric: &Rubric) -> Result<Examination, String> {
    examiner.starter.first_start()?;
    let checks: Vec<CheckResult> = CHECKS
        .iter()
        .map(|check| result(check, examiner, rubric))
        .collect();
    let crowd = examiner.crowd().ok();
    let kind = crowd.and_then(kind::of);
    let cost = examiner.with_cost.then(|| examiner.cost(kind));
    let (cost, cost_missing) = match cost {
        Some(Ok(cost)) => (Some(cost), None),
        Some(Err(reason)) => (None, Some(reason)),
        None => (None, None),
    };
    Ok(Examination {
        schema_version: SCHEMA_VERSION,
        server: examiner.starter.server().to_string(),
        sandbox: examiner.starter.sandbox().cloned(),
        reached_limits: examiner.starter.reached_limits(),
        kind,
        serves_at_once: crowd.and_then(|crowd| crowd.served_at_once),
        tried_at_once: crowd::CLIENTS,
        points: checks.iter().map(|check| check.points).sum(),
        points_max: checks.iter().map(|check| check.points_max).sum(),
        checks,
        cost,
        cost_missing,
    })
}

fn result(check: &ConductCheck, examiner: &Examiner, rubric: &Rubric) -> CheckResult {
    let (state, seen) = if check.needs_processes && !examiner.starter.has_processes() {
        const ELSEWHERE: Text = text(
            "not examined: the server was not started here",
            "no examinado: el servidor no se inició aquí",
        );
        (CheckState::NotExamined, ELSEWHERE.into())
    } else if check.id == "kind" && examiner.expected_kind.is_none() {
        const NOT_ASKED: Text = text(
            "not examined: no kind was expected",
            "no examinado: no se esperaba ningún tipo",
        );
        (CheckState::NotExamined, NOT_ASKED.into())
    } else {
        match (check.examine)(examiner) {
            Ok(seen) => (CheckState::Passed, seen),
            Err(seen) => (CheckState::Failed, seen),
        }
    };
    let most = rubric.points(check.id);
    let (points, points_max) = match state {
        CheckState::Passed => (most, most),
        CheckState::Failed => (0.0, most),
        CheckState::NotExamined => (0.0, 0.0),
    };
    CheckResult {
        id: check.id.into(),
        state,
        expected: check.expected.into(),
        seen,
        sent: check.sent.escape_ascii().to_string(),
        reproduce: check.reproduce(&examiner.starter.shown_port()),
        reading: check.reading.into(),
        points,
        points_max,
    }
}

/// What was seen, as a pass or a failure.
fn observed(is_as_expected: bool, seen: StoredText) -> Observation {
    if is_as_expected { Ok(seen) } else { Err(seen) }
}

/// A text in both languages.
fn both(en: impl Into<String>, es: impl Into<String>) -> StoredText {
    StoredText {
        en: en.into(),
        es: es.into(),
    }
}
