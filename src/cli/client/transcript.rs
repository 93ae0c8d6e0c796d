//! Formats what a server sends, so that it cannot control the terminal.

use std::fmt::Write as _;

use hola_base::visible::is_active;

/// Prefix of each line from the server.
const PREFIX: &str = "[SERVIDOR] ";

/// Turns the server's bytes into lines that are safe on a terminal.
#[derive(Default)]
pub(super) struct Transcript {
    /// First bytes of a character that is not complete yet: 3 at most.
    held: Vec<u8>,
    /// The last line was printed before its line end arrived. That line end is not a line of its own.
    unended: bool,
}

impl Transcript {
    /// The lines of `bytes`, including a last line without an end. Holds back an incomplete character.
    pub(super) fn continued(&mut self, bytes: &[u8]) -> String {
        let mut bytes = [self.held.as_slice(), bytes].concat();
        self.held = bytes.split_off(bytes.len() - unfinished_bytes(&bytes));
        self.lines(&bytes)
    }

    /// The bytes of a character that stays incomplete.
    pub(super) fn ended(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        self.lines(&held)
    }

    fn lines(&mut self, bytes: &[u8]) -> String {
        let mut text = String::new();
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let content = without_line_end(line);
            let ends_the_last_one = self.unended && content.is_empty();
            self.unended = !line.ends_with(b"\n");
            if !ends_the_last_one {
                text.push_str(PREFIX);
                escape(content, &mut text);
                text.push('\n');
            }
        }
        text
    }
}

/// Number of bytes at the end that begin a character and do not complete it.
fn unfinished_bytes(bytes: &[u8]) -> usize {
    let Some(last) = bytes.utf8_chunks().last().map(|chunk| chunk.invalid()) else {
        return 0;
    };
    match std::str::from_utf8(last) {
        Err(error) if error.error_len().is_none() => last.len(),
        _ => 0,
    }
}

/// Appends text unchanged; escapes characters that control a terminal, and bytes that are not UTF-8.
fn escape(bytes: &[u8], text: &mut String) {
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if is_active(letter) {
                text.extend(letter.escape_debug());
            } else {
                text.push(letter);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
}

/// A line without its line end.
pub(super) fn without_line_end(line: &[u8]) -> &[u8] {
    match line.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_same_text_however_its_characters_are_split() {
        let text = "¿ñ€😀?".as_bytes();
        for at in 0..=text.len() {
            let mut transcript = Transcript::default();
            let halves = [&text[..at], &text[at..]].map(|half| transcript.continued(half));
            let printed = halves.concat().replace(PREFIX, "").replace('\n', "");
            assert_eq!(printed, "¿ñ€😀?", "split at {at}");
            assert!(transcript.ended().is_empty());
        }
    }

    #[test]
    fn a_line_end_that_comes_late_is_no_line_of_its_own() {
        let mut transcript = Transcript::default();
        assert_eq!(transcript.continued(b"uno"), "[SERVIDOR] uno\n");
        assert_eq!(transcript.continued(b"\r\n"), "");
        assert_eq!(
            transcript.continued(b"\ndos\n"),
            "[SERVIDOR] \n[SERVIDOR] dos\n"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_escaped_and_those_that_could_be_wait_for_the_end() {
        let mut transcript = Transcript::default();
        assert_eq!(
            transcript.continued(b"a\xff\xc3b\xe2\x82"),
            "[SERVIDOR] a\\xff\\xc3b\n"
        );
        assert_eq!(transcript.ended(), "[SERVIDOR] \\xe2\\x82\n");
    }
}
