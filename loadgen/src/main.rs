//! `hola-load`: the load generator on its own.

use std::process::ExitCode;

use clap::Parser;
use hola_loadgen::cli::{self, LoadArgs};

/// Puts load on an HTTP server and says what came back, with checks on its own figures.
#[derive(Debug, Parser)]
#[command(name = "hola-load", version, after_help = cli::EXAMPLES)]
struct Cli {
    #[command(flatten)]
    load: LoadArgs,
}

fn main() -> ExitCode {
    cli::run(&Cli::parse().load, None)
}
