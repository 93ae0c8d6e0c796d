//! `hola-serve`: `hola serve` on its own.

use std::process::ExitCode;

use clap::Parser;
use hola_base::output::say;
use hola_servers::cli::{self, ServeArgs};

/// Serve `Hola, cliente!` under one concurrency model
#[derive(Parser)]
#[command(name = "hola-serve", version)]
struct Arguments {
    #[command(flatten)]
    serve: ServeArgs,
}

fn main() -> ExitCode {
    match cli::serve(&Arguments::parse().serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("hola-serve: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}
