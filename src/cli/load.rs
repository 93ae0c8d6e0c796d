//! `hola load`: runs the load generator; with `--model`, it also starts the server.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Command};
use hola_loadgen::cli::{self as loadgen, LoadArgs};
use schemars::Schema;

use super::RUN_ERROR;
use hola_base::output::say;
use hola_lab::model_server::{ModelServer, StartError};
use hola_lab::pinned_program::PinnedProgram;

/// Exit code when the server named with `--model` did not start.
pub(super) const NOT_STARTED: u8 = 3;

/// Arguments of `load`.
#[derive(Args, Clone, Debug)]
#[command(after_help = examples())]
pub(super) struct LoadCommand {
    /// Start this model's server, load it, and stop it; `hola models` lists them. Several loads are put on the same
    /// server process, one after the other
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["url", "unix_socket", "ranks"], value_parser = hola_servers::cli::ModelName, hide_possible_values = true)]
    model: Option<&'static hola_servers::models::Model>,
    #[command(flatten)]
    load: LoadArgs,
}

fn examples() -> String {
    let others = loadgen::EXAMPLES.replace("hola-load", "hola load");
    format!(
        "With --model (exit code 3 if the server does not start):
  hola load --model tokio --clients 64                            start a server, load it, stop it
  hola load --model epoll --clients 1,8,64,512                    four loads on the same server process, and a table

{others}"
    )
}

/// The definition of the command line after `hola load`.
fn definition() -> Command {
    LoadCommand::augment_args(Command::new("load"))
}

/// The published JSON Schema of plans.
pub(super) fn plan_schema() -> Schema {
    loadgen::plan_schema(&definition())
}

/// The command line, with the arguments of the plan that a `load` names.
///
/// # Errors
/// Names the file, and the key at fault.
pub(super) fn with_plan(mut line: Vec<OsString>) -> Result<Vec<OsString>, String> {
    if line.get(1).is_some_and(|command| command == "load") {
        let arguments = line.split_off(2);
        line.extend(loadgen::with_plan(&definition(), arguments)?);
    }
    Ok(line)
}

/// Measures, and returns the exit code; `line` is the command line.
pub(super) fn run(command: &LoadCommand, line: &[OsString]) -> ExitCode {
    if command.load.prints_plan() {
        return loadgen::print_plan(&definition(), &line[2..]);
    }
    let Some(model) = command.model else {
        return loadgen::run(&command.load, None);
    };
    let server = match start(model.name, &command.load.conversation(), &[]) {
        Ok(server) => server,
        Err(error) => {
            say(format_args!("hola: {error}"));
            return ExitCode::from(NOT_STARTED);
        }
    };
    let code = loadgen::run(&command.load, Some((server.address(), model.name)));
    match server.stop() {
        Ok(_) => code,
        Err(reason) => {
            say(format_args!("hola: {reason}"));
            ExitCode::from(RUN_ERROR)
        }
    }
}

/// Starts a model's server, with further options of `hola serve`.
pub(super) fn start(
    model: &str,
    conversation: &str,
    options: &[String],
) -> Result<ModelServer, StartError> {
    let program = PinnedProgram::open(Path::new("/proc/self/exe"));
    let program = program.map_err(|error| StartError::NotRun {
        program: "hola".into(),
        error,
    })?;
    let conversation: [String; 2] = ["--conversation".into(), conversation.into()];
    let options = [&conversation[..], options].concat();
    ModelServer::start(&program, model, &[], &options)
}
