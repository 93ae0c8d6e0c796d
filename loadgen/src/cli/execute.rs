//! Runs a task and determines the exit code.

use std::process::ExitCode;

use hola_base::output::say;

use super::outputs::Outputs;
use super::session::{
    EXIT_ERROR, EXIT_INTERRUPTED, EXIT_INVALID, EXIT_USAGE, Gates, Session, interrupted_code, judge,
};
use super::{Format, LoadTask, Output, UsageError, histogram_log, levels, search};
use crate::measurement::Measurement;
use crate::summary::Line;
use crate::workload::Workload;
use crate::{sys, text};

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

fn render(measurement: &Measurement, format: Format) -> Result<String, String> {
    let summary = &measurement.summary;
    match format {
        Format::Text => Ok(text::page(measurement)),
        Format::Csv => Ok(text::csv::table([summary])),
        Format::Markdown => Ok(text::markdown::report(measurement)),
        Format::Json => text::json::object(summary),
        Format::Ndjson => text::json::line(&Line::Summary(Box::new(summary.clone()))),
    }
}
