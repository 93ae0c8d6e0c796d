//! The action that compares a pull request, played as its runner would.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::HOLA;

/// The folder of the action.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/pull-request");

/// What a job gives the action, beside the two commands.
const INPUTS: [(&str, &str); 4] = [
    ("blocks", "4"),
    ("metrics", "cpu_us_per_request"),
    ("language", "en"),
    ("comment", "true"),
];

/// What the action left behind.
struct Played {
    code: Option<i32>,
    summary: String,
    /// Arguments of gh(1), and the comment.
    commented: String,
}

/// A server that works that long for each request.
fn serve(extra_work_ns: &str) -> String {
    format!("{HOLA} serve epoll --bind 127.0.0.1:{{port}} --extra-work-ns {extra_work_ns}")
}

/// The environment of the last step, with the values of the inputs in place of their names.
fn environment(inputs: &BTreeMap<&str, &str>) -> BTreeMap<String, String> {
    let action = fs::read_to_string(Path::new(FOLDER).join("action.yml")).expect("the action");
    let (_, step) = action.rsplit_once("      env:\n").expect("an environment");
    let pairs = step.lines().filter_map(|line| line.trim().split_once(": "));
    let pairs = pairs.filter(|(name, _)| *name != "run");
    let value = |value: &str| {
        let expression = value.strip_prefix("${{ ")?.strip_suffix(" }}")?;
        match expression.strip_prefix("inputs.") {
            Some(name) if !name.contains(' ') => Some(inputs[name].to_owned()),
            // What only a real runner knows.
            _ => Some("7".to_owned()),
        }
    };
    pairs
        .map(|(name, text)| (name.to_owned(), value(text).expect("an expression")))
        .collect()
}

/// Runs the last step of the action on two servers.
fn play(base: &str, head: &str) -> Played {
    let folder = tempfile::tempdir().expect("a folder");
    let commented = folder.path().join("commented");
    let gh = folder.path().join("gh");
    let script = format!(
        "#!/bin/sh\necho \"$@\" > '{0}'\ncat \"$5\" >> '{0}'\n",
        commented.display()
    );
    fs::write(&gh, script).expect("written");
    fs::set_permissions(&gh, Permissions::from_mode(0o755)).expect("its owner's");
    let path = std::env::var("PATH").unwrap_or_default();
    let inputs = [("base-command", base), ("head-command", head)];
    let inputs: BTreeMap<&str, &str> = inputs.into_iter().chain(INPUTS).collect();
    let summary = folder.path().join("summary");
    let mut command = Command::new(Path::new(FOLDER).join("compare"));
    command
        .envs(environment(&inputs))
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .env("HOLA", HOLA)
        .env("OUTPUT", folder.path().join("runs"))
        .env("GITHUB_STEP_SUMMARY", &summary);
    let output = command.output().expect("bash is there");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let read = |path| fs::read_to_string(path).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    Played {
        code: output.status.code(),
        summary: read(summary.as_path()),
        commented: read(commented.as_path()),
    }
}

#[test]
fn a_change_that_costs_more_fails_and_its_comment_says_by_how_much() {
    let played = play(&serve("0"), &serve("100000"));
    assert_eq!(played.code, Some(99), "{}", played.summary);
    for text in [&played.summary, &played.commented] {
        assert!(
            text.contains("base → head") && text.contains("costs more"),
            "{text}"
        );
    }
    let asked = played.commented.lines().next().unwrap_or_default();
    assert!(asked.starts_with("pr comment 7 --body-file "), "{asked}");
}

#[test]
fn a_change_that_costs_less_passes() {
    let played = play(&serve("100000"), &serve("0"));
    assert_eq!(played.code, Some(0), "{}", played.summary);
    assert!(played.commented.contains("cheaper"), "{}", played.commented);
}
