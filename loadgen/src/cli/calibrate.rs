//! `hola calibrate`, and how every other command finds what it stored.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::execute::{EXIT_ERROR, EXIT_USAGE, interrupted_code};
use crate::calibrate::store::{self, Stored};
use crate::calibrate::{CalibrateError, Calibration, Protocol, Reuse, Step, calibrate, page};
use crate::engine::Observer;
use crate::sys;
use crate::workload::{Engine, Workload};

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
        eprintln!(
            "error: nowhere to keep the calibration: set {}, XDG_CACHE_HOME or HOME",
            store::VARIABLE
        );
        return ExitCode::from(EXIT_USAGE);
    };
    match try_execute(args, &file) {
        Ok(code) => ExitCode::from(code),
        Err(message) => {
            eprintln!("error: {message}");
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
        eprint!("\r\x1b[K");
    }
    let calibration = match result {
        Ok(calibration) => calibration,
        Err(error @ CalibrateError::Stopped) => {
            eprintln!("{error}");
            return Ok(interrupted_code());
        }
        Err(error) => return Err(error.to_string()),
    };
    store::write(&calibration, file).map_err(unwritable)?;
    let rendered = render(&calibration, args.format)?;
    let mut stdout = io::stdout();
    stdout
        .write_all(rendered.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| format!("cannot write to standard output: {error}"))?;
    eprintln!("stored in {}", file.display());
    Ok(0)
}

fn show(step: Step<'_>) {
    eprint!(
        "\r\x1b[Kcalibrating: {} of {}, {}",
        step.done + 1,
        step.of,
        step.what
    );
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
        Stored::Foreign(difference) => eprintln!(
            "note: the calibration in {} is of {difference}; run `hola calibrate`",
            file.display()
        ),
        Stored::Unreadable(reason) => eprintln!(
            "warning: {} is ignored, it is no calibration: {reason}",
            file.display()
        ),
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
