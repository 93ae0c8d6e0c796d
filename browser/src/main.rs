//! The `hola` program under a separate name: it supervises the browser of the tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    hola::cli::main()
}
