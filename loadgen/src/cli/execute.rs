//! Runs a task and determines the exit code.

use std::process::ExitCode;

use hdrhistogram::serialization::V2DeflateSerializer;
use hola_base::output::say;

use super::histogram_log::{self, HistogramLog};
use super::outputs::Outputs;
use super::watch::Watch;
use super::{Format, LoadTask, Output, UsageError, levels, search};
use crate::condition::{Condition, ConditionResult};
use crate::engine::{LoadError, run};
use crate::measurement::Measurement;
use crate::summary::{Line, Summary};
use crate::workload::Workload;
use crate::{sys, text};

/// Exit code of a run that failed or in which nothing succeeded.
pub(super) const EXIT_ERROR: u8 = 1;
/// Exit code of arguments that make no sense.
pub(super) const EXIT_USAGE: u8 = 2;
/// Exit code of a measurement with a failed check, if that is an error, or of one too small for a gate.
pub(super) const EXIT_INVALID: u8 = 4;
/// Exit code of a broken gate, or of objectives that no rate met.
pub(super) const EXIT_BROKEN: u8 = 99;
/// Exit code of a run ended by SIGINT; where the signal is known, its own code is used.
const EXIT_INTERRUPTED: u8 = 130;

/// Exit code of a run that was ended early: 130 by SIGINT, 143 by SIGTERM.
pub(super) fn interrupted_code() -> u8 {
    sys::interrupted().unwrap_or(EXIT_INTERRUPTED)
}

/// Runs `task`, writes the result, and returns the exit code; `model` names the server if the caller started it.
///
/// SIGINT or SIGTERM ends a load early, and the result so far is still written; of several loads, the finished ones.
pub fn execute(task: &LoadTask, output: &Output, model: Option<String>) -> ExitCode {
    match try_execute(task, output, model) {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            say(format_args!("error: {message}"));
            ExitCode::from(EXIT_ERROR)
        }
    }
}

/// Prints why the arguments are refused.
pub fn refuse(error: &UsageError) -> ExitCode {
    say(format_args!("error: {error}"));
    ExitCode::from(EXIT_USAGE)
}

fn try_execute(task: &LoadTask, output: &Output, model: Option<String>) -> Result<u8, String> {
    let outputs = Outputs::new(output)?;
    sys::note_interrupts()
        .map_err(|error| format!("cannot watch for SIGINT and SIGTERM: {error}"))?;
    let session = Session {
        output,
        outputs,
        model,
    };
    let code = match task {
        LoadTask::One(workload) => one(workload, &session),
        LoadTask::Levels(workloads) => levels::run(workloads, &session),
        LoadTask::FindMax {
            workload,
            objectives,
        } => search::run(workload, objectives, &session),
    }?;
    Ok(match code {
        // A reader that closes the pipe has read enough.
        EXIT_INTERRUPTED if session.is_unread() && sys::interrupted().is_none() => 0,
        0 if session.outputs.failed() => EXIT_ERROR,
        code => code,
    })
}

/// What all loads of a task have in common.
pub(super) struct Session<'a> {
    pub(super) output: &'a Output,
    pub(super) outputs: Outputs,
    model: Option<String>,
}

impl Session<'_> {
    /// Whether the result is only for standard output, and its reader is gone.
    fn is_unread(&self) -> bool {
        self.outputs.reader_has_gone() && self.output.is_for_stdout_alone()
    }

    /// Runs one load; `None` if it ended before its window, or if the result has no reader any more.
    pub(super) fn measure(&self, workload: &Workload) -> Result<Option<Measurement>, String> {
        if self.is_unread() {
            return Ok(None);
        }
        let mut serializer = V2DeflateSerializer::new();
        let mut log = self.outputs.hlog();
        let log = log
            .as_deref_mut()
            .map(|file| HistogramLog::new(file, &mut serializer, &workload.url()));
        let watch = Watch::new(workload, self.output, &self.outputs, log);
        let result = run(workload, &watch);
        let watched = watch.close();
        let mut measurement = match result {
            Ok(measurement) => measurement,
            Err(error @ LoadError::StoppedInWarmup) => {
                watched?;
                say(error);
                return Ok(None);
            }
            Err(error) => return Err(error.to_string()),
        };
        watched?;
        measurement.summary.model.clone_from(&self.model);
        Ok(Some(measurement))
    }
}

fn one(workload: &Workload, session: &Session) -> Result<u8, String> {
    let Some(measurement) = session.measure(workload)? else {
        return Ok(interrupted_code());
    };
    let summary = &measurement.summary;
    let written = session
        .outputs
        .write(&render(&measurement, session.output.format)?);
    let percentiles = histogram_log::percentiles(&measurement.histograms.response);
    session.outputs.write_hgrm(&percentiles);
    written?;
    let gates = judge(&session.output.fail_if, summary, "");
    Ok(verdict(&measurement, &gates, session.output.strict))
}

fn verdict(measurement: &Measurement, gates: &Gates, strict: bool) -> u8 {
    if measurement.interrupted {
        return interrupted_code();
    }
    if measurement.summary.counts.ok == 0 {
        let nothing = text::conclusion::nothing_measured(&measurement.summary);
        let reason = nothing.unwrap_or_else(|| "not one request succeeded".to_owned());
        say(format_args!("error: {reason}"));
        return EXIT_ERROR;
    }
    match gates.exit_code() {
        0 if strict && !measurement.summary.is_valid() => EXIT_INVALID,
        code => code,
    }
}

/// Number of broken gates, and of gates for which the sample was too small.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gates {
    broken: usize,
    unsupported: usize,
}

impl Gates {
    /// Zero if every gate is decided and not broken. A broken gate takes precedence over an undecided one.
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self { broken: 1.., .. } => EXIT_BROKEN,
            Self {
                unsupported: 1.., ..
            } => EXIT_INVALID,
            _ => 0,
        }
    }

    /// Adds the gates of another load.
    pub(super) fn add(&mut self, other: Self) {
        self.broken += other.broken;
        self.unsupported += other.unsupported;
    }
}

/// Tests `summary` against the gates, and reports broken ones on standard error; `level` names the load.
pub(super) fn judge(fail_if: &[Condition], summary: &Summary, level: &str) -> Gates {
    let mut gates = Gates::default();
    for gate in fail_if {
        match gate.holds(summary) {
            ConditionResult::Fails(_) => {}
            ConditionResult::Holds(figure) => {
                gates.broken += 1;
                say(format_args!("gate broken: {level}{gate}: {figure}"));
            }
            ConditionResult::Undecided(figure) => {
                gates.broken += 1;
                say(format_args!(
                    "gate broken: {level}{gate} cannot be ruled out: {figure}"
                ));
            }
            ConditionResult::Unsupported(figure) => {
                gates.unsupported += 1;
                say(format_args!("gate not decided: {level}{gate}: {figure}"));
            }
        }
    }
    gates
}

fn render(measurement: &Measurement, format: Format) -> Result<String, String> {
    let summary = &measurement.summary;
    match format {
        Format::Text => Ok(text::page(measurement)),
        Format::Csv => Ok(text::csv::table([summary])),
        Format::Markdown => Ok(text::markdown::report(measurement)),
        Format::Json => object(summary),
        Format::Ndjson => line(&Line::Summary(Box::new(summary.clone()))),
    }
}

/// A value as an indented JSON object.
pub(super) fn object(value: &impl serde::Serialize) -> Result<String, String> {
    serde_json::to_string_pretty(value)
        .map(|json| json + "\n")
        .map_err(|error| format!("cannot encode the result: {error}"))
}

/// A value as a line of NDJSON.
pub(super) fn line(line: &Line) -> Result<String, String> {
    serde_json::to_string(line)
        .map(|json| json + "\n")
        .map_err(|error| format!("cannot encode the result: {error}"))
}
