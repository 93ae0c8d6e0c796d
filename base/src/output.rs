//! Prints data to standard output and messages to standard error. `print!` and `eprint!` would panic on a closed pipe
//! and on a full device.

use std::env;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use anyhow::{Context, Result};

use crate::visible;

/// Whether anything still reads standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The text was written.
    Present,
    /// The other end of the pipe is closed. This is no error: a reader such as `head` stops after the lines that it
    /// needs. The exit code is that of the command.
    Gone,
}

/// Writes all of `data` to standard output, and flushes it.
///
/// # Errors
/// Returns an error if the write fails, for example on a full device.
pub fn print(data: impl AsRef<[u8]>) -> Result<Reader> {
    let mut stdout = io::stdout().lock();
    reader_after(stdout.write_all(data.as_ref()))
}

/// The result of a write to standard output, after a flush.
///
/// # Errors
/// As [`print()`].
pub fn reader_after(written: io::Result<()>) -> Result<Reader> {
    // Standard output buffers the text after the last line end. A failed write of that text at exit would not be
    // reported.
    match written.and_then(|()| io::stdout().flush()) {
        Ok(()) => Ok(Reader::Present),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

/// Whether colours are wanted: `NO_COLOR` is not set, or empty (<https://no-color.org>).
pub fn wants_colours() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Prints a message on standard error, with the characters escaped that control a terminal. Ignores a failed write to
/// standard error.
pub fn say(message: impl Display) {
    let message = message.to_string();
    let _ = io::stderr().write_all(format!("{}\n", visible::lines(&message)).as_bytes());
}

/// Prints why the program fails, in one line.
pub fn say_error(error: &anyhow::Error) {
    say(format_args!(
        "hola: {}",
        visible::one_line(&format!("{error:#}"))
    ));
}
