//! What makes a result an error: gates, and checks under `--strict`.

use clap::Args;
use hola_base::output::say;

use super::exit::{EXIT_BROKEN, EXIT_ERROR, EXIT_INVALID, interrupt_code};
use crate::condition::{Condition, ConditionResult};
use crate::summary::Summary;
use crate::text;
use crate::text::report;

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
}

impl GateArgs {
    /// Whether a result can be an error.
    pub(super) fn are_given(&self) -> bool {
        !self.fail_if.is_empty() || self.strict
    }

    /// Tests the results, reports what is wrong on standard error, with the name of the load if `is_series`, and returns
    /// the exit code.
    pub(super) fn code(&self, levels: &[Summary], is_series: bool, is_interrupted: bool) -> u8 {
        let label = |summary: &Summary| match is_series {
            true => format!("{}: ", report::level(summary)),
            false => String::new(),
        };
        let gates = levels
            .iter()
            .map(|summary| self.broken_code(summary, &label(summary)))
            .max()
            .unwrap_or(0);
        if is_interrupted {
            return interrupt_code();
        }
        if let Some(dead) = levels.iter().find(|summary| summary.counts.ok == 0) {
            let nothing = text::conclusion::nothing_measured(dead);
            let reason = nothing.unwrap_or_else(|| "not one request succeeded".to_owned());
            say(format_args!("error: {}{reason}", label(dead)));
            return EXIT_ERROR;
        }
        match gates {
            0 if self.strict && !levels.iter().all(Summary::is_valid) => EXIT_INVALID,
            code => code,
        }
    }

    /// Tests `summary` against the gates, and reports those that do not hold; `label` names the load.
    fn broken_code(&self, summary: &Summary, label: &str) -> u8 {
        let mut code = 0;
        for gate in &self.fail_if {
            let (code_of_gate, reason) = match gate.holds(summary) {
                ConditionResult::Fails(_) => continue,
                ConditionResult::Holds(figure) => {
                    (EXIT_BROKEN, format!("gate broken: {label}{gate}: {figure}"))
                }
                ConditionResult::Undecided(figure) => (
                    EXIT_BROKEN,
                    format!("gate broken: {label}{gate} cannot be ruled out: {figure}"),
                ),
                ConditionResult::Unsupported(figure) => (
                    EXIT_INVALID,
                    format!("gate not decided: {label}{gate}: {figure}"),
                ),
            };
            say(reason);
            code = code.max(code_of_gate);
        }
        code
    }
}
