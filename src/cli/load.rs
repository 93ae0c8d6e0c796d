//! `hola load`: runs the load generator; with `--model`, it also starts the server.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use hola_loadgen::cli::{self as loadgen, LoadArgs};

use super::RUN_ERROR;
use hola_base::output::say;
use hola_lab::image::Image;
use hola_lab::model_server::{ModelServer, StartError};

/// Exit code when the server named with `--model` did not start.
const NOT_STARTED: u8 = 3;

/// Arguments of `load`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola load http://127.0.0.1:8080/                      50 clients, a connection per request, for 10 s
  hola load --model tokio --clients 64                  start a server, load it, stop it
  hola load --model iterative --rate 2000               2000 requests/s at Poisson instants, whatever the server does
  hola load --model tokio --requests-per-connection unlimited --format json
  hola load --model epoll --clients 1,8,64,512          four loads on the same server process, and a table
  hola load --model epoll --find-max --slo 'p99<5ms,failed<0.1%'
                                                        the highest rate at which one server process keeps its promises
  hola load --model tokio --fail-if 'p99>10ms'          exit with 99 when a gate is broken
  hola load --model tokio --strict                      exit with 4 when a check of the measurement fails

Exit codes: 0 ok, 1 error while running, 2 usage, 3 server did not start, 4 measurement invalid (with --strict, or too small
for a gate), 99 a gate is broken, 130 interrupted by SIGINT, 143 by SIGTERM (what was measured is printed; a second signal
ends at once). A closed standard output is no error.")]
pub(super) struct LoadCommand {
    /// Start this model's server, load it, and stop it; `hola models` lists them. Several loads are put on the same
    /// server process, one after the other
    #[arg(long, value_name = "MODEL", conflicts_with = "url", value_parser = hola_servers::cli::model_named)]
    model: Option<&'static hola_servers::models::Model>,
    #[command(flatten)]
    load: LoadArgs,
}

/// Measures, and returns the exit code.
pub(super) fn run(command: &LoadCommand) -> ExitCode {
    match command.model {
        None => match command.load.task(None) {
            Ok(task) => loadgen::execute(&task, &command.load.output(), None),
            Err(error) => loadgen::refuse(&error),
        },
        Some(model) => load_model(&command.load, model.name),
    }
}

fn load_model(args: &LoadArgs, model: &str) -> ExitCode {
    let started = Image::open(Path::new("/proc/self/exe"))
        .map_err(|error| StartError::NotRun {
            program: "hola".into(),
            error,
        })
        .and_then(|image| {
            let conversation = args.behaviour.conversation.name().to_owned();
            ModelServer::start(&image, model, &[], &["--conversation".into(), conversation])
        });
    let server = match started {
        Ok(server) => server,
        Err(error) => {
            say(format_args!("hola: {error}"));
            return ExitCode::from(NOT_STARTED);
        }
    };
    let task = match args.task(Some(server.address())) {
        Ok(task) => task,
        Err(error) => return loadgen::refuse(&error),
    };
    let code = loadgen::execute(&task, &args.output(), Some(model.into()));
    match server.stop() {
        Ok(_) => code,
        Err(reason) => {
            say(format_args!("hola: {reason}"));
            ExitCode::from(RUN_ERROR)
        }
    }
}
