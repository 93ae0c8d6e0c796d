//! The program, run to its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

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

/// Whether there is Python. Prints that a test is skipped if not.
pub fn has_python() -> bool {
    let found = Command::new("python3").arg("--version").output();
    let is_there = found.is_ok_and(|output| output.status.success());
    if !is_there {
        println!("skipped: python3 is not installed");
    }
    is_there
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
