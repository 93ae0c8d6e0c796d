//! `hola merge`: adds up the results of the processes that made a load together.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use hola_base::output::{print, say};

use super::Format;
use super::execute::rendered;
use super::exit::{EXIT_ERROR, EXIT_INVALID};
use super::gates::{GateArgs, TestedLoads};
use super::ranks::parse_run_id;
use crate::ranks::{self, MergeError};
use crate::summary::Levels;

/// Arguments of `hola merge`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola merge results                    what one process would have printed
  hola merge results --format json      the same as one JSON object
  hola merge results --run-id nightly   one of several loads in the folder
  hola merge results --fail-if 'p99>10ms' --strict

The processes are `hola load --ranks N --start-at TIME --output results`. Their histograms and
counts are added, percentiles are read from the sums, and every check is made again on them. A
result that is missing, torn or there twice is named, and then there is no sum.

Exit codes: 0 ok, 1 the folder cannot be read or nothing succeeded, 2 usage, 4 a result is missing,
interrupted or of another load, or a check failed (with --strict), 99 a gate is broken.")]
pub struct MergeArgs {
    /// Folder that the processes wrote their results to
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Name of the load, if the folder has results of several
    #[arg(long, value_name = "ID", value_parser = parse_run_id)]
    run_id: Option<String>,
    /// Shape of the result on standard output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    #[command(flatten)]
    gates: GateArgs,
}

/// Adds up the results, prints the sum as one process prints its result, and returns the exit code.
pub fn merge(args: &MergeArgs) -> ExitCode {
    let code = match try_merge(args) {
        Ok(code) => code,
        Err(MergeError::Failed(reason)) => {
            say(format_args!("error: {reason}"));
            EXIT_ERROR
        }
        Err(MergeError::Incomplete(problems)) => {
            for problem in problems {
                say(format_args!("error: {problem}"));
            }
            EXIT_INVALID
        }
    };
    ExitCode::from(code)
}

fn try_merge(args: &MergeArgs) -> Result<u8, MergeError> {
    let run = ranks::merge(&args.folder, args.run_id.as_deref())?;
    say(format_args!("{}: {} ranks", run.run_id, run.ranks));
    let result = Levels::new(vec![run.measurement.summary.clone()], None);
    let text = rendered(args.format, Some(&run.measurement), &result);
    let printed = text.and_then(|text| print(text).map_err(|error| format!("{error:#}")));
    printed.map_err(MergeError::Failed)?;
    let code = TestedLoads::new(&args.gates, &result.levels, false).code(false);
    if let Some(rank) = run.interrupted.first() {
        let (count, ranks) = (run.interrupted.len(), run.ranks);
        say(format_args!(
            "error: {count} of {ranks} ranks were interrupted, the first of them rank {rank}"
        ));
        return Ok(code.max(EXIT_INVALID));
    }
    Ok(code)
}
