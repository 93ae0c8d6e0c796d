//! Data on standard output: the one function that writes it.

use std::io::{self, ErrorKind, Write};

/// Whether the program that reads standard output is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "nothing more needs to be printed when the reader has gone"]
pub enum Reader {
    /// The data was written.
    Present,
    /// The pipe is closed: the reader has all that it wanted, as `head` does, and needs no message.
    Gone,
}

/// Standard output cannot take the data, such as a full disk; a closed pipe is no error but [`Reader::Gone`].
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output: {0}")]
pub struct StdoutError(#[source] io::Error);

/// Writes `data` to standard output and flushes it. `print!` would panic on a closed pipe and on a full disk.
///
/// # Errors
/// [`StdoutError`], in one line for a person.
pub fn print(data: impl AsRef<[u8]>) -> Result<Reader, StdoutError> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(data.as_ref())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => Ok(Reader::Present),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(StdoutError(error)),
    }
}
