//! Every trial as a row of CSV (RFC 4180), figures in full precision: for a reader with tools of their own.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::cells::{self, Reason};
use crate::analysis::metric::Metric;
use crate::lab::record::{Arm, Measured, Outcome, Run, Trial};
use crate::visible;
use hola_loadgen::summary::Counts;

/// Columns before the metrics'.
const PLACE: [&str; 10] = [
    "run",
    "experiment",
    "model",
    "arm",
    "level",
    "round",
    "position",
    "started_at",
    "status",
    "reasons",
];

/// Columns after the metrics'.
const DETAIL: [&str; 8] = [
    "cpu_user_us",
    "cpu_system_us",
    "requests",
    "ok",
    "failed",
    "listen_overflows",
    "listen_drops",
    "syn_retransmissions",
];

/// A header and a row per trial, in the order given; a figure that a trial has not is empty.
///
/// `status` is `valid`, `generator_bound` (costs count, rate and response times do not), `invalid` (a check failed; `reasons` names them) or `failed` (`reasons` says why).
pub(super) fn rows(run: &Run, trials: &[Trial]) -> String {
    let figures = figures(trials);
    let header = PLACE
        .into_iter()
        .chain(Metric::ALL.map(Metric::name))
        .chain(figures.iter().copied())
        .chain(DETAIL);
    let mut text = line(header.map(str::to_owned));
    for trial in trials {
        text.push_str(&line(fields(run, trial, &figures)));
    }
    text
}

/// Names of the figures that any trial has of its own.
fn figures(trials: &[Trial]) -> BTreeSet<&str> {
    let all = trials.iter().filter_map(|trial| match &trial.outcome {
        Outcome::Measured(measured) => Some(&measured.figures),
        Outcome::Failed(_) => None,
    });
    all.flat_map(BTreeMap::keys).map(String::as_str).collect()
}

fn fields(run: &Run, trial: &Trial, figures: &BTreeSet<&str>) -> Vec<String> {
    let design = run
        .experiments
        .iter()
        .find(|design| design.experiment == trial.experiment);
    let tolerated = design.map_or(&[][..], |design| &design.tolerates);
    let (status, reasons, measured) = match &trial.outcome {
        Outcome::Failed(why) => ("failed", why.clone(), None),
        Outcome::Measured(measured) => match cells::objection(measured, tolerated) {
            None => ("valid", String::new(), Some(measured)),
            Some(reason @ Reason::GeneratorBound) => {
                ("generator_bound", names(&reason), Some(measured))
            }
            Some(reason) => ("invalid", names(&reason), Some(measured)),
        },
    };
    let mut fields = vec![
        run.name.clone(),
        trial.experiment.clone(),
        trial.model.clone(),
        match trial.arm {
            Arm::Model => "model",
            Arm::Again => "again",
        }
        .to_owned(),
        trial.level.clone(),
        trial.round.to_string(),
        trial.position.to_string(),
        trial.started_at.clone(),
        status.to_owned(),
        reasons,
    ];
    let common = Metric::ALL.map(|metric| measured.and_then(|measured| metric.of(measured)));
    let own = figures
        .iter()
        .map(|&name| measured.and_then(|measured| measured.figures.get(name).copied()));
    fields.extend(
        common
            .into_iter()
            .chain(own)
            .map(|value| value.map_or_else(String::new, |value| value.to_string())),
    );
    match measured {
        Some(measured) => fields.extend(
            detail(measured).map(|count| count.map_or_else(String::new, |count| count.to_string())),
        ),
        None => fields.extend(DETAIL.map(|_| String::new())),
    }
    fields
}

fn names(reason: &Reason<'_>) -> String {
    match reason {
        Reason::FailedChecks(checks) => {
            let names: Vec<&str> = checks.iter().map(|(check, _)| *check).collect();
            names.join(" ")
        }
        Reason::Failed(why) => (*why).to_owned(),
        Reason::GeneratorBound => "generator".to_owned(),
        Reason::NothingAnswered => "nothing_answered".to_owned(),
        Reason::NotPlanned => "not_planned".to_owned(),
    }
}

fn detail(measured: &Measured) -> [Option<u64>; DETAIL.len()] {
    let server = measured.server.as_ref();
    let counts = measured.load.as_ref().map(|load| &load.counts);
    [
        server.map(|server| server.cpu_user_us),
        server.map(|server| server.cpu_system_us),
        server.map(|server| server.requests),
        counts.map(|counts| counts.ok),
        counts.map(Counts::failed_total),
        Some(measured.kernel.listen_overflows),
        Some(measured.kernel.listen_drops),
        Some(measured.kernel.syn_retransmissions),
    ]
}

/// A row of CSV (RFC 4180), quoted where it has to be.
pub(super) fn line(fields: impl IntoIterator<Item = String>) -> String {
    let quoted: Vec<String> = fields.into_iter().map(|field| quoted(&field)).collect();
    quoted.join(",") + "\n"
}

fn quoted(field: &str) -> String {
    let field = visible::lines(field);
    if field.contains(['"', ',', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.into_owned()
    }
}
