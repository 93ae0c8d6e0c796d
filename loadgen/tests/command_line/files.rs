//! Where results go: files, devices, pipes, and standard output.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use hola_loadgen::summary::{Line, Summary};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::{Ran, greeter, load, run};

#[test]
fn what_cannot_be_kept_is_refused_before_the_load_and_changes_nothing() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    fs::write(&taken, "precious").unwrap();
    symlink("/nowhere/else", folder.path().join("link")).unwrap();
    for (arguments, words) in [
        ("--output=/nowhere/o.json", "/nowhere/o.json"),
        ("--hlog=AT/link", "leads nowhere"),
        ("--hgrm=AT", "exists"),
        ("--hlog=AT/new --output=AT/new", "new is named twice"),
        ("--hlog=AT/new --hgrm=AT/taken", "taken: it exists"),
        ("--output=AT/new --hlog=AT/taken", "taken: it exists"),
        ("--hgrm=AT/new --output=AT/taken", "taken: it exists"),
    ] {
        let files = arguments.replace("AT", folder.path().to_str().unwrap());
        let ran = run(load(&server, &format!("--requests=10 {files}"))).exits_with(1);
        assert!(ran.stderr.contains(words), "{arguments}: {ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{arguments}: {ran:?}");
    }
    assert_eq!(fs::read_to_string(&taken).unwrap(), "precious");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    assert_eq!(server.accepted(), 0, "nothing is measured");
}

#[test]
fn files_appear_when_there_is_something_to_write_and_are_their_owners_alone() {
    let server = greeter();
    // JSON is written as a whole, NDJSON in parts.
    for format in ["json", "ndjson"] {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display();
        let files = format!("--output={at}/result --hlog={at}/hlog --hgrm={at}/hgrm");
        let arguments = format!("--requests=10 --format={format} {files}");
        // A run that never starts: the kernel does not know so many CPUs.
        run(load(&server, &format!("--cpus=1023 {arguments}"))).exits_with(1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let ran = run(load(&server, &arguments)).exits_with(0);
        assert!(ran.stdout.is_empty(), "{ran:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        for name in ["result", "hlog", "hgrm"] {
            let file = fs::metadata(folder.path().join(name)).unwrap();
            assert_eq!(file.permissions().mode() & 0o7777, 0o600, "{name}");
        }
        let result = fs::read_to_string(folder.path().join("result")).unwrap();
        assert_eq!(last_summary(&result, format).counts.ok, 10);
    }
}

/// The summary in a result: its only object, or its last line.
fn last_summary(result: &str, format: &str) -> Summary {
    match format {
        "json" => serde_json::from_str(result).unwrap(),
        _ => match serde_json::from_str(result.lines().last().unwrap()).unwrap() {
            Line::Summary(summary) => *summary,
            line => panic!("{line:?}"),
        },
    }
}

#[test]
fn devices_and_pipes_take_results() {
    let server = greeter();
    let null = "--output=/dev/null --hlog=/dev/null --hgrm=/dev/null";
    let ran = run(load(&server, &format!("--requests=10 {null}"))).exits_with(0);
    assert!(ran.stdout.is_empty() && ran.stderr.is_empty(), "{ran:?}");

    // Standard output as a pipe, and as a file that has something in it already.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all");
    fs::write(&path, "before\n").unwrap();
    let file = File::options().append(true).open(&path).unwrap();
    for stdout in [Stdio::piped(), Stdio::from(file)] {
        let files = "--hlog=/dev/stdout --output=/dev/null";
        let mut command = load(&server, &format!("--requests=10 {files}"));
        command.stdout(stdout);
        let ran = run(command).exits_with(0);
        let log = match ran.stdout.is_empty() {
            true => fs::read_to_string(&path).unwrap(),
            false => format!("before\n{}", ran.stdout),
        };
        assert!(log.starts_with("before\n#["), "{log}");
        assert!(log.contains("Tag=response,"), "{log}");
    }

    let pipe = folder.path().join("pipe");
    mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    let arguments = format!("--requests=10 --format=json --output={}", pipe.display());
    let load = load(&server, &arguments).spawn().unwrap();
    let result = fs::read_to_string(&pipe).unwrap();
    assert_eq!(last_summary(&result, "json").counts.ok, 10);
    assert!(load.wait_with_output().unwrap().status.success());
}

#[test]
fn a_full_disk_is_named_and_loses_nothing_that_was_measured() {
    let server = greeter();
    for (full, format) in [
        ("--hlog", "json"),
        ("--hgrm", "json"),
        ("--output", "json"),
        ("--output", "ndjson"),
    ] {
        let arguments = format!("--clients=3 --duration=300ms --interval=100ms --format={format}");
        let ran = run(load(&server, &format!("{arguments} {full}=/dev/full"))).exits_with(1);
        let begins = "error: cannot write /dev/full: No space left";
        assert!(ran.stderr.starts_with(begins), "{full}: {ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{full}: {ran:?}");
        assert!(last_summary(&ran.stdout, format).counts.ok > 0, "{full}");
    }
}

#[test]
fn a_full_standard_output_is_one_line_and_exit_code_1() {
    let server = greeter();
    for format in ["text", "json", "csv", "markdown", "ndjson"] {
        for clients in ["1", "1,2"] {
            let arguments = format!("--clients={clients} --requests=10 --format={format}");
            let mut command = load(&server, &arguments);
            command.stdout(File::options().write(true).open("/dev/full").unwrap());
            let ran = run(command).exits_with(1);
            let lines = ran.stderr.lines();
            let errors: Vec<&str> = lines.filter(|line| !line.starts_with('[')).collect();
            assert_eq!(errors.len(), 1, "{arguments}: {ran:?}");
            let begins = "error: cannot write to standard output: No space left";
            assert!(errors[0].starts_with(begins), "{arguments}: {ran:?}");
        }
    }
}

#[test]
fn a_closed_standard_output_ends_quietly() {
    let server = greeter();
    for format in ["text", "json", "csv", "markdown"] {
        let mut command = load(&server, &format!("--requests=10 --format={format}"));
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let ran = Ran::from(child.wait_with_output().unwrap()).exits_with(0);
        assert_eq!(ran.stderr, "", "{format}");
    }
    // A reader that closes after the first line ends the load.
    let arguments = "--clients=3 --duration=10m --interval=100ms --format=ndjson";
    let mut child = load(&server, arguments).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let first = stdout.lines().next().unwrap().unwrap();
    assert!(first.starts_with("{\"kind\":\"interval\""), "{first}");
    let ran = Ran::from(child.wait_with_output().unwrap()).exits_with(0);
    assert_eq!(ran.stderr, "");
}

#[test]
fn messages_that_nobody_can_be_told_change_nothing() {
    let server = greeter();
    let mut command = load(&server, "--requests=10 --fail-if=max>1us");
    command.stderr(File::options().write(true).open("/dev/full").unwrap());
    assert!(!run(command).exits_with(99).stdout.is_empty());
}
