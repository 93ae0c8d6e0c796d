//! `hola calibrate`: what the load generator can do on this host.

use std::process::ExitCode;

use clap::Args;
use hola_loadgen::cli::{self as loadgen, CalibrateArgs};

/// Arguments of `calibrate`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola calibrate                    half a minute at most; every later `hola load` refers to it
  hola calibrate --format json      the same as it is stored
  HOLA_CALIBRATION=here.json hola calibrate

The load generator is measured against a responder that does nothing but answer, on another CPU where there are two: its
highest rate, its CPU time per request, its lateness, and what equal trials differ by. It is kept in $HOLA_CALIBRATION, or
in hola/calibration.json below $XDG_CACHE_HOME or ~/.cache, and holds for this processor, kernel and build.

Exit codes: 0 ok, 1 error while running, 2 nowhere to keep it, 130 interrupted (nothing is kept).")]
pub(super) struct CalibrateCommand {
    #[command(flatten)]
    calibrate: CalibrateArgs,
}

/// Calibrates, and says how it went by its exit code.
pub(super) fn run(command: &CalibrateCommand) -> ExitCode {
    loadgen::execute_calibrate(&command.calibrate)
}
