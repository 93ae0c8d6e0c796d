//! `hola merge`: adds up the results of the processes that made a load together.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use hola_base::output::say;

use super::Format;
use super::execute::rendered;
use super::exit::{EXIT_ERROR, EXIT_INVALID, LoadFailure};
use super::gates::{GateArgs, TestedLoads, junit, ranks_case};
use super::outputs::Outputs;
use super::ranks::parse_run_id;
use crate::ranks::{self, MergeError, MergedRun};
use crate::summary::Levels;

/// Arguments of `hola merge`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola merge results                    what one process would have printed
  hola merge results --format json      the same as one JSON object
  hola merge results --run-id nightly   one of several loads in the folder
  hola merge results --fail-if 'p99>10ms' --strict
  hola merge results --strict --junit load.xml

The processes are `hola load --ranks N --start-at TIME --output results`. Their histograms and
counts are added, percentiles are read from the sums, and every check is made again on them. A
result that is missing, torn or there twice is named, and then there is no sum; a test report
(--junit) has a case for that, beside those of `hola load`.

Exit codes: 0 ok, 1 the folder cannot be read, a file not be written, or nothing succeeded, 2 usage,
4 a result is missing, interrupted or of another load, or a check failed (with --strict), 99 a gate
is broken.")]
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
    ExitCode::from(try_merge(args).unwrap_or_else(LoadFailure::report))
}

fn try_merge(args: &MergeArgs) -> Result<u8, LoadFailure> {
    if args.gates.test_nothing() {
        return Err(LoadFailure::usage(GateArgs::NOTHING_TESTED.to_owned()));
    }
    let mut outputs = Outputs::with_test_report(&args.gates)?;
    let code = match ranks::merge(&args.folder, args.run_id.as_deref()) {
        Ok(run) => conclude(&run, args, &mut outputs)?,
        Err(MergeError::Failed(reason)) => return Err(reason.into()),
        Err(MergeError::Incomplete(problems)) => {
            for problem in &problems {
                say(format_args!("error: {problem}"));
            }
            // Who reads the test report alone must see it, too.
            let folder = args.folder.display().to_string();
            outputs.write_junit(&junit(&folder, vec![ranks_case(0, problems)]));
            EXIT_INVALID
        }
    };
    Ok(match code {
        0 if outputs.has_failed() => EXIT_ERROR,
        code => code,
    })
}

/// Prints the sum, tests the gates on it, and returns the exit code.
fn conclude(run: &MergedRun, args: &MergeArgs, outputs: &mut Outputs) -> Result<u8, LoadFailure> {
    say(format_args!("{}: {} ranks", run.run_id, run.ranks));
    let result = Levels::new(vec![run.measurement.summary.clone()], None);
    outputs.write(&rendered(args.format, Some(&run.measurement), &result)?)?;
    let loads = &result.levels;
    let tested = TestedLoads::new(&args.gates, loads, false);
    let interruption = run.interrupted.first().map(|first| {
        let (count, ranks) = (run.interrupted.len(), run.ranks);
        format!("{count} of {ranks} ranks were interrupted, the first of them rank {first}")
    });
    let mut cases = tested.cases();
    cases.insert(
        0,
        ranks_case(run.ranks, interruption.iter().cloned().collect()),
    );
    outputs.write_junit(&junit(&loads[0].url, cases));
    let code = tested.code(false);
    if let Some(reason) = interruption {
        say(format_args!("error: {reason}"));
        return Ok(code.max(EXIT_INVALID));
    }
    Ok(code)
}
