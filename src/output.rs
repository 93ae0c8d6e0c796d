//! What the program prints: data to standard output, everything else to standard error. Nothing else in this crate prints.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use anyhow::{Context, Result};

use crate::visible;

/// Whether anything still reads standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The text has been taken.
    Present,
    /// The other end of the pipe is closed. A reader that wants only the beginning, as `head` does, has all that it wants:
    /// this is no error, and the exit code is that of the command.
    Gone,
}

/// Prints data, all of it, now.
///
/// # Errors
/// Names standard output when it takes no more, such as a full device.
pub fn print(text: &str) -> Result<Reader> {
    let mut stdout = io::stdout().lock();
    reader_after(stdout.write_all(text.as_bytes()))
}

/// What became of something that was written to standard output.
///
/// # Errors
/// As [`print()`].
pub fn reader_after(written: io::Result<()>) -> Result<Reader> {
    // Standard output keeps what follows the last line end; a failure to write that out must not go unseen at the exit.
    match written.and_then(|()| io::stdout().flush()) {
        Ok(()) => Ok(Reader::Present),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

/// Prints a message for people on standard error, where nothing in it commands the terminal. A standard error that takes no
/// more stops nothing.
pub fn say(message: impl Display) {
    let _ = writeln!(io::stderr(), "{}", visible::lines(&message.to_string()));
}

/// Says why the program fails, in one line.
pub fn say_error(error: &anyhow::Error) {
    say(format_args!(
        "hola: {}",
        visible::one_line(&format!("{error:#}"))
    ));
}
