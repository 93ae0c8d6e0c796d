//! The `hola` program, under a name of its own: it keeps the browser of the tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    hola::cli::main()
}
