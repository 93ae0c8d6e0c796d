//! Escapes foreign text, so that it cannot control a terminal, begin a line, or look like other text.
//!
//! Names, reasons and versions in a run's records may come from any source. Each format of a report passes through one
//! of these functions once, and so does every message on standard error.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character controls a terminal, or shows the text around it in another order or on another line (Unicode
/// UAX #9, UAX #14).
pub fn is_active(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escapes the active characters ([`is_active`]) of a text as Rust does (`\u{1b}`), except line feeds and tabs.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |letter, text| text.extend(letter.escape_debug()))
}

/// As [`lines()`], with each line end and tab replaced by a space.
pub fn one_line(text: &str) -> String {
    let line = text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ");
    lines(&line).into_owned()
}

/// Escapes the active characters of a JSON document as JSON does (`\u009b`). The data stay the same.
pub fn json(document: &str) -> Cow<'_, str> {
    // All of them are in the basic multilingual plane, so one escape is enough.
    escaped(document, |letter, text| {
        // Writing to a string cannot fail.
        let _ = write!(text, "\\u{:04x}", u32::from(letter));
    })
}

fn escaped(text: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    let is_hidden = |letter: char| is_active(letter) && !matches!(letter, '\n' | '\t');
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match is_hidden(letter) {
            true => escape(letter, &mut visible),
            false => visible.push(letter),
        }
    }
    Cow::Owned(visible)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "é\u{1b}[2J\r\n\u{9b}\u{202e}\t\u{7f}";

    #[test]
    fn what_commands_a_terminal_is_shown_and_the_rest_stays() {
        assert_eq!(lines(HOSTILE), "é\\u{1b}[2J\\r\n\\u{9b}\\u{202e}\t\\u{7f}");
        assert_eq!(one_line(HOSTILE), "é\\u{1b}[2J \\u{9b}\\u{202e} \\u{7f}");
        assert!(matches!(lines("¿cuánto?\n× ± –"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_keeps_its_data() {
        let document = serde_json::to_string_pretty(&[HOSTILE]).expect("JSON");
        let visible = json(&document);
        assert!(!visible.replace('\n', "").contains(is_active));
        let data: Vec<String> = serde_json::from_str(&visible).expect("JSON");
        assert_eq!(data, [HOSTILE]);
    }
}
