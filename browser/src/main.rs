//! The `hola` program, under a name of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    hola::cli::main()
}
