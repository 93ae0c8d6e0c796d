//! The search for the highest rate at which a server meets all objectives.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use hola_base::output::say;

use super::levels::{finished, tell, write};
use super::session::{EXIT_BROKEN, EXIT_ERROR, EXIT_INVALID, Session, interrupted_code};
use crate::condition::{Condition, ConditionResult};
use crate::summary::{CheckName, Levels, SCHEMA_VERSION, Search, SearchLimit, SearchStep, Summary};
use crate::workload::{MAX_RATE, Pace, Workload};
use crate::{target, text};

/// Most loads of a search: twenty doublings are a factor of a million, five bisections reach 5 %, and some to spare.
const STEPS_MAX: usize = 32;

/// How close the lowest rate that fails must come to the highest one that holds.
const RESOLUTION: f64 = 1.05;

/// Rate below which a search gives up, per second.
const RATE_MIN: f64 = 1.0;

/// Runs loads like `workload` until the highest rate that meets `objectives` is known.
pub(super) fn run(
    workload: &Workload,
    objectives: &[Condition],
    session: &Session,
) -> Result<u8, String> {
    let Pace::Open {
        rate_per_s,
        arrivals,
    } = workload.pace
    else {
        return Err("a search needs an open loop".to_owned());
    };
    // If nothing listens, there is no rate to search for.
    target::connect(&[workload.target], workload.timeout)
        .map_err(|failures| no_connection(&failures))?;
    let mut bracket = Bracket::new(rate_per_s);
    let mut levels = Vec::new();
    let mut interrupted = false;
    while let Some(rate_per_s) = bracket.next() {
        let pace = Pace::Open {
            rate_per_s,
            arrivals,
        };
        let workload = Workload {
            pace,
            ..workload.clone()
        };
        let Some(measurement) = finished(&workload, session)? else {
            interrupted = true;
            break;
        };
        let judgement = judge(&measurement.summary, objectives);
        let line = text::levels::line(&measurement.summary);
        let outcome = judgement.to_string();
        say(format_args!(
            "[{}] {line}: {outcome}",
            bracket.steps.len() + 1
        ));
        bracket.enter(rate_per_s, judgement);
        tell(&measurement.summary, session)?;
        levels.push(measurement.summary);
    }
    let search = bracket.conclude(objectives, interrupted);
    let code = exit_code(&search, bracket.too_small());
    write(
        &Levels {
            schema_version: SCHEMA_VERSION,
            levels,
            search: Some(search),
        },
        session,
    )?;
    Ok(code)
}

/// Why there is nothing to search, in one line.
fn no_connection(failures: &[(SocketAddr, io::Error)]) -> String {
    let reasons = failures.iter().map(|(address, error)| match error.kind() {
        ErrorKind::ConnectionRefused => format!("{address} refused the connection"),
        ErrorKind::TimedOut => format!("{address} did not answer"),
        _ => format!("{address}: {error}"),
    });
    reasons.collect::<Vec<_>>().join("; ")
}

fn exit_code(search: &Search, too_small: bool) -> u8 {
    match (search.limit, search.highest_rate_per_s) {
        (SearchLimit::Interrupted, _) => interrupted_code(),
        (SearchLimit::NothingSucceeded, None) => EXIT_ERROR,
        (_, Some(_)) => 0,
        (SearchLimit::Generator, None) => EXIT_INVALID,
        (_, None) if too_small => EXIT_INVALID,
        (_, None) => EXIT_BROKEN,
    }
}

/// The judgement of one rate by its load.
#[derive(Clone, Debug, PartialEq)]
struct StepJudgement {
    /// Objectives that are not met, and checks that do not hold, with what was seen.
    reasons: Vec<String>,
    /// Kind of the most important reason.
    limit: Option<SearchLimit>,
    /// Whether the load was too small to tell.
    too_small: bool,
}

impl std::fmt::Display for StepJudgement {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self.limit {
            None => formatter.write_str("met"),
            Some(SearchLimit::Generator) => {
                write!(
                    formatter,
                    "not met, generator ({})",
                    self.reasons.join("; ")
                )
            }
            Some(_) => write!(formatter, "not met: {}", self.reasons.join("; ")),
        }
    }
}

/// Whether every objective is met and every check holds. A generator at its limit explains everything else.
fn judge(summary: &Summary, objectives: &[Condition]) -> StepJudgement {
    let counts = &summary.counts;
    let mut judgement = StepJudgement {
        reasons: Vec::new(),
        limit: None,
        too_small: counts.ended() == 0,
    };
    for objective in objectives {
        let reason = match objective.holds(summary) {
            ConditionResult::Holds(_) => continue,
            ConditionResult::Fails(figure) => format!("{objective}: {figure}"),
            ConditionResult::Undecided(figure) => format!("{objective} is not certain: {figure}"),
            ConditionResult::Unsupported(figure) => {
                judgement.too_small = true;
                format!("{objective}: {figure}")
            }
        };
        judgement.reasons.push(reason);
        judgement.limit = Some(SearchLimit::Objective);
    }
    for check in summary.validity.iter().filter(|check| !check.ok) {
        judgement
            .reasons
            .push(format!("{}: {}", check.check, check.detail));
        if check.check == CheckName::Generator {
            judgement.limit = Some(SearchLimit::Generator);
        }
        judgement.limit.get_or_insert(SearchLimit::Check);
    }
    let could_be_overload = counts.failed.keys().any(|cause| is_overload(cause));
    if counts.ok == 0 && counts.failed_total() > 0 && !could_be_overload {
        judgement.reasons = vec![format!("not one request succeeded ({})", counts.failures())];
        judgement.limit = Some(SearchLimit::NothingSucceeded);
    }
    judgement
}

/// Whether a lower rate may remove this cause of failures. A server that refuses connections, or serves another page,
/// does so at any rate.
fn is_overload(cause: &str) -> bool {
    let by_name = ["timeout", "reset", "closed_early", "status_429"];
    by_name.contains(&cause) || cause.starts_with("status_5") || cause.starts_with("local_")
}

/// What is known of a search: the highest rate that held, the lowest that did not, and how they were found.
#[derive(Debug)]
struct Bracket {
    first: f64,
    held: Option<f64>,
    failed: Option<(f64, StepJudgement)>,
    steps: Vec<SearchStep>,
}

impl Bracket {
    fn new(first: f64) -> Self {
        Self {
            first,
            held: None,
            failed: None,
            steps: Vec::new(),
        }
    }

    /// Next rate to measure; `None` if the search is over.
    fn next(&self) -> Option<f64> {
        if self.steps.len() >= STEPS_MAX {
            return None;
        }
        match (self.held, &self.failed) {
            (None, None) => Some(self.first),
            (Some(held), None) => (held < MAX_RATE).then(|| (held * 2.0).min(MAX_RATE)),
            // Another rate would fail in the same way.
            (_, Some((_, judgement))) if judgement.limit == Some(SearchLimit::NothingSucceeded) => {
                None
            }
            // A lower rate would give an even smaller sample.
            (None, Some((_, judgement))) if judgement.too_small => None,
            (None, Some((failed, _))) => Some(failed / 2.0).filter(|rate| *rate >= RATE_MIN),
            (Some(held), Some((failed, _))) => {
                (failed / held > RESOLUTION).then(|| readable(f64::midpoint(held, *failed)))
            }
        }
    }

    /// Records the judgement of a rate.
    fn enter(&mut self, rate_per_s: f64, judgement: StepJudgement) {
        let met = judgement.limit.is_none();
        self.steps.push(SearchStep {
            rate_per_s,
            met,
            reasons: judgement.reasons.clone(),
        });
        if met {
            self.held = Some(rate_per_s);
        } else {
            self.failed = Some((rate_per_s, judgement));
        }
    }

    /// Whether the search ended because a load was too small to tell.
    fn too_small(&self) -> bool {
        self.failed
            .as_ref()
            .is_some_and(|(_, judgement)| judgement.too_small)
    }

    /// The result, including its sentence for people.
    fn conclude(&self, objectives: &[Condition], interrupted: bool) -> Search {
        let objectives: Vec<String> = objectives.iter().map(Condition::to_string).collect();
        let asked = objectives.join(", ");
        let limit = match &self.failed {
            _ if interrupted => SearchLimit::Interrupted,
            None => SearchLimit::Bounds,
            Some((_, judgement)) => judgement.limit.unwrap_or(SearchLimit::Bounds),
        };
        let found = match self.held {
            Some(held) => format!("{held}/s is the highest rate that was measured to hold {asked}"),
            None => format!("No rate was measured to hold {asked}"),
        };
        let bound = match (limit, &self.failed) {
            (SearchLimit::Interrupted, _) => "; the search was interrupted.".to_owned(),
            (_, None) => "; none that was tried failed.".to_owned(),
            (SearchLimit::Generator, Some((failed, _))) => {
                format!("; at {failed}/s the generator, not the server, was the limit.")
            }
            (SearchLimit::NothingSucceeded, Some((failed, judgement))) => {
                format!("; at {failed}/s {}.", judgement.reasons.join("; "))
            }
            (_, Some((failed, judgement))) if judgement.too_small => format!(
                "; {failed}/s was too small a sample to tell: use a longer --duration, or a higher --rate."
            ),
            (_, Some((failed, judgement))) => {
                format!("; {failed}/s did not: {}.", judgement.reasons.join("; "))
            }
        };
        Search {
            objectives,
            highest_rate_per_s: self.held,
            limit,
            conclusion: found + &bound,
            steps: self.steps.clone(),
        }
    }
}

/// A rate rounded to three digits: the rounding is far below the resolution of a search.
#[allow(clippy::cast_possible_truncation)] // a logarithm
fn readable(rate: f64) -> f64 {
    let digit = 10_f64.powi(rate.log10().floor() as i32 - 2);
    if digit >= 1.0 {
        (rate / digit).round() * digit
    } else {
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judgement(limit: Option<SearchLimit>) -> StepJudgement {
        StepJudgement {
            reasons: limit.iter().map(|limit| format!("{limit:?}")).collect(),
            limit,
            too_small: false,
        }
    }

    /// Searches a server that holds exactly up to `capacity`, and fails beyond it for `limit`.
    fn search(first: f64, capacity: f64, limit: SearchLimit) -> (Search, usize) {
        let mut bracket = Bracket::new(first);
        while let Some(rate) = bracket.next() {
            bracket.enter(rate, judgement((rate > capacity).then_some(limit)));
        }
        (bracket.conclude(&[], false), bracket.steps.len())
    }

    #[test]
    fn finds_the_capacity_to_5_percent_from_below_and_above() {
        for first in [1.0, 100.0, 1000.0, 50_000.0, 1_000_000.0] {
            for capacity in [3.7, 730.0, 1000.0, 41_234.0, 400_000.0] {
                let (found, steps) = search(first, capacity, SearchLimit::Objective);
                let rate = found.highest_rate_per_s.unwrap();
                assert!(steps <= STEPS_MAX);
                assert!(
                    rate <= capacity && rate * RESOLUTION >= capacity,
                    "{found:?}"
                );
                assert!(
                    found
                        .steps
                        .iter()
                        .any(|step| step.met && step.rate_per_s == rate)
                );
            }
        }
    }

    #[test]
    fn says_that_the_generator_was_the_limit() {
        let (found, _) = search(1000.0, 5000.0, SearchLimit::Generator);
        assert_eq!(found.limit, SearchLimit::Generator);
        assert!(
            found
                .conclusion
                .contains("the generator, not the server, was the limit"),
            "{}",
            found.conclusion
        );
    }

    #[test]
    fn gives_up_where_nothing_holds() {
        let (found, steps) = search(1000.0, 0.0, SearchLimit::Objective);
        assert_eq!(found.highest_rate_per_s, None);
        assert!(steps <= 10);
        assert!(found.conclusion.starts_with("No rate was measured to hold"));
        assert_eq!(exit_code(&found, false), EXIT_BROKEN);
    }

    #[test]
    fn a_server_that_answers_nothing_is_not_asked_again() {
        let (found, steps) = search(1000.0, 0.0, SearchLimit::NothingSucceeded);
        assert_eq!((steps, found.highest_rate_per_s), (1, None));
        assert_eq!(exit_code(&found, false), EXIT_ERROR);
    }

    #[test]
    fn ends_where_there_is_no_faster_rate() {
        let (found, _) = search(1_000_000.0, f64::INFINITY, SearchLimit::Objective);
        assert_eq!(found.highest_rate_per_s, Some(MAX_RATE));
        assert_eq!(found.limit, SearchLimit::Bounds);
    }

    #[test]
    fn a_load_too_small_to_tell_is_not_followed_by_smaller_ones() {
        let mut bracket = Bracket::new(100.0);
        bracket.enter(
            100.0,
            StepJudgement {
                too_small: true,
                ..judgement(Some(SearchLimit::Objective))
            },
        );
        assert_eq!(bracket.next(), None);
        let found = bracket.conclude(&[], false);
        assert!(found.conclusion.contains("too small a sample"), "{found:?}");
        assert_eq!(exit_code(&found, bracket.too_small()), EXIT_INVALID);
    }
}
