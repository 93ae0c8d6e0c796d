//! Formats what a server sends, so that it cannot control the terminal.

use hola_base::visible::is_active;

use crate::line::without_line_end;

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
    /// The lines of the next bytes, including a last line without an end. Holds back an incomplete character; no bytes are
    /// the end, at which it completes no more.
    pub(super) fn continued(&mut self, bytes: &[u8]) -> String {
        let mut piece = [self.held.as_slice(), bytes].concat();
        let held_bytes = usize::from(!bytes.is_empty()) * unfinished_bytes(&piece);
        self.held = piece.split_off(piece.len() - held_bytes);
        let mut text = String::new();
        for line in piece.split_inclusive(|&byte| byte == b'\n') {
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
    let chunk = bytes.utf8_chunks().last();
    let invalid = chunk.map_or(&[][..], |chunk| chunk.invalid());
    let is_begun = str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
    usize::from(is_begun) * invalid.len()
}

/// Appends text unchanged; escapes characters that control a terminal, and bytes that are not UTF-8.
fn escape(bytes: &[u8], text: &mut String) {
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match is_active(letter) {
                true => text.extend(letter.escape_debug()),
                false => text.push(letter),
            }
        }
        text.extend(chunk.invalid().escape_ascii().map(char::from));
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
            assert!(transcript.continued(&[]).is_empty());
        }
    }

    #[test]
    fn late_line_ends_are_no_lines_and_only_bytes_that_may_become_text_wait() {
        let mut transcript = Transcript::default();
        for (received, printed) in [
            (&b"uno"[..], "[SERVIDOR] uno\n"),
            (b"\r\n", ""),
            (b"\ndos\n", "[SERVIDOR] \n[SERVIDOR] dos\n"),
            (b"a\xff\xc3b\xe2\x82", "[SERVIDOR] a\\xff\\xc3b\n"),
        ] {
            assert_eq!(transcript.continued(received), printed);
        }
        assert_eq!(transcript.continued(&[]), "[SERVIDOR] \\xe2\\x82\n");
    }
}
