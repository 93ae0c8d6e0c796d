//! The `hola` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    hola::cli::main()
}
