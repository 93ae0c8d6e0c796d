//! Which answers are right, and what the others are counted as.

use crate::truth::{Truth, answer_once};
use crate::{load, run};

/// A server that gives every request an answer with this status and body.
fn answerer(status: u16, body: &str) -> Truth {
    let length = match status {
        204 => String::new(),
        _ => format!("Content-Length: {}\r\n", body.len()),
    };
    let answer = format!("HTTP/1.1 {status} X\r\n{length}Connection: close\r\n\r\n{body}");
    Truth::start(move |_, stream| answer_once(stream, answer.as_bytes()))
}

const GREETING: &str = "Hola, cliente!";

/// Status and body of an answer, arguments, and what the answer is counted as if it is not right.
#[rustfmt::skip] // a table
const ANSWERS: &[(u16, &str, &str, Option<&str>)] = &[
    (200, GREETING, "", None),
    (200, "Hi", "", Some("bad_body")),
    (200, "Hi", "--path=/a", None),
    (200, "Hi", "--expect-body=any", None),
    (200, "Hi", "--expect-body=Hi", None),
    (200, "Hi", "--expect-body=Ho", Some("bad_body")),
    (200, "Hi", "--expect-body=", Some("bad_body")),
    (200, "Hi", "--expect-status=200", None),
    (200, "Hi", "--expect-status=2xx,404", None),
    (404, "No", "--expect-status=2xx,404", None),
    (404, "No", "--expect-status=400-499 --expect-body=No", None),
    (404, "No", "--expect-status=4xx --expect-body=Yes", Some("bad_body")),
    (404, "No", "", Some("status_404")),
    (404, GREETING, "", Some("status_404")),
    (200, GREETING, "--expect-status=404", Some("status_200")),
    (204, "", "--expect-status=204", None),
    (204, "", "--path=/a", None),
    (302, "", "--expect-status=3xx", None),
    (599, "", "--expect-status=599", None),
];

#[test]
fn an_answer_is_right_by_its_status_and_its_body_or_counted_as_what_it_is() {
    for (status, body, arguments, failure) in ANSWERS {
        let arguments = format!("--requests=5 --clients=1 --format=json {arguments}");
        let ran = run(load(&answerer(*status, body), &arguments));
        let counts = ran.summary().counts;
        let seen: Vec<&str> = counts.failed.keys().map(String::as_str).collect();
        assert_eq!(seen, Vec::from_iter(*failure), "{status} {body} {ran:?}");
        let right = if failure.is_none() { 5 } else { 0 };
        assert_eq!(counts.ok, right, "{status} {body} {ran:?}");
    }
}

#[test]
fn the_plan_says_which_answers_were_expected() {
    let several = "200-299,404,500-502";
    for (arguments, status, body_bytes) in [
        ("", "200-299", Some(14)),
        ("--expect-status=2xx,404,500-502", several, None),
        ("--expect-body=Hi --method=PUT", "200-299", Some(2)),
        ("--method=HEAD", "200-299", None),
    ] {
        let arguments = format!("--requests=1 --clients=1 --format=json {arguments}");
        let ran = run(load(&answerer(200, ""), &arguments));
        let plan = ran.summary().plan.http.unwrap();
        let seen = (&*plan.expected_status, plan.expected_body_bytes);
        assert_eq!(seen, (status, body_bytes));
    }
}

#[test]
fn wrong_bodies_and_redirections_come_with_advice() {
    for (status, advice) in [
        (200, "--expect-body"),
        (301, "redirections are not followed"),
    ] {
        let ran = run(load(&answerer(status, ""), "--requests=2 --clients=1"));
        assert!(ran.stdout.contains(advice), "{ran:?}");
        ran.exits_with(1);
    }
}
