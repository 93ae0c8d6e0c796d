//! Servers with one fault each: the check for it fails, and no other.

use super::servers::{built_by_cc, python};
use super::{failed, has_program, judge, side_by_side};

/// A fault of the Python server · the check that it fails.
const PYTHON_FAULTS: [(&str, &str); 18] = [
    ("wrong-greeting", "greeting"),
    ("wrong-length", "greeting"),
    ("one-read", "pieces"),
    ("answers-a-piece", "pieces"),
    ("ignores-head", "head"),
    ("crashes-on-bad-request", "bad_request"),
    ("ignores-half-close", "half_close"),
    ("never-closes", "close"),
    ("dies-on-reset", "reset"),
    ("dies-on-sigpipe", "reset"),
    ("leaves-zombies", "zombies"),
    ("leaks-descriptor", "descriptors"),
    ("ends-without-descriptors", "descriptor_limit"),
    ("dies-at-thread-limit", "thread_limit"),
    ("ignores-sigterm", "stop"),
    ("waits-for-clients", "stop"),
    ("no-reuse-address", "stop"),
    ("one-at-a-time", "kind"),
];

/// A server in C · its fault · the check that it fails.
const C_FAULTS: [(&str, &str, &str); 3] = [
    ("iterative", "counts-the-zero", "greeting"),
    ("iterative", "dies-on-sigpipe", "reset"),
    ("fork", "leaves-children", "stop"),
];

/// Judges the server that `command` starts, which must fail that check alone.
fn fails(check: &str, command: &[&str]) {
    // A server that has ended has no kind, so that is asked only where it is the fault.
    let expect: &[&str] = match check {
        "kind" => &["--expect", "thread-per-client"],
        _ => &[],
    };
    let (code, examination) = judge(&[expect, &["--"], command].concat());
    assert_eq!(
        failed(&examination),
        [check],
        "{command:?}: {examination:#}"
    );
    assert_eq!(code, Some(99), "{command:?}");
}

#[test]
fn a_server_with_one_fault_fails_exactly_the_check_for_it() {
    if !has_program("python3") {
        return;
    }
    let server = python("threads.py");
    let server: Vec<&str> = server.iter().map(String::as_str).collect();
    side_by_side(&PYTHON_FAULTS, |&(fault, check)| {
        fails(check, &[&server[..], &["{port}", fault]].concat());
    });
}

#[test]
fn what_only_c_gets_wrong_fails_exactly_the_check_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    side_by_side(&C_FAULTS, |&(server, fault, check)| {
        let place = folder.path().join(fault);
        if let Some(program) = built_by_cc(server, &place) {
            fails(check, &[&program, "{port}", fault]);
        }
    });
}
