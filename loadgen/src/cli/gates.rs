//! What makes a result an error: gates, and checks under `--strict`; for people, for the exit code, and as JUnit XML.

use std::path::PathBuf;

use clap::Args;
use hola_base::junit::{JunitCase, JunitResult, JunitSuite};
use hola_base::output::say;

use super::exit::{EXIT_BROKEN, EXIT_ERROR, EXIT_INVALID, interrupt_code};
use crate::condition::{Condition, ConditionResult};
use crate::summary::{Check, Summary};
use crate::text::{conclusion, report};

/// Arguments that make a result an error.
#[derive(Args, Clone, Debug)]
pub(super) struct GateArgs {
    /// Exit with 99 when this holds, such as p99>10ms, service.p99.9>1s, max>2s, failed>0.1%, failed>5 or rate<1000
    /// (good per second); may be repeated. What cannot be told because failures reach into a percentile breaks the
    /// gate; what the sample cannot support exits with 4
    #[arg(long, value_name = "CONDITION")]
    fail_if: Vec<Condition>,
    /// Exit with code 4 when a check of the measurement fails; without this, the result says so and nothing else
    #[arg(long)]
    strict: bool,
    /// Write what became of each --fail-if, and with --strict of each check, to this new file, device or pipe, as the JUnit
    /// XML that services for continuous integration show
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
}

impl GateArgs {
    /// Why a test report needs a gate.
    pub(super) const NOTHING_TESTED: &str =
        "--junit tells what became of gates: give a --fail-if, or --strict";

    /// Whether a test report is asked for, and there is nothing to report.
    pub(super) fn test_nothing(&self) -> bool {
        self.junit.is_some() && !self.are_given()
    }

    /// Whether a result can be an error.
    pub(super) fn are_given(&self) -> bool {
        !self.fail_if.is_empty() || self.strict
    }
}

/// Finished loads, with every gate tested on each.
pub(super) struct TestedLoads<'a> {
    loads: &'a [Summary],
    gates: Vec<TestedGate<'a>>,
    /// Whether a failed check is an error.
    is_strict: bool,
    is_series: bool,
}

/// A gate, tested on one load.
struct TestedGate<'a> {
    gate: &'a Condition,
    /// Name of the load; empty for the only one.
    label: String,
    result: ConditionResult,
}

impl<'a> TestedLoads<'a> {
    /// Tests the gates of `args`; `is_series` says that there may be several loads.
    pub(super) fn new(args: &'a GateArgs, loads: &'a [Summary], is_series: bool) -> Self {
        let on_load = |load| {
            args.fail_if.iter().map(move |gate| TestedGate {
                gate,
                label: label(load, is_series),
                result: gate.holds(load),
            })
        };
        Self {
            loads,
            gates: loads.iter().flat_map(on_load).collect(),
            is_strict: args.strict,
            is_series,
        }
    }

    /// Reports the gates that do not pass on standard error, and returns the exit code for them.
    fn report_gates(&self) -> u8 {
        let mut code = 0;
        for (code_of_gate, reason) in self.gates.iter().filter_map(TestedGate::failure) {
            say(reason);
            code = code.max(code_of_gate);
        }
        code
    }

    /// Reports on standard error the gates that do not pass, and a load in which nothing succeeded, and returns the exit
    /// code.
    pub(super) fn code(&self, is_interrupted: bool) -> u8 {
        let of_gates = self.report_gates();
        if is_interrupted {
            return interrupt_code();
        }
        if let Some(dead) = self.loads.iter().find(|load| load.counts.ok == 0) {
            let reason = conclusion::nothing_measured(dead)
                .unwrap_or_else(|| "not one request succeeded".to_owned());
            say(format_args!(
                "error: {}{reason}",
                label(dead, self.is_series)
            ));
            return EXIT_ERROR;
        }
        match of_gates {
            0 if self.is_strict && !self.loads.iter().all(Summary::is_valid) => EXIT_INVALID,
            code => code,
        }
    }

    /// A test case for each gate, for each load's having any right answer and, where a failed check is an error, for each
    /// check.
    pub(super) fn cases(&self) -> Vec<JunitCase> {
        let mut cases = Vec::new();
        for load in self.loads {
            let label = label(load, self.is_series);
            cases.push(answer_case(load, &label));
            if self.is_strict {
                let checks = load.validity.iter();
                cases.extend(checks.map(|check| check_case(check, &label)));
            }
        }
        cases.extend(self.gates.iter().map(TestedGate::case));
        cases
    }
}

/// The test report of loads of `target`.
pub(super) fn junit(target: &str, cases: Vec<JunitCase>) -> String {
    let name = format!("hola load: {target}");
    JunitSuite { name, cases }.xml()
}

/// The test case that every rank of a load has a whole result: passed with their number, or failed by these problems.
pub(super) fn ranks_case(ranks: u32, problems: Vec<String>) -> JunitCase {
    JunitCase {
        class: "hola.load.ranks",
        name: "every rank has a whole result".to_owned(),
        result: match problems.is_empty() {
            true => JunitResult::Passed(format!("{ranks} ranks")),
            false => JunitResult::Failed {
                expected: "a whole result of each rank of one load".to_owned(),
                seen: problems,
            },
        },
    }
}

/// Name of a load before what is said of it; of the only one, nothing.
fn label(load: &Summary, is_series: bool) -> String {
    match is_series {
        true => format!("{}: ", report::level(load)),
        false => String::new(),
    }
}

impl TestedGate<'_> {
    /// Exit code and message of a gate that does not pass.
    fn failure(&self) -> Option<(u8, String)> {
        let Self {
            gate,
            label,
            result,
        } = self;
        match result {
            ConditionResult::Fails(_) => None,
            ConditionResult::Holds(figure) => {
                Some((EXIT_BROKEN, format!("gate broken: {label}{gate}: {figure}")))
            }
            ConditionResult::Undecided(figure) => Some((
                EXIT_BROKEN,
                format!("gate broken: {label}{gate} cannot be ruled out: {figure}"),
            )),
            ConditionResult::Unsupported(figure) => Some((
                EXIT_INVALID,
                format!("gate not decided: {label}{gate}: {figure}"),
            )),
        }
    }

    fn case(&self) -> JunitCase {
        let result = match (&self.result, self.failure()) {
            (_, Some((_, reason))) => JunitResult::Failed {
                expected: format!("{} does not hold", self.gate),
                seen: vec![reason],
            },
            (
                ConditionResult::Fails(figure)
                | ConditionResult::Holds(figure)
                | ConditionResult::Undecided(figure)
                | ConditionResult::Unsupported(figure),
                None,
            ) => JunitResult::Passed(figure.clone()),
        };
        JunitCase {
            class: "hola.load.gate",
            name: format!("{}{}", self.label, self.gate),
            result,
        }
    }
}

fn answer_case(load: &Summary, label: &str) -> JunitCase {
    let seen = format!("{} of {} requests", load.counts.ok, load.counts.planned);
    JunitCase {
        class: "hola.load.answer",
        name: format!("{label}a request succeeds"),
        result: match load.counts.ok {
            0 => JunitResult::Failed {
                expected: "at least one request succeeds".to_owned(),
                seen: vec![seen, load.counts.failures()],
            },
            _ => JunitResult::Passed(seen),
        },
    }
}

fn check_case(check: &Check, label: &str) -> JunitCase {
    let seen = check.detail.clone();
    JunitCase {
        class: "hola.load.check",
        name: format!("{label}{}", check.check),
        result: match check.ok {
            true => JunitResult::Passed(seen),
            false => JunitResult::Failed {
                expected: check.check.asks().to_owned(),
                seen: vec![seen],
            },
        },
    }
}
