//! `hola-load`: the load generator on its own.

use std::env;
use std::ffi::OsString;
use std::iter;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use hola_loadgen::cli::{self, LoadArgs};

/// Puts load on an HTTP server and says what came back, with checks on its own figures.
#[derive(Debug, Parser)]
#[command(name = "hola-load", version, after_help = cli::EXAMPLES)]
struct Cli {
    #[command(flatten)]
    load: LoadArgs,
}

fn main() -> ExitCode {
    let arguments = match cli::with_plan(&Cli::command(), env::args_os().skip(1).collect()) {
        Ok(arguments) => arguments,
        Err(reason) => return cli::refuse(reason),
    };
    let name = OsString::from("hola-load");
    let load = Cli::parse_from(iter::once(&name).chain(&arguments)).load;
    match load.prints_plan() {
        true => cli::print_plan(&Cli::command(), &arguments),
        false => cli::run(&load, None),
    }
}
