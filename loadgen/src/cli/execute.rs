//! Runs the loads, writes the result, and determines the exit code.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;

use clap::Command;
use hola_base::output::{print, say};

use super::exit::{EXIT_BROKEN, EXIT_ERROR, EXIT_INVALID, LoadFailure, interrupt_code};
use super::gates::{TestedLoads, junit};
use super::outputs::Outputs;
use super::plan_file::plan_text;
use super::rank_run::run_rank;
use super::search::{Bracket, require_server};
use super::watch::{measure, note_interrupts};
use super::{Format, LoadArgs, plan};
use crate::measurement::Measurement;
use crate::summary::{Levels, Line, Search, SearchLimit};
use crate::target::ServerAddress;
use crate::text;
use crate::text::report::{self, Layout};
use crate::workload::{Pace, Workload};

/// Runs the loads that `args` asks for, writes the result, and returns the exit code; `server` is the address and the
/// model of the server, if the caller started it.
///
/// SIGINT or SIGTERM ends a load early, and the result so far is still written; of several loads, the finished ones.
pub fn run(args: &LoadArgs, server: Option<(SocketAddr, &str)>) -> ExitCode {
    let (address, model) = server.unzip();
    let loads = plan::loads(args, address).map_err(LoadFailure::usage);
    let code = loads.and_then(|loads| {
        check_certificate(&loads[0])?;
        match args.ranks.run() {
            Some((run_id, start_at)) => run_rank(args, &loads[0], (&run_id, start_at)),
            None => try_run(args, &loads, model),
        }
    });
    ExitCode::from(code.unwrap_or_else(LoadFailure::report))
}

/// Prints the plan that means the same as these arguments of a command, and returns the exit code.
pub fn print_plan(command: &Command, arguments: &[OsString]) -> ExitCode {
    let text = plan_text(command, arguments).map_err(LoadFailure::usage);
    let printed = text.and_then(|text| match print(&text) {
        Ok(_) => Ok(0),
        Err(error) => Err(LoadFailure::from(format!("{error:#}"))),
    });
    ExitCode::from(printed.unwrap_or_else(LoadFailure::report))
}

/// Says why the arguments cannot be used, and returns the exit code.
pub fn refuse(reason: String) -> ExitCode {
    ExitCode::from(LoadFailure::usage(reason).report())
}

fn try_run(args: &LoadArgs, loads: &[Workload], model: Option<&str>) -> Result<u8, LoadFailure> {
    let mut outputs = Outputs::new(args)?;
    note_interrupts()?;
    let mut bracket = match loads[0].pace {
        Pace::Open { rate_per_s, .. } if args.find_max => Some(Bracket::new(rate_per_s)),
        _ => None,
    };
    if bracket.is_some() {
        require_server(&loads[0])?;
    }
    let is_series = bracket.is_some() || loads.len() > 1;
    let (mut levels, mut only) = (Vec::new(), None);
    let mut is_interrupted = false;
    while !is_interrupted && let Some(load) = next(loads, levels.len(), bracket.as_ref()) {
        let measurement = measure(&load, args, &mut outputs)?.map(Measurement::new);
        is_interrupted = measurement.as_ref().is_none_or(|made| made.interrupted);
        // Of several loads, only those that were finished are comparable.
        let Some(mut measurement) = measurement.filter(|_| !(is_series && is_interrupted)) else {
            break;
        };
        measurement.summary.model = model.map(str::to_owned);
        let summary = measurement.summary.clone();
        if is_series {
            let (step, line) = (levels.len() + 1, report::line(&summary));
            match &mut bracket {
                None => say(format_args!("[{step}/{}] {line}", loads.len())),
                Some(bracket) => {
                    let judgement = bracket.judge(&summary, &args.slo);
                    say(format_args!("[{step}] {line}: {judgement}"));
                }
            }
            if args.format == Format::Ndjson {
                outputs.write(&text::json_line(&Line::Summary(Box::new(summary.clone())))?)?;
            }
        } else {
            outputs.write_hgrm(&text::hdr::percentiles(&measurement.histograms.response));
            only = Some(measurement);
        }
        levels.push(summary);
    }
    let is_too_small = bracket.as_ref().is_some_and(Bracket::is_too_small);
    let search = bracket.map(|bracket| bracket.conclude(&args.slo, is_interrupted));
    let result = Levels::new(levels, search);
    if is_series || only.is_some() {
        outputs.write(&rendered(args.format, only.as_ref(), &result)?)?;
    }
    let code = match &result.search {
        Some(search) => search_code(search, is_too_small),
        None => {
            let tested = TestedLoads::new(&args.gates, &result.levels, is_series);
            let url = result.levels.first().map_or("", |load| &load.url);
            outputs.write_junit(&junit(url, tested.cases()));
            tested.code(is_interrupted)
        }
    };
    Ok(match code {
        0 if outputs.has_failed() => EXIT_ERROR,
        code => code,
    })
}

/// Refuses a server whose certificate or TLS is not acceptable: the load would count that and not say why. A server that
/// takes no connection is loaded all the same.
fn check_certificate(load: &Workload) -> Result<(), String> {
    let (Some(tls), ServerAddress::Tcp(address)) = (&load.tls, &load.target) else {
        return Ok(());
    };
    let stream = TcpStream::connect_timeout(address, load.timeout)
        .and_then(|stream| stream.set_read_timeout(Some(load.timeout)).map(|()| stream));
    match stream.and_then(|stream| tls.check(stream)) {
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            Err(format!("{}: {error}", load.url()))
        }
        _ => Ok(()),
    }
}

/// The load after the first `done`; `None` if there is no other.
fn next(loads: &[Workload], done: usize, bracket: Option<&Bracket>) -> Option<Workload> {
    let Some(bracket) = bracket else {
        return loads.get(done).cloned();
    };
    let next = bracket.next()?;
    let mut load = loads[0].clone();
    if let Pace::Open { rate_per_s, .. } = &mut load.pace {
        *rate_per_s = next;
    }
    Some(load)
}

/// The result: the only load, or all of several. In NDJSON each of several has had its line already.
pub(super) fn rendered(
    format: Format,
    only: Option<&Measurement>,
    result: &Levels,
) -> Result<String, String> {
    let page = |layout| match only {
        Some(measurement) => report::one_load(measurement, layout),
        None => report::several_loads(result, layout),
    };
    match (format, only) {
        (Format::Text, _) => Ok(page(Layout::Text)),
        (Format::Markdown, _) => Ok(page(Layout::Markdown)),
        (Format::Csv, _) => Ok(text::csv::table(&result.levels)),
        (Format::Openmetrics, _) => Ok(text::openmetrics::exposition(result)),
        (Format::Json, Some(measurement)) => text::json_object(&measurement.summary),
        (Format::Json, None) => text::json_object(result),
        (Format::Ndjson, Some(measurement)) => {
            text::json_line(&Line::Summary(Box::new(measurement.summary.clone())))
        }
        (Format::Ndjson, None) => match &result.search {
            Some(search) => text::json_line(&Line::Search(search.clone())),
            None => Ok(String::new()),
        },
    }
}

fn search_code(search: &Search, is_too_small: bool) -> u8 {
    match (search.limit, search.highest_rate_per_s) {
        (SearchLimit::Interrupted, _) => interrupt_code(),
        (_, Some(_)) => 0,
        (SearchLimit::NothingSucceeded, None) => EXIT_ERROR,
        (SearchLimit::Generator, None) => EXIT_INVALID,
        (_, None) if is_too_small => EXIT_INVALID,
        (_, None) => EXIT_BROKEN,
    }
}
