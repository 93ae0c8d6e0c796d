//! Every trial as a row of CSV (RFC 4180), figures in full precision: for a reader with tools of their own.

use crate::analysis::cells::{self, Reason};
use crate::analysis::metric::Metric;
use crate::lab::record::{Arm, Measured, Outcome, Run, Trial};

/// Columns before the metrics'.
const PLACE: [&str; 10] = [
    "run",
    "experiment",
    "model",
    "arm",
    "clients",
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
    let header = PLACE
        .into_iter()
        .chain(Metric::ALL.map(metric_name))
        .chain(DETAIL);
    let mut text = line(header.map(str::to_owned));
    for trial in trials {
        text.push_str(&line(fields(run, trial)));
    }
    text
}

fn fields(run: &Run, trial: &Trial) -> Vec<String> {
    let (status, reasons, measured) = match &trial.outcome {
        Outcome::Failed(why) => ("failed", why.clone(), None),
        Outcome::Measured(measured) => match cells::objection(measured) {
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
        trial.clients.to_string(),
        trial.round.to_string(),
        trial.position.to_string(),
        trial.started_at.clone(),
        status.to_owned(),
        reasons,
    ];
    for metric in Metric::ALL {
        let value = measured.and_then(|measured| metric.of(measured));
        fields.push(value.map_or_else(String::new, |value| value.to_string()));
    }
    match measured {
        Some(measured) => fields.extend(detail(measured).map(|count| count.to_string())),
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

fn detail(measured: &Measured) -> [u64; DETAIL.len()] {
    [
        measured.server.cpu_user_us,
        measured.server.cpu_system_us,
        measured.server.requests,
        measured.load.counts.ok,
        measured.load.counts.failed_total(),
        measured.kernel.listen_overflows,
        measured.kernel.listen_drops,
        measured.kernel.syn_retransmissions,
    ]
}

fn metric_name(metric: Metric) -> &'static str {
    match metric {
        Metric::CpuUsPerRequest => "cpu_us_per_request",
        Metric::GoodPerS => "good_per_s",
        Metric::ResponseP50Us => "response_p50_us",
        Metric::ResponseP99Us => "response_p99_us",
        Metric::PssPeakKib => "pss_peak_kib",
        Metric::SwitchesPerRequest => "switches_per_request",
        Metric::ThreadsPeak => "threads_peak",
        Metric::ProcessesPeak => "processes_peak",
    }
}

fn line(fields: impl IntoIterator<Item = String>) -> String {
    let quoted: Vec<String> = fields.into_iter().map(quoted).collect();
    quoted.join(",") + "\n"
}

fn quoted(field: String) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}
