//! An examination as JUnit XML, which services that run tests show.

use std::fmt::Write as _;

use hola_base::Language;
use hola_base::visible;

use super::stored;
use crate::judge::{CheckState, Examination};

/// A test case for each check.
pub(super) fn junit(examination: &Examination, language: Language) -> String {
    let count = |state| {
        let checks = examination.checks.iter();
        checks.filter(|check| check.state == state).count()
    };
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"hola judge: {}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
        escaped(&examination.server),
        examination.checks.len(),
        count(CheckState::Failed),
        count(CheckState::NotExamined),
    );
    for check in &examination.checks {
        let seen = escaped(stored(&check.seen, language));
        let (expected, reproduce) = (
            escaped(stored(&check.expected, language)),
            escaped(&check.reproduce),
        );
        // Writing to a string cannot fail.
        let _ = write!(
            xml,
            "  <testcase classname=\"hola.judge\" name=\"{}\">",
            check.id
        );
        let _ = match check.state {
            CheckState::Passed => write!(xml, "<system-out>{seen}</system-out>"),
            CheckState::Failed => write!(
                xml,
                "<failure message=\"{expected}\">{seen}\n$ {reproduce}</failure>"
            ),
            CheckState::NotExamined => write!(xml, "<skipped message=\"{seen}\"/>"),
        };
        xml.push_str("</testcase>\n");
    }
    xml + "</testsuite>\n"
}

/// Text for XML, between tags or in a quoted attribute, without the characters that XML does not allow.
fn escaped(text: &str) -> String {
    let text = visible::one_line(text);
    let mut xml = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            _ => xml.push(letter),
        }
    }
    xml
}
