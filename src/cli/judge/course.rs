//! An examination as the services of courses read it: a file for Gradescope, and a line for GitHub Classroom.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hola_base::Language;
use serde_json::{Value, json};

use super::{confinement, stored};
use crate::judge::{CheckResult, CheckState, Examination};

/// The `results.json` of a Gradescope autograder.
pub(super) fn gradescope(examination: &Examination, language: Language) -> String {
    let test = |check: &CheckResult| {
        json!({
            "name": stored(&check.expected, language),
            "number": check.id,
            "score": check.points,
            "max_score": check.points_max,
            "status": if check.state == CheckState::Failed { "failed" } else { "passed" },
            "output": told(check, language),
        })
    };
    let tests: Vec<Value> = examined(examination).map(test).collect();
    let document = json!({
        "score": examination.points,
        "output": confinement(examination, language),
        "tests": tests,
    });
    format!("{document:#}\n")
}

/// The `result` of a grader of GitHub Classroom: JSON in base64, for its reporter.
pub(super) fn classroom(examination: &Examination, language: Language) -> String {
    let test = |check: &CheckResult| {
        json!({
            "name": check.id,
            "status": status(check.state == CheckState::Failed),
            "score": check.points,
            "message": told(check, language),
            "test_code": check.reproduce,
            "filename": "",
            "line_no": 0,
            "duration": 0,
        })
    };
    let tests: Vec<Value> = examined(examination).map(test).collect();
    let document = json!({
        "version": 1,
        "status": status(examination.count(CheckState::Failed) > 0),
        "max_score": examination.points_max,
        "tests": tests,
    });
    BASE64_STANDARD.encode(document.to_string()) + "\n"
}

/// A check that was left out gives no points and takes none.
fn examined(examination: &Examination) -> impl Iterator<Item = &CheckResult> {
    let checks = examination.checks.iter();
    checks.filter(|check| check.state != CheckState::NotExamined)
}

fn status(has_failed: bool) -> &'static str {
    if has_failed { "fail" } else { "pass" }
}

/// What was seen, and for a failed check the command that repeats it.
fn told(check: &CheckResult, language: Language) -> String {
    let seen = stored(&check.seen, language);
    match check.state {
        CheckState::Failed => format!("{seen}\n$ {}", check.reproduce),
        _ => seen.to_owned(),
    }
}
