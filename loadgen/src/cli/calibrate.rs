//! `hola calibrate`, and how every other command finds what it stored.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::execute::{EXIT_ERROR, EXIT_USAGE, interrupted_code};
use crate::calibrate::store::{self, Stored};
use crate::calibrate::{CalibrateError, Calibration, Protocol, Reuse, Step, calibrate, page};
use crate::engine::Observer;
use crate::workload::{Engine, Workload};
use crate::{stderr, stdout, sys};

/// Arguments of `hola calibrate`.
#[derive(Args, Clone, Debug)]
pub struct CalibrateArgs {
    /// Shape of the result on standard output
    #[arg(long, value_enum, default_value = "text")]
    pub format: CalibrateFormat,
}

/// Shape of a calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CalibrateFormat {
    /// For a person
    Text,
    /// One object, as it is stored
    Json,
}

/// Measures what the generator can do here, stores it, prints it, and says how that went.
pub fn execute(args: &CalibrateArgs) -> ExitCode {
    let Some(file) = store::path() else {
        stderr::print_line(format_args!(
            "error: nowhere to keep the calibration: set {}, XDG_CACHE_HOME or HOME",
            store::VARIABLE
        ));
        return ExitCode::from(EXIT_USAGE);
    };
    match try_execute(args, &file) {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            stderr::print_line(format_args!("error: {message}"));
            ExitCode::from(EXIT_ERROR)
        }
    }
}

fn try_execute(args: &CalibrateArgs, file: &Path) -> Result<u8, String> {
    let unwritable = |error| format!("cannot write {}: {error}", file.display());
    store::prepare(file).map_err(unwritable)?;
    sys::note_interrupts()
        .map_err(|error| format!("cannot watch for SIGINT and SIGTERM: {error}"))?;
    let shown = io::stderr().is_terminal();
    let result = calibrate(&Protocol::default(), &Interruptible, &|step| {
        if shown {
            show(step);
        }
    });
    if shown {
        stderr::print("\r\x1b[K");
    }
    let calibration = match result {
        Ok(calibration) => calibration,
        Err(error @ CalibrateError::Stopped) => {
            stderr::print_line(error);
            return Ok(interrupted_code());
        }
        Err(error) => return Err(error.to_string()),
    };
    store::write(&calibration, file).map_err(unwritable)?;
    let rendered = render(&calibration, args.format)?;
    // The calibration is stored, so a reader that leaves early loses nothing.
    let _ = stdout::print(rendered).map_err(|error| error.to_string())?;
    stderr::print_line(format_args!("stored in {}", file.display()));
    Ok(0)
}

fn show(step: Step<'_>) {
    stderr::print(format_args!(
        "\r\x1b[Kcalibrating: {} of {}, {}",
        step.done + 1,
        step.of,
        step.what
    ));
}

fn render(calibration: &Calibration, format: CalibrateFormat) -> Result<String, String> {
    match format {
        CalibrateFormat::Text => Ok(page(calibration)),
        CalibrateFormat::Json => serde_json::to_string_pretty(calibration)
            .map(|json| json + "\n")
            .map_err(|error| format!("cannot encode the calibration: {error}")),
    }
}

/// Ends when the user asks for it.
struct Interruptible;

impl Observer for Interruptible {
    fn should_stop(&self) -> bool {
        sys::interrupted().is_some()
    }
}

/// This host's calibration, if there is one; says so in one line when there is one of no use.
pub(super) fn stored() -> Option<Calibration> {
    let file = store::path()?;
    match store::read(&file) {
        Stored::Valid(calibration) => return Some(*calibration),
        Stored::Absent => {}
        Stored::Foreign(difference) => stderr::print_line(format_args!(
            "note: the calibration in {} is of {difference}; run `hola calibrate`",
            file.display()
        )),
        Stored::Unreadable(reason) => stderr::print_line(format_args!(
            "warning: {} is ignored, it is no calibration: {reason}",
            file.display()
        )),
    }
    None
}

/// The engine for a workload that leaves it open: the one with the higher ceiling here, if both were measured.
pub(super) fn engine(workload: &Workload, calibration: Option<&Calibration>) -> Engine {
    let faster = || {
        let reuse = Reuse::of(workload.requests_per_connection)?;
        calibration?
            .faster_engine(reuse)
            .filter(|engine| engine.unavailable().is_none())
    };
    match workload.engine {
        Engine::Auto => faster().unwrap_or(Engine::Auto),
        asked => asked,
    }
}
