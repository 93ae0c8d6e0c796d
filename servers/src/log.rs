//! What `--log` writes to stderr: one line per message, safe for any terminal.

use std::fmt::Write as _;
use std::io::Write as _;

/// Writes down what a client said.
pub(crate) fn heard(octets: &[u8]) {
    if !octets.is_empty() {
        line(&format!("received: {}", escaped(octets)));
    }
}

/// Writes one line, whole even among the lines of other threads and processes.
pub(crate) fn line(text: &str) {
    // A log that cannot be written must not stop a server.
    let _ = std::io::stderr().write_all(format!("hola: {text}\n").as_bytes());
}

/// Text as it is, everything that is no printable text as an escape.
fn escaped(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\'' | '"' => text.push(character),
                _ => text.extend(character.escape_debug()),
            }
        }
        for octet in chunk.invalid() {
            let _ = write!(text, "\\x{octet:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn keeps_text_and_escapes_what_could_command_a_terminal() {
        assert_eq!(escaped("¿Qué \"tal\"?".as_bytes()), "¿Qué \"tal\"?");
        assert_eq!(
            escaped(b"\x1b[2J\r\n\0\xff\\"),
            "\\u{1b}[2J\\r\\n\\0\\xff\\\\"
        );
        assert_eq!(escaped("\u{202e}".as_bytes()), "\\u{202e}");
    }
}
