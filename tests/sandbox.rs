//! `hola judge` of servers that do harm: with and without a sandbox they leave no process, fill no disk, keep nobody
//! waiting, and are reported.

mod support;

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use nix::unistd::Uid;
use procfs::process::all_processes;
use serde_json::Value;
use tempfile::TempDir;

use self::support::{HOLA, eventually, has_program, paths_in};

const HOSTILE_SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/judge/hostile.py");

/// Longest examination, in seconds.
const DEADLINE_S: u64 = 6;
/// Longest time after that: for the check that is being made, the end of its server, and a busy machine.
const AFTER_DEADLINE: Duration = Duration::from_secs(40);
/// Most bytes in a place where a server can write.
const PLACE_BYTES_MAX: u64 = 64 << 20;

/// A folder for the server to work in, and a home.
struct Folders {
    work: TempDir,
    home: TempDir,
}

impl Folders {
    fn new() -> Self {
        let folder = || tempfile::tempdir().expect("a folder");
        Folders {
            work: folder(),
            home: folder(),
        }
    }

    /// Runs `hola judge` of that command, in the folder. Checks that it ends in time and leaves no process.
    fn judge(&self, options: &[&str], command: &[&str]) -> Output {
        let begun = Instant::now();
        let output = Command::new(HOLA)
            .args(["judge", "--format", "json", "--processes", "200"])
            .args(["--memory", "256M", "--deadline", &DEADLINE_S.to_string()])
            .args(options)
            .arg("--")
            .args(command)
            .current_dir(&self.work)
            .env("HOME", self.home.path())
            .output()
            .expect("the program runs");
        let longest = Duration::from_secs(DEADLINE_S) + AFTER_DEADLINE;
        assert!(begun.elapsed() < longest, "{command:?}: {output:?}");
        let mark = self.mark();
        eventually("no process is left", || processes_with(&mark).is_empty());
        output
    }

    /// An argument by which its processes are told from others.
    fn mark(&self) -> String {
        self.work.path().display().to_string()
    }

    /// Examines the server that does harm.
    fn judge_harm(&self, sandbox: &str, harm: &str, places: &[&str]) -> Output {
        let mark = self.mark();
        let command = ["python3", HOSTILE_SERVER, "{port}", harm, &mark];
        self.judge(&["--sandbox", sandbox], &[&command[..], places].concat())
    }
}

/// Command lines of the processes that have this argument.
fn processes_with(mark: &str) -> Vec<String> {
    let processes = all_processes().expect("/proc").flatten();
    let lines = processes.filter_map(|process| process.cmdline().ok());
    let lines = lines.map(|words| words.join(" "));
    lines.filter(|line| line.contains(mark)).collect()
}

/// Whether a sandbox can be made here. Prints the reason if not.
fn has_sandbox() -> bool {
    let command = ["true", "{port}"];
    let output = Folders::new().judge(&["--sandbox", "bwrap"], &command);
    let is_there = output.status.code() != Some(2);
    if !is_there {
        println!("skipped: {}", String::from_utf8_lossy(&output.stderr));
    }
    is_there
}

/// Whether a control group can be made here that limits processes. Prints the reason if not.
fn has_group_limits() -> bool {
    let has = Path::new("/sys/fs/cgroup/pids").is_dir() && Uid::effective().is_root();
    if !has {
        println!("skipped in part: no control group limits processes here");
    }
    has
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn examination(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Asserts that the server did not start, for a reason that has those words.
fn assert_not_started(output: &Output, reason: &str) {
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(words(output).contains(reason), "{output:?}");
}

/// Asserts that the server was examined and greets.
fn assert_greets(output: &Output) {
    assert!(matches!(output.status.code(), Some(0 | 99)), "{output:?}");
    assert_eq!(
        examination(output)["checks"][0]["state"],
        "passed",
        "{output:?}"
    );
}

/// What is so with a sandbox and without.
fn assert_harmless(sandbox: &str) {
    let folders = Folders::new();
    let judge = |harm| folders.judge_harm(sandbox, harm, &[]);
    let reached = |output: &Output| examination(output)["reached_limits"].to_string();

    assert_greets(&judge("ignores-sigterm"));
    assert_greets(&judge("prints-without-end"));
    assert_not_started(&judge("leaves"), "it left, and that were killed: 1");
    assert_not_started(&judge("listens-elsewhere"), ", but on ");
    let (processes, memory) = (judge("starts-processes"), judge("takes-memory"));
    if has_group_limits() {
        assert!(reached(&processes).contains("processes"), "{processes:?}");
        assert!(reached(&memory).contains("memory"), "{memory:?}");
    }
}

#[test]
fn a_server_that_does_harm_is_ended_and_reported_without_a_sandbox() {
    if !has_program("python3") {
        return;
    }
    assert_harmless("none");
    let folders = Folders::new();
    let killed = folders.judge_harm("none", "kills-parent", &[]);
    assert_not_started(&killed, "hola supervise, which ran it, was killed");
    if has_group_limits() {
        let killed = folders.judge_harm("none", "leaves-and-kills-parent", &[]);
        assert_not_started(&killed, "hola supervise, which ran it, was killed");
    }
    let filled = folders.judge_harm("none", "fills-disk", &["."]);
    assert_not_started(&filled, "File too large");
    for path in paths_in(folders.work.path()) {
        let length = path.metadata().expect("a file").len();
        assert!(length <= PLACE_BYTES_MAX, "{path:?}: {length}");
    }
}

#[test]
fn a_server_that_does_harm_is_ended_and_reported_in_a_sandbox() {
    if !has_program("python3") || !has_sandbox() {
        return;
    }
    assert_harmless("bwrap");
    let folders = Folders::new();
    for harm in ["kills-parent", "leaves-and-kills-parent"] {
        // Its parent is the first process of its namespace, which it cannot kill.
        assert_greets(&folders.judge_harm("bwrap", harm, &[]));
    }
    let home = folders.home.path().display().to_string();
    let places = [".", "/tmp", "/dev/shm", &home, "/dev", "/var/tmp"];
    let filled = folders.judge_harm("bwrap", "fills-disk", &places);
    assert_not_started(&filled, "wrote 19");
    let refusals = words(&filled);
    for refused in [".: Read-only", "/dev: Read-only", "/var/tmp: Read-only"] {
        assert!(refusals.contains(refused), "{refused}: {refusals}");
    }
    for full in ["/tmp", "/dev/shm", &home] {
        let words = format!("{full}: No space left");
        assert!(refusals.contains(&words), "{full}: {refusals}");
    }
    for folder in [folders.work.path(), folders.home.path()] {
        assert!(paths_in(folder).is_empty());
    }
}

#[test]
fn a_server_in_a_sandbox_sees_its_folder_and_its_processes_and_nothing_of_the_home_or_the_network()
{
    if !has_sandbox() {
        return;
    }
    let folders = Folders::new();
    std::fs::write(folders.work.path().join("own"), "mine\n").expect("written");
    let secret = folders.home.path().join("secret");
    std::fs::write(&secret, "nobody else's\n").expect("written");
    let script = "cat own $HOME/secret; echo written > /tmp/file && cat /tmp/file; \
        echo processes $(ls -d /proc/[0-9]* | wc -l) routes $(tail -n +2 /proc/net/route | wc -l).";
    let seen = folders.judge(&["--sandbox", "bwrap"], &["sh", "-c", script, "{port}"]);
    let seen = words(&seen);
    assert!(seen.contains("mine") && seen.contains("written"), "{seen}");
    assert!(seen.contains("secret: No such file"), "{seen}");
    assert!(!seen.contains("nobody else's"), "{seen}");
    let count = seen
        .split("processes ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let count: usize = count
        .and_then(|count| count.parse().ok())
        .expect("a number");
    assert!(count < 10, "{seen}");
    if Uid::effective().is_root() {
        assert!(seen.contains("routes 0."), "{seen}");
    }
}

#[test]
fn a_sandboxed_server_passes_every_check_and_its_processes_are_seen() {
    if !has_sandbox() {
        return;
    }
    for (model, kind) in [
        ("fork-per-client", "process-per-client"),
        ("pre-threaded", "thread-pool"),
    ] {
        let output = Command::new(HOLA)
            .args([
                "judge",
                "--format",
                "json",
                "--sandbox",
                "bwrap",
                "--expect",
                kind,
            ])
            .args(["--", HOLA, "serve", model, "--bind", "127.0.0.1:{port}"])
            .output()
            .expect("the program runs");
        let examination = examination(&output);
        assert_eq!(output.status.code(), Some(0), "{examination:#}");
        assert_eq!(examination["sandbox"]["is_sandboxed"], true);
    }
}

#[test]
fn where_there_is_no_bwrap_the_output_says_so_and_a_demand_for_it_is_refused() {
    let judge = |sandbox: &str| {
        Command::new(HOLA)
            .args(["judge", "--deadline", "1", "--sandbox", sandbox, "--", HOLA])
            .args(["serve", "epoll", "--bind", "127.0.0.1:{port}"])
            .env("PATH", "/no/such/folder")
            .output()
            .expect("the program runs")
    };
    let refused = judge("bwrap");
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let first = words(&refused);
    let first = first.lines().next().unwrap_or_default();
    let why = "--sandbox bwrap: there is no program bwrap: install bubblewrap";
    assert!(first.contains(why), "{first}");
    let text = String::from_utf8(judge("auto").stdout).expect("text");
    let line = "sandbox: none (there is no program bwrap: install bubblewrap)\n";
    assert!(text.contains(line), "{text}");
}
