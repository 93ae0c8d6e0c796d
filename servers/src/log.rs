//! What a server writes to stderr while it serves: whole lines, safe for any terminal, and without waiting.
//!
//! The reader of stderr may have stopped: a pipe is full, or Ctrl-S stops a terminal. A line that cannot be written at
//! once is lost and counted. The next line that can be written tells the number of lost lines.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Write as _;
use std::io;
use std::panic::{self, PanicHookInfo};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::context::ErrorContext as _;
use crate::sys;
use crate::sys::stderr::Stderr;

/// Longest line: what a pipe takes whole or not at all (`PIPE_BUF`, pipe(7)), even among the lines of other processes.
const LINE_BYTES_MAX: usize = libc::PIPE_BUF;

/// What every line begins with.
const PREFIX: &str = "hola: ";
/// What a line about a client's bytes begins with.
const RECEIVED: &str = "received: ";

static LOG: OnceLock<Log> = OnceLock::new();

#[derive(Debug)]
struct Log {
    stderr: Stderr,
    /// Lines lost since the last line that gave their number. Forked children share this and the next field.
    lost: &'static AtomicU64,
    /// Second of the last reported problem, since 1970.
    complained_s: &'static AtomicU64,
}

/// Opens the log of this server; call it once, before any fork. From now on a panic is written as lines of the log.
/// Returns the error of mmap(2).
pub(crate) fn open() -> io::Result<()> {
    let shared = sys::shared::<[AtomicU64; 2]>(1);
    let shared = shared.context(|| "cannot share a log between processes".into())?;
    let [lost, complained_s] = &shared[0];
    let log = Log {
        stderr: Stderr::new(),
        lost,
        complained_s,
    };
    if LOG.set(log).is_ok() {
        panic::set_hook(Box::new(write_panic));
    }
    Ok(())
}

/// Writes what a client has sent, in as many lines as that takes.
pub(crate) fn received(bytes: &[u8]) {
    escaped(bytes, |text| line(&format!("{RECEIVED}{text}")));
}

/// Writes one line, or loses it.
pub(crate) fn line(text: &str) {
    let Some(log) = LOG.get() else {
        return;
    };
    report_lost();
    let mut line = format!("{PREFIX}{text}").into_bytes();
    line.truncate(LINE_BYTES_MAX - 1);
    line.push(b'\n');
    if !log.stderr.write_at_once(&line) {
        log.lost.fetch_add(1, Ordering::Relaxed);
    }
}

/// Reports a problem in one line, at most one a second from the whole server, so that problems do not also fill a disk.
pub(crate) fn warn_rate_limited(text: &str) {
    let Some(log) = LOG.get() else {
        return;
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_s = since.map_or(1, |since| since.as_secs());
    if log.complained_s.swap(now_s, Ordering::Relaxed) != now_s {
        line(text);
    }
}

/// Writes how many lines have been lost, if any.
pub(crate) fn report_lost() {
    let Some(log) = LOG.get() else {
        return;
    };
    if log.lost.load(Ordering::Relaxed) == 0 {
        return;
    }
    let lost = log.lost.swap(0, Ordering::Relaxed);
    let words = format!("{PREFIX}{lost} lines lost: nobody read them\n");
    if lost > 0 && !log.stderr.write_at_once(words.as_bytes()) {
        log.lost.fetch_add(lost, Ordering::Relaxed);
    }
}

/// Writes `words` as they are, or not at all; for signal handlers, which may neither wait nor allocate.
pub(crate) fn write_from_handler(words: &[u8]) {
    if let Some(log) = LOG.get() {
        log.stderr.write_at_once(words);
    }
}

/// Writes what `std` writes about a panic, but without waiting for stderr.
fn write_panic(panic: &PanicHookInfo) {
    let backtrace = Backtrace::capture();
    let mut text = panic.to_string();
    if backtrace.status() == BacktraceStatus::Captured {
        let _ = write!(text, "\n{backtrace}");
    }
    text.lines().for_each(line);
}

/// Calls `each` with pieces that fit into a line: printable text as it is, everything else escaped.
fn escaped(bytes: &[u8], mut each: impl FnMut(&str)) {
    const PIECE_BYTES_MAX: usize = LINE_BYTES_MAX - PREFIX.len() - RECEIVED.len() - "\n".len();
    let mut piece = String::new();
    let mut append = |escape: &str| {
        if piece.len() + escape.len() > PIECE_BYTES_MAX {
            each(&piece);
            piece.clear();
        }
        piece.push_str(escape);
    };
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\'' | '"' => append(&character.to_string()),
                _ => append(&character.escape_debug().to_string()),
            }
        }
        for byte in chunk.invalid() {
            append(&format!("\\x{byte:02x}"));
        }
    }
    if !piece.is_empty() {
        each(&piece);
    }
}

#[cfg(test)]
mod tests {
    use super::{LINE_BYTES_MAX, escaped};

    fn pieces(bytes: &[u8]) -> Vec<String> {
        let mut pieces = Vec::new();
        escaped(bytes, |piece| pieces.push(piece.to_owned()));
        pieces
    }

    #[test]
    fn cuts_what_is_too_long_for_a_line_between_two_characters() {
        for bytes in [b"\x1b".repeat(5_000), "ñ".repeat(5_000).into_bytes()] {
            let whole = pieces(&bytes[..2])[0].clone();
            let pieces = pieces(&bytes);
            assert!(pieces.len() > 1);
            assert!(pieces.iter().all(|piece| piece.len() < LINE_BYTES_MAX));
            assert!(pieces.iter().all(|piece| piece.ends_with(&whole)));
            let length: usize = pieces.iter().map(String::len).sum();
            assert_eq!(length, whole.len() * bytes.len() / 2);
        }
    }
}
