//! An examination as JUnit XML: a test case for each check.

use hola_base::Language;
use hola_base::junit::{JunitCase, JunitResult, JunitSuite};

use super::stored;
use crate::judge::{CheckResult, CheckState, Examination};

/// The XML document.
pub(super) fn junit(examination: &Examination, language: Language) -> String {
    let case = |check: &CheckResult| JunitCase {
        class: "hola.judge",
        name: check.id.clone(),
        result: result(check, language),
    };
    let suite = JunitSuite {
        name: format!("hola judge: {}", examination.server),
        cases: examination.checks.iter().map(case).collect(),
    };
    suite.xml()
}

fn result(check: &CheckResult, language: Language) -> JunitResult {
    let seen = stored(&check.seen, language).to_owned();
    match check.state {
        CheckState::Passed => JunitResult::Passed(seen),
        CheckState::Failed => JunitResult::Failed {
            expected: stored(&check.expected, language).to_owned(),
            seen: vec![seen, format!("$ {}", check.reproduce)],
        },
        CheckState::NotExamined => JunitResult::Skipped(seen),
    }
}
