//! An examination as JUnit XML, which services that run tests show.

use hola_base::Language;
use hola_base::visible;

use super::stored;
use crate::judge::{CheckState, Examination};

/// A test case for each check.
pub(super) fn junit(examination: &Examination, language: Language) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"hola judge: {}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
        escaped(&examination.server),
        examination.checks.len(),
        examination.count(CheckState::Failed),
        examination.count(CheckState::NotExamined),
    );
    for check in &examination.checks {
        let [expected, seen] =
            [&check.expected, &check.seen].map(|text| escaped(stored(text, language)));
        let result = match check.state {
            CheckState::Passed => format!("<system-out>{seen}</system-out>"),
            CheckState::Failed => {
                let reproduce = escaped(&check.reproduce);
                format!("<failure message=\"{expected}\">{seen}\n$ {reproduce}</failure>")
            }
            CheckState::NotExamined => format!("<skipped message=\"{seen}\"/>"),
        };
        let id = &check.id;
        xml += &format!("  <testcase classname=\"hola.judge\" name=\"{id}\">{result}</testcase>\n");
    }
    xml + "</testsuite>\n"
}

/// Text for XML, between tags or in a quoted attribute, without the characters that XML does not allow.
fn escaped(text: &str) -> String {
    let xml = visible::one_line(text).replace('&', "&amp;");
    let xml = xml.replace('<', "&lt;").replace('>', "&gt;");
    xml.replace('"', "&quot;")
}
