//! The search for the highest rate at which a server meets all objectives.

use crate::condition::{Condition, ConditionResult};
use crate::summary::{CheckName, Search, SearchLimit, SearchStep, Summary};
use crate::workload::{MAX_RATE, Workload};

/// Most loads of a search: twenty doublings are a factor of a million, five bisections reach 5 %, and some to spare.
const STEPS_MAX: usize = 32;

/// How close the lowest rate that fails must come to the highest one that holds.
const RESOLUTION: f64 = 1.05;

/// Rate below which a search gives up, per second.
const RATE_MIN: f64 = 1.0;

/// Refuses a search on a server that takes no connection: there is no rate to search for.
pub(super) fn require_server(load: &Workload) -> Result<(), String> {
    match load.target.check_accepts(load.timeout) {
        Ok(()) => Ok(()),
        Err(error) => Err(format!("{} takes no connection: {error}", load.target)),
    }
}

/// Why a rate did not hold.
#[derive(Clone, Debug, PartialEq)]
struct StepFailure {
    /// Objectives that are not met, and checks that do not hold, with what was seen.
    reasons: Vec<String>,
    /// Kind of the most important reason.
    limit: SearchLimit,
    /// Whether the load was too small to tell.
    is_too_small: bool,
}

/// Why the rate of a load does not hold; `None` if every objective is met and every check holds. A generator at its
/// limit explains everything else.
fn judge(summary: &Summary, objectives: &[Condition]) -> Option<StepFailure> {
    let counts = &summary.counts;
    let (mut reasons, mut limit) = (Vec::new(), None);
    let mut is_too_small = counts.ended() == 0;
    for objective in objectives {
        reasons.push(match objective.holds(summary) {
            ConditionResult::Holds(_) => continue,
            ConditionResult::Fails(figure) => format!("{objective}: {figure}"),
            ConditionResult::Undecided(figure) => format!("{objective} is not certain: {figure}"),
            ConditionResult::Unsupported(figure) => {
                is_too_small = true;
                format!("{objective}: {figure}")
            }
        });
        limit = Some(SearchLimit::Objective);
    }
    for check in summary.validity.iter().filter(|check| !check.ok) {
        reasons.push(format!("{}: {}", check.check, check.detail));
        limit = match check.check {
            CheckName::Generator => Some(SearchLimit::Generator),
            _ => limit.or(Some(SearchLimit::Check)),
        };
    }
    let could_be_overload = counts.failed.keys().any(|cause| is_overload(cause));
    if counts.ok == 0 && counts.failed_total() > 0 && !could_be_overload {
        reasons = vec![format!("not one request succeeded ({})", counts.failures())];
        limit = Some(SearchLimit::NothingSucceeded);
    }
    limit.map(|limit| StepFailure {
        reasons,
        limit,
        is_too_small,
    })
}

/// Whether a lower rate may remove this cause of failures. A server that refuses connections, or serves another page,
/// does so at any rate.
fn is_overload(cause: &str) -> bool {
    let by_name = ["timeout", "reset", "closed_early", "status_429"];
    by_name.contains(&cause) || cause.starts_with("status_5") || cause.starts_with("local_")
}

/// What is known of a search: the highest rate that held, the lowest that did not, and how they were found.
#[derive(Debug)]
pub(super) struct Bracket {
    first: f64,
    held: Option<f64>,
    failed: Option<(f64, StepFailure)>,
    steps: Vec<SearchStep>,
}

impl Bracket {
    /// A search that begins with the rate `first`.
    pub(super) fn new(first: f64) -> Self {
        Self {
            first,
            held: None,
            failed: None,
            steps: Vec::new(),
        }
    }

    /// Next rate to measure; `None` if the search is over.
    pub(super) fn next(&self) -> Option<f64> {
        if self.steps.len() >= STEPS_MAX {
            return None;
        }
        match (self.held, &self.failed) {
            (None, None) => Some(self.first),
            (Some(held), None) => (held < MAX_RATE).then(|| (held * 2.0).min(MAX_RATE)),
            // Another rate would fail in the same way.
            (_, Some((_, failure))) if failure.limit == SearchLimit::NothingSucceeded => None,
            // A lower rate would give an even smaller sample.
            (None, Some((_, failure))) if failure.is_too_small => None,
            (None, Some((failed, _))) => Some(failed / 2.0).filter(|rate| *rate >= RATE_MIN),
            (Some(held), Some((failed, _))) => {
                (failed / held > RESOLUTION).then(|| readable(f64::midpoint(held, *failed)))
            }
        }
    }

    /// Judges the load of the rate that was next, and returns the judgement in words.
    pub(super) fn judge(&mut self, summary: &Summary, objectives: &[Condition]) -> String {
        let failure = judge(summary, objectives);
        let words = match &failure {
            None => "met".to_owned(),
            Some(failure) => format!("not met: {}", failure.reasons.join("; ")),
        };
        self.record(summary.plan.rate_per_s.unwrap_or_default(), failure);
        words
    }

    fn record(&mut self, rate_per_s: f64, failure: Option<StepFailure>) {
        let reasons = failure.as_ref().map(|failure| failure.reasons.clone());
        self.steps.push(SearchStep {
            rate_per_s,
            met: failure.is_none(),
            reasons: reasons.unwrap_or_default(),
        });
        match failure {
            None => self.held = Some(rate_per_s),
            Some(failure) => self.failed = Some((rate_per_s, failure)),
        }
    }

    /// Whether the search ended because a load was too small to tell.
    pub(super) fn is_too_small(&self) -> bool {
        let failed = self.failed.as_ref();
        failed.is_some_and(|(_, failure)| failure.is_too_small)
    }

    /// The result, including its sentence for people.
    pub(super) fn conclude(self, objectives: &[Condition], is_interrupted: bool) -> Search {
        let objectives: Vec<String> = objectives.iter().map(Condition::to_string).collect();
        let asked = objectives.join(", ");
        let found = match self.held {
            Some(held) => format!("{held}/s is the highest rate that was measured to hold {asked}"),
            None => format!("No rate was measured to hold {asked}"),
        };
        let (limit, bound) = match &self.failed {
            _ if is_interrupted => (
                SearchLimit::Interrupted,
                "the search was interrupted".to_owned(),
            ),
            None => (SearchLimit::Bounds, "none that was tried failed".to_owned()),
            Some((failed, failure)) => {
                let reasons = failure.reasons.join("; ");
                let bound = match failure.limit {
                    SearchLimit::Generator => {
                        format!("at {failed}/s the generator, not the server, was the limit")
                    }
                    SearchLimit::NothingSucceeded => format!("at {failed}/s {reasons}"),
                    _ if failure.is_too_small => format!(
                        "{failed}/s was too small a sample to tell: use a longer --duration, or a higher --rate"
                    ),
                    _ => format!("{failed}/s did not: {reasons}"),
                };
                (failure.limit, bound)
            }
        };
        Search {
            objectives,
            highest_rate_per_s: self.held,
            limit,
            conclusion: format!("{found}; {bound}."),
            steps: self.steps,
        }
    }
}

/// A rate rounded to three digits: the rounding is far below the resolution of a search.
fn readable(rate: f64) -> f64 {
    format!("{rate:.2e}").parse().unwrap_or(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches from the rate `first` on a server that holds exactly up to `capacity`, and fails beyond it for `limit`.
    fn search(first: f64, capacity: f64, limit: SearchLimit, is_too_small: bool) -> Search {
        let mut bracket = Bracket::new(first);
        while let Some(rate) = bracket.next() {
            let failure = StepFailure {
                reasons: vec![format!("{limit:?}")],
                limit,
                is_too_small,
            };
            bracket.record(rate, (rate > capacity).then_some(failure));
        }
        bracket.conclude(&[], false)
    }

    #[test]
    fn finds_the_capacity_to_5_percent_from_below_and_above() {
        for first in [1.0, 100.0, 1000.0, 50_000.0, 1_000_000.0] {
            for capacity in [3.7, 730.0, 1000.0, 41_234.0, 400_000.0] {
                let found = search(first, capacity, SearchLimit::Objective, false);
                let rate = found.highest_rate_per_s.unwrap();
                assert!(found.steps.len() <= STEPS_MAX);
                assert!(
                    rate <= capacity && rate * RESOLUTION >= capacity,
                    "{found:?}"
                );
                let mut steps = found.steps.iter();
                assert!(steps.any(|step| step.met && step.rate_per_s == rate));
            }
        }
    }

    #[test]
    fn ends_where_another_load_would_tell_nothing_new_and_says_why() {
        use SearchLimit::{Bounds, Generator, NothingSucceeded, Objective};
        let endless = f64::INFINITY;
        for (capacity, limit, is_too_small, highest, steps_max, words) in [
            (0.0, Objective, false, None, 10, "No rate was measured"),
            (0.0, Objective, true, None, 1, "too small a sample"),
            (0.0, NothingSucceeded, false, None, 1, "at 1000/s"),
            (1000.0, Generator, false, Some(1000.0), 8, "not the server"),
            (
                endless,
                Bounds,
                false,
                Some(MAX_RATE),
                15,
                "none that was tried",
            ),
        ] {
            let found = search(1000.0, capacity, limit, is_too_small);
            assert_eq!(found.highest_rate_per_s, highest, "{found:?}");
            assert_eq!(found.limit, limit, "{found:?}");
            assert!(found.steps.len() <= steps_max, "{found:?}");
            assert!(found.conclusion.contains(words), "{found:?}");
        }
    }
}
