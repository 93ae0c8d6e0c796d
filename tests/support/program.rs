//! The program, run to its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use hola_lab::record::{Block, Run};
use hola_lab::store;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procfs::process::Process;

use super::{HOLA, end_of};

/// Runs the program to its end. Returns its exit status, its stdout and its stderr.
pub fn hola(arguments: &[&str]) -> (ExitStatus, String, String) {
    let output = Command::new(HOLA).args(arguments).output();
    texts(output.expect("the program runs"))
}

/// Runs the program, which must succeed. Returns its stdout.
pub fn printed(arguments: &[&str]) -> String {
    let (status, stdout, stderr) = hola(arguments);
    assert!(status.success(), "{arguments:?}: {status}: {stderr}");
    stdout
}

/// Runs the program, which must print nothing and end with this exit code. Returns its stderr.
pub fn refused(code: i32, arguments: &[&str]) -> String {
    let (status, stdout, stderr) = hola(arguments);
    let ended = (status.code(), stdout.as_str());
    assert_eq!(ended, (Some(code), ""), "{arguments:?}: {stderr}");
    stderr
}

/// Runs the program, which must print nothing on stdout, end with that code, and name all of `words` in the first line on
/// stderr. A server that does not start writes no second line. Returns its stderr.
pub fn fails(arguments: &[&str], code: i32, words: &[&str]) -> String {
    let stderr = refused(code, arguments);
    let first = stderr.lines().next().unwrap_or_default();
    let is_named = words.iter().all(|word| first.contains(word));
    let is_short = code != 3 || stderr.lines().count() == 1;
    assert!(is_named && is_short, "{arguments:?}: {words:?}: {stderr}");
    stderr
}

/// Each of `words` must be in `text`.
pub fn assert_has(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text}");
    }
}

/// The rows of a table as text: a line each, with fields between bars.
pub fn rows_of(table: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = table.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| line.split('|').map(str::trim).collect())
}

/// Whether there is that program, by its output of a version; prints a line where there is none.
pub fn has_program(name: &str) -> bool {
    // `go` has a command for it.
    let is_there = ["--version", "version"].into_iter().any(|version| {
        let found = Command::new(name).arg(version).output();
        found.is_ok_and(|output| output.status.success())
    });
    if !is_there {
        println!("skipped: {name} is not installed");
    }
    is_there
}

/// Runs `hola compare` with these arguments, separated by spaces, and `more` of them. It must succeed. Returns the run in
/// `results`, its blocks and its folder.
pub fn compared(results: &Path, arguments: &str, more: &[&str]) -> (Run, Vec<Block>, PathBuf) {
    let output = format!("--output={}", results.display());
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let first_screen = printed(&[&["compare", &output], &arguments[..], more].concat());
    assert!(!first_screen.is_empty());
    run_in(results)
}

/// The only run in `results`, its blocks and its folder.
pub fn run_in(results: &Path) -> (Run, Vec<Block>, PathBuf) {
    let folder = only_folder(results);
    let (run, blocks) = store::read(&folder).expect("a run");
    (run, blocks, folder)
}

/// Whether that process exists, and is not a zombie that is still to be reaped.
pub fn is_running(pid: i32) -> bool {
    let stat = Process::new(pid).and_then(|process| process.stat());
    stat.is_ok_and(|stat| stat.state != 'Z')
}

/// Runs `command`, which must not become a server, to its end. Returns its exit code, its stdout and its stderr.
pub fn ends(mut command: Command) -> (Option<i32>, String, String) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_remove("RUST_BACKTRACE")
        .spawn()
        .expect("the program runs");
    // Its output fits into a pipe.
    end_of(&mut child);
    let (status, stdout, stderr) = texts(child.wait_with_output().expect("a child"));
    (status.code(), stdout, stderr)
}

fn texts(output: Output) -> (ExitStatus, String, String) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status, text(output.stdout), text(output.stderr))
}

/// Sends a signal to a running child.
pub fn send_signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().expect("a process id"));
    kill(pid, signal).expect("it is there");
}

/// Paths of the files in a folder.
pub fn paths_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries.map(|entry| entry.path()).collect()
}

/// The only folder in `results`.
pub fn only_folder(results: &Path) -> PathBuf {
    let folders = paths_in(results);
    assert_eq!(folders.len(), 1, "{folders:?}");
    folders[0].clone()
}
