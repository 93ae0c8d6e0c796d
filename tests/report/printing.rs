//! What every command does when its standard output takes no more: a reader that has gone, a device that is full.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::exports::small;
use crate::rebuilt::stored;

const HOLA: &str = env!("CARGO_BIN_EXE_hola");

/// Every command that prints data about a run in `folder` or about nothing in particular.
fn commands(folder: &Path) -> Vec<Vec<String>> {
    let folder = folder.to_str().expect("text");
    let report = |format: &str| {
        vec![
            "report".into(),
            folder.into(),
            "--format".into(),
            format.into(),
        ]
    };
    let diff = |format: &str| {
        vec!["diff", folder, folder, "--format", format]
            .into_iter()
            .map(String::from)
            .collect()
    };
    let plain = [
        "--help",
        "--version",
        "compare --help",
        "models",
        "models --json",
        "experiments",
        "experiments --json",
        "claims",
        "claims --json",
        "spawn thread --count 1",
        "keep -- true",
    ];
    let words = |line: &str| line.split(' ').map(String::from).collect();
    let mut commands: Vec<Vec<String>> = plain.into_iter().map(words).collect();
    commands.push(vec!["report".into(), folder.into()]);
    commands.extend(
        [
            "html",
            "markdown",
            "csv",
            "cells",
            "hyperfine",
            "github-action-benchmark",
            "table",
        ]
        .map(report),
    );
    commands.extend(["text", "markdown", "html", "json"].map(diff));
    commands
}

/// Runs the program with its standard output going to `stdout`.
fn run(arguments: &[String], stdout: impl Into<Stdio>) -> Output {
    let mut command = Command::new(HOLA);
    command
        .args(arguments)
        .stdout(stdout)
        .stderr(Stdio::piped());
    // An open input: a program that ends does so for another reason.
    let (_open, input) = io::pipe()
        .map(|(reader, writer)| (writer, reader))
        .expect("a pipe");
    command.stdin(input);
    // `keep` ends with its input.
    if arguments[0] == "keep" {
        command.stdin(Stdio::null());
    }
    command
        .spawn()
        .and_then(std::process::Child::wait_with_output)
        .expect("the program runs")
}

/// The writing end of a pipe that has no reader.
fn closed_pipe() -> io::PipeWriter {
    io::pipe().expect("a pipe").1
}

fn full_device() -> File {
    File::options()
        .write(true)
        .open("/dev/full")
        .expect("Linux has one")
}

/// A folder that holds the records of a small run.
fn run_folder() -> (tempfile::TempDir, PathBuf) {
    let results = tempfile::tempdir().expect("a folder");
    let (run, trials) = small();
    let folder = stored(results.path(), &run, &trials);
    (results, folder)
}

#[test]
fn a_closed_pipe_ends_every_command_quietly() {
    let (_results, folder) = run_folder();
    for arguments in commands(&folder) {
        let output = run(&arguments, closed_pipe());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        assert_eq!(said, "", "{arguments:?}");
    }
}

#[test]
fn a_full_device_is_named_in_one_line_by_every_command() {
    let (_results, folder) = run_folder();
    for arguments in commands(&folder) {
        let output = run(&arguments, full_device());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert_eq!(
            said, "hola: cannot write to standard output: No space left on device (os error 28)\n",
            "{arguments:?}"
        );
    }
}

#[test]
fn a_comparison_that_cannot_print_its_answer_has_kept_its_run() {
    for (stdout, code) in [(Stdio::from(closed_pipe()), 0), (full_device().into(), 1)] {
        let results = tempfile::tempdir().expect("a folder");
        let mut arguments: Vec<String> = [
            "compare",
            "--experiments=churn",
            "--models=iterative",
            "--clients=1",
            "--rounds=1",
            "--duration=50ms",
        ]
        .map(String::from)
        .into();
        arguments.push(format!("--output={}", results.path().display()));
        let output = run(&arguments, stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(!said.contains("panicked"), "{said}");
        let folder = fs::read_dir(results.path())
            .expect("a folder")
            .flatten()
            .next()
            .expect("a run");
        assert!(folder.path().join("report.html").exists());
    }
}

#[test]
fn a_client_whose_output_takes_no_more_leaves() {
    for (stdout, code) in [(Stdio::from(closed_pipe()), 0), (full_device().into(), 1)] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a client");
            socket.write_all(b"hola\n").expect("sent");
            // Open until the client leaves.
            let _ = io::copy(&mut socket, &mut io::sink());
        });
        let output = run(&["client".into(), address], stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert_eq!(
            said.lines().count(),
            usize::try_from(code).expect("0 or 1"),
            "{said}"
        );
        server.join().expect("no panic");
    }
}

#[test]
fn a_standard_error_that_takes_no_more_changes_no_exit_code() {
    for stderr in [Stdio::from(closed_pipe()), full_device().into()] {
        let status = Command::new(HOLA)
            .args(["report", "/nowhere"])
            .stderr(stderr)
            .status()
            .expect("the program runs");
        assert_eq!(status.code(), Some(1));
    }
}
