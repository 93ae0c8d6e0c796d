//! Messages on standard error: the functions that write them.
//!
//! `eprint!` would panic where standard error is closed or full. A message that cannot be written changes neither the
//! result nor the exit code.

use std::fmt::Display;
use std::io::{self, Write};

/// Writes one message and a line end.
pub fn print_line(message: impl Display) {
    print(format_args!("{message}\n"));
}

/// Writes text without a line end, at once.
pub fn print(text: impl Display) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
}
