//! Escapes untrusted text for each format. Names, reasons and versions in records may come from anywhere, so every text
//! passes through the function of its format exactly once.

use std::fmt;

use askama::filters::Escaper;
use hola_base::visible;

/// Escapes HTML and SVG in templates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Html;

impl Escaper for Html {
    fn write_escaped_str<W: fmt::Write>(&self, mut page: W, text: &str) -> fmt::Result {
        for letter in visible::lines(text).chars() {
            match letter {
                '&' => page.write_str("&amp;")?,
                '<' => page.write_str("&lt;")?,
                '>' => page.write_str("&gt;")?,
                '"' => page.write_str("&quot;")?,
                '\'' => page.write_str("&#39;")?,
                _ => page.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// Text in HTML or SVG, between tags or in a quoted attribute.
pub(crate) fn html(text: &str) -> String {
    let mut page = String::with_capacity(text.len());
    // Writing to a string cannot fail.
    let _ = Html.write_escaped_str(&mut page, text);
    page
}

/// Text in a line of Markdown, or in a cell of its tables.
pub(crate) fn markdown(text: &str) -> String {
    let text = visible::one_line(text);
    let mut page = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut before = None;
    while let Some(letter) = letters.next() {
        let is_within_word = |letter: Option<&char>| letter.is_some_and(|it| it.is_alphanumeric());
        let is_markup = match letter {
            '\\' | '`' | '*' | '|' | '[' | ']' | '~' | '$' => true,
            // An underscore inside a word is not Markdown markup, so names in snake case stay readable.
            '_' => !(is_within_word(before.as_ref()) && is_within_word(letters.peek())),
            // At the beginning of a text they start headings, lists and quotes.
            '#' | '+' | '-' | '!' | '>' => before.is_none(),
            _ => false,
        };
        match letter {
            '<' => page.push_str("&lt;"),
            '&' => page.push_str("&amp;"),
            _ if is_markup => page.extend(['\\', letter]),
            _ => page.push(letter),
        }
        before = Some(letter);
    }
    page
}

/// A field of CSV. A field that a spreadsheet would take for a formula begins with an apostrophe.
pub(crate) fn csv(field: &str) -> String {
    let field = visible::one_line(field);
    let is_number = field.parse::<f64>().is_ok();
    let is_formula = !is_number && field.starts_with(['=', '+', '-', '@']);
    let field = if is_formula {
        format!("'{field}")
    } else {
        field
    };
    if field.contains([',', '"']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}

/// A JSON document; its data stays the same.
pub(crate) fn json(document: &str) -> String {
    visible::json(document).into_owned()
}

/// A line of text for a terminal.
pub(crate) fn terminal(text: &str) -> String {
    visible::one_line(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "<b a='1'>\u{1b}[2J|*x*\n=1+1,\"&\u{202e}";

    #[test]
    fn each_format_shows_hostile_text_as_it_is_written() {
        assert_eq!(
            html(HOSTILE),
            "&lt;b a=&#39;1&#39;&gt;\\u{1b}[2J|*x*\n=1+1,&quot;&amp;\\u{202e}"
        );
        assert_eq!(
            markdown(HOSTILE),
            "&lt;b a='1'>\\\\u{1b}\\[2J\\|\\*x\\* =1+1,\"&amp;\\\\u{202e}"
        );
        assert_eq!(
            terminal(HOSTILE),
            "<b a='1'>\\u{1b}[2J|*x* =1+1,\"&\\u{202e}"
        );
        assert_eq!(csv("a,\"b\"\u{1b}"), "\"a,\"\"b\"\"\\u{1b}\"");
    }

    #[test]
    fn a_spreadsheet_sees_no_formula_and_numbers_stay_numbers() {
        assert_eq!(csv("=1+1"), "'=1+1");
        assert_eq!(csv("-0.5"), "-0.5");
    }

    #[test]
    fn markdown_keeps_names_readable() {
        assert_eq!(markdown("cpu_us_per_request"), "cpu_us_per_request");
        assert_eq!(markdown("thread-per-client"), "thread-per-client");
        assert_eq!(markdown("- _x_"), "\\- \\_x\\_");
    }
}
