//! Lines of text in a stream of bytes.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// Longest line, in bytes; a longer one is read in pieces of this size.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Reads the next line, without its end; `None` at the end of the input. A line may be no text.
///
/// # Errors
/// The error of a read.
pub(crate) async fn next_line(
    input: &mut (impl AsyncBufRead + Unpin),
) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut piece = input.take(LINE_BYTES_MAX);
    if piece.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    line.truncate(without_line_end(&line).len());
    Ok(Some(line))
}

/// A line without its line end.
pub(crate) fn without_line_end(line: &[u8]) -> &[u8] {
    match line.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => line,
    }
}
