//! Gates as JUnit XML.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::{Ran, greeter, nobody, program, run};

/// Runs `program` with a file for the test report, and returns that, too.
fn reported(url: &str, arguments: &str) -> (Ran, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("load.xml");
    let arguments = format!("{url} --warmup=0s --junit={} {arguments}", file.display());
    let ran = run(program(&arguments));
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    (ran, fs::read_to_string(file).unwrap())
}

#[test]
fn each_gate_is_a_test_case_that_passes_or_fails_with_what_was_seen() {
    let server = greeter();
    let gates = "--fail-if=max>1h --fail-if=p50>1us --fail-if=p99.9>1h";
    let arguments = format!("--requests=200 --clients=2 {gates}");
    let (ran, xml) = reported(&server.address.to_string(), &arguments);
    assert_eq!(ran.code, Some(99), "{ran:?}");
    let suite = format!(
        "<testsuite name=\"hola load: http://{}/\" tests=\"4\" failures=\"2\" skipped=\"0\">\n",
        server.address
    );
    assert!(xml.contains(&suite), "{xml}");
    for line in [
        "name=\"a request succeeds\"><system-out>200 of 200 requests</system-out>",
        "name=\"max&gt;1h\"><system-out>max is ",
        "name=\"p50&gt;1us\"><failure message=\"p50&gt;1us does not hold\">gate broken: p50&gt;1us: p50 is ",
        "name=\"p99.9&gt;1h\"><failure message=\"p99.9&gt;1h does not hold\">gate not decided: ",
    ] {
        assert!(xml.contains(line), "{line}: {xml}");
    }
    assert!(xml.ends_with("</testsuite>\n"), "{xml}");
}

#[test]
fn several_loads_have_their_cases_each_and_strict_checks_are_cases_too() {
    let server = greeter();
    let arguments = "--clients=1,2 --requests=60 --fail-if=max>1h --strict";
    let (ran, xml) = reported(&server.address.to_string(), arguments);
    assert!(matches!(ran.code, Some(0 | 4)), "{ran:?}");
    for load in ["1 clients: ", "2 clients: "] {
        for case in [
            "a request succeeds\"",
            "max&gt;1h\"",
            "identity\"",
            "generator\"",
        ] {
            let name = format!("name=\"{load}{case}");
            assert_eq!(xml.matches(&name).count(), 1, "{name}: {xml}");
        }
    }
    let failed = xml.matches("<failure ").count();
    assert_eq!(failed > 0, ran.code == Some(4), "{ran:?}: {xml}");
}

#[test]
fn a_server_that_answers_nothing_fails_a_case_though_no_gate_is_broken() {
    let arguments = "--clients=1 --requests=3 --fail-if=failed>5";
    let (ran, xml) = reported(&nobody(), arguments);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(xml.contains("failures=\"1\""), "{xml}");
    let seen = "0 of 3 requests\n3 refused</failure>";
    assert!(xml.contains(seen), "{xml}");
}
