//! Results as JUnit XML, which services that run tests show.

use std::fmt::Write as _;

use crate::visible;

/// A named set of test cases.
#[derive(Clone, Debug)]
pub struct JunitSuite {
    /// Its name.
    pub name: String,
    /// Its cases, in order.
    pub cases: Vec<JunitCase>,
}

/// One thing that was tested.
#[derive(Clone, Debug)]
pub struct JunitCase {
    /// The group that it belongs to, such as `hola.judge`.
    pub class: &'static str,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub result: JunitResult,
}

/// What became of a test case.
#[derive(Clone, Debug)]
pub enum JunitResult {
    /// It passed; with what was seen.
    Passed(String),
    /// It failed.
    Failed {
        /// What was expected.
        expected: String,
        /// What was seen, and how to see it again: a line each.
        seen: Vec<String>,
    },
    /// It was left out, for this reason.
    Skipped(String),
}

impl JunitSuite {
    /// The suite as an XML document.
    pub fn xml(&self) -> String {
        let count = |is: fn(&JunitResult) -> bool| {
            let cases = self.cases.iter();
            cases.filter(|case| is(&case.result)).count()
        };
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\">\n",
            escaped(&self.name),
            self.cases.len(),
            count(|result| matches!(result, JunitResult::Failed { .. })),
            count(|result| matches!(result, JunitResult::Skipped(_))),
        );
        for case in &self.cases {
            // Writing to a string cannot fail.
            let _ = writeln!(
                xml,
                "  <testcase classname=\"{}\" name=\"{}\">{}</testcase>",
                case.class,
                escaped(&case.name),
                case.result.element()
            );
        }
        xml + "</testsuite>\n"
    }
}

impl JunitResult {
    /// The content of its test case.
    fn element(&self) -> String {
        match self {
            Self::Passed(seen) => format!("<system-out>{}</system-out>", escaped(seen)),
            Self::Failed { expected, seen } => {
                let seen: Vec<String> = seen.iter().map(|line| escaped(line)).collect();
                let (expected, seen) = (escaped(expected), seen.join("\n"));
                format!("<failure message=\"{expected}\">{seen}</failure>")
            }
            Self::Skipped(reason) => format!("<skipped message=\"{}\"/>", escaped(reason)),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_is_an_element_and_foreign_text_stays_text() {
        let case = |name: &str, result| JunitCase {
            class: "hola.load",
            name: name.to_owned(),
            result,
        };
        let suite = JunitSuite {
            name: "a \"b\" & c".to_owned(),
            cases: vec![
                case("p99>1ms", JunitResult::Passed("<ok>\u{1b}".to_owned())),
                case(
                    "p50",
                    JunitResult::Failed {
                        expected: "less".to_owned(),
                        seen: vec!["more\nthan".to_owned(), "$ again".to_owned()],
                    },
                ),
                case("max", JunitResult::Skipped("no \"sample\"".to_owned())),
            ],
        };
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
            <testsuite name=\"a &quot;b&quot; &amp; c\" tests=\"3\" failures=\"1\" skipped=\"1\">\n  \
            <testcase classname=\"hola.load\" name=\"p99&gt;1ms\"><system-out>&lt;ok&gt;\\u{1b}</system-out></testcase>\n  \
            <testcase classname=\"hola.load\" name=\"p50\"><failure message=\"less\">more than\n$ again</failure></testcase>\n  \
            <testcase classname=\"hola.load\" name=\"max\"><skipped message=\"no &quot;sample&quot;\"/></testcase>\n\
            </testsuite>\n";
        assert_eq!(suite.xml(), expected);
    }
}
