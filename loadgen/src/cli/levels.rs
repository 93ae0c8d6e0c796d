//! Several loads on one server, one after the other.

use hola_base::output::say;

use super::Format;
use super::session::{EXIT_ERROR, EXIT_INVALID, Gates, Session, interrupted_code, judge};
use crate::measurement::Measurement;
use crate::summary::{Levels, Line, SCHEMA_VERSION, Summary};
use crate::text;
use crate::workload::Workload;

/// Runs the loads and writes one table of them; after SIGINT or SIGTERM, the finished loads are kept.
pub(super) fn run(workloads: &[Workload], session: &Session) -> Result<u8, String> {
    let mut levels = Levels {
        schema_version: SCHEMA_VERSION,
        levels: Vec::new(),
        search: None,
    };
    let mut interrupted = false;
    for (index, workload) in workloads.iter().enumerate() {
        let Some(measurement) = finished(workload, session)? else {
            interrupted = true;
            break;
        };
        say(format_args!(
            "[{}/{}] {}",
            index + 1,
            workloads.len(),
            text::levels::line(&measurement.summary)
        ));
        tell(&measurement.summary, session)?;
        levels.levels.push(measurement.summary);
    }
    write(&levels, session)?;
    let mut gates = Gates::default();
    for summary in &levels.levels {
        let level = format!("{}: ", text::levels::level(summary));
        gates.add(judge(&session.output.fail_if, summary, &level));
    }
    Ok(verdict(
        &levels.levels,
        gates,
        interrupted,
        session.output.strict,
    ))
}

/// Runs one load; `None` if a signal ended it early.
pub(super) fn finished(
    workload: &Workload,
    session: &Session,
) -> Result<Option<Measurement>, String> {
    let measurement = session.measure(workload)?;
    Ok(measurement.filter(|measurement| !measurement.interrupted))
}

/// Writes the NDJSON line of a finished load, if that is the format.
pub(super) fn tell(summary: &Summary, session: &Session) -> Result<(), String> {
    match session.output.format {
        Format::Ndjson => session
            .outputs
            .write(&text::json::line(&Line::Summary(Box::new(
                summary.clone(),
            )))?),
        _ => Ok(()),
    }
}

/// Writes the result that comes at the end of all loads.
pub(super) fn write(levels: &Levels, session: &Session) -> Result<(), String> {
    let text = match session.output.format {
        Format::Text => text::levels::page(levels),
        Format::Markdown => text::levels::report(levels),
        Format::Csv => text::csv::table(&levels.levels),
        Format::Json => text::json::object(levels)?,
        Format::Ndjson => match &levels.search {
            Some(search) => text::json::line(&Line::Search(search.clone()))?,
            None => String::new(),
        },
    };
    session.outputs.write(&text)
}

fn verdict(levels: &[Summary], gates: Gates, interrupted: bool, strict: bool) -> u8 {
    if interrupted {
        return interrupted_code();
    }
    if let Some(dead) = levels.iter().find(|summary| summary.counts.ok == 0) {
        let level = text::levels::level(dead);
        let nothing = text::conclusion::nothing_measured(dead);
        let reason = nothing.unwrap_or_else(|| "not one request succeeded".to_owned());
        say(format_args!("error: {level}: {reason}"));
        return EXIT_ERROR;
    }
    match gates.exit_code() {
        0 if strict && !levels.iter().all(Summary::is_valid) => EXIT_INVALID,
        code => code,
    }
}
