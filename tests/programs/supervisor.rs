//! `hola supervise`: no process of a server is left, whoever dies, and nothing of anybody else's is touched.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procfs::process::Process;
use tempfile::TempDir;

use crate::support::{HOLA, assert_has, eventually, is_running, paths_in};
use crate::targets::{assert_gone, pids_of, script, start};

fn command_line(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}

fn kill_all(pids: &[i32]) {
    for &pid in pids {
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("it is there");
    }
}

/// Process ids that a script writes into a file.
fn pids_in(file: &Path) -> Vec<i32> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace().flat_map(str::parse).collect()
}

#[test]
fn no_process_outlives_a_supervisor_whose_input_has_ended_not_even_an_orphan() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = folder.path().join("pids");
    // A child that ignores SIGTERM, and an orphaned grandchild.
    let script = format!(
        "trap '' TERM; (sleep 600 & echo $! > {0}); sleep 600 & echo $! $$ >> {0}; wait",
        told.display()
    );
    let mut supervisor = Command::new(HOLA)
        .args(["supervise", "--", "sh", "-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program runs");
    eventually("all are there", || pids_in(&told).len() == 3);
    drop(supervisor.stdin.take());
    assert!(supervisor.wait().expect("a child").success());
    assert_gone(&pids_in(&told));
}

/// A folder for a test's temporary files, and another one that the supervisor must not touch.
fn temporary() -> (TempDir, TempDir) {
    let [temporary, elsewhere] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    fs::write(elsewhere.path().join("kept"), "kept").expect("written");
    (temporary, elsewhere)
}

#[test]
fn a_supervisor_takes_nothing_but_what_its_starter_has_made() {
    let (temporary, elsewhere) = temporary();
    let own = format!("hola-{}-", std::process::id());
    let in_temporary = |name: &str| temporary.path().join(name);
    // A folder of another process, a link, and a file; one name does not exist.
    fs::create_dir(in_temporary("hola-1-x")).expect("made");
    symlink(elsewhere.path(), in_temporary(&format!("{own}link"))).expect("linked");
    fs::write(in_temporary(&format!("{own}file")), "kept").expect("written");
    let path = elsewhere.path().to_str().expect("text").to_owned();
    let name = elsewhere.path().file_name().expect("a name");
    let climbing = format!("{own}x/../../{}", name.display());
    let cases = [
        ("--folder", path.clone(), 2),
        ("--folder", climbing, 2),
        ("--folder", "..".into(), 2),
        ("--folder", "hola-1-x".into(), 1),
        ("--folder", format!("{own}link"), 1),
        ("--folder", format!("{own}file"), 1),
        ("--folder", format!("{own}none"), 1),
        ("--cgroup", path, 2),
        ("--cgroup", "..".into(), 2),
        ("--cgroup", "hola-1-0".into(), 1),
        ("--cgroup", format!("{own}none"), 1),
    ];
    let started = in_temporary("started");
    for (option, value, code) in cases {
        let output = Command::new(HOLA)
            .args(["supervise", option, &value, "--", "touch"])
            .arg(&started)
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .output()
            .expect("the program runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{value}: {stderr}");
        assert_has(&stderr, &[option]);
        assert!(!started.exists(), "{option} {value}");
    }
    let kept = [temporary.path(), elsewhere.path()].map(|folder| paths_in(folder).len());
    assert_eq!(kept, [3, 1]);
}

#[test]
fn a_killed_runner_leaves_no_target_and_no_folder_but_keeps_what_a_link_leads_to() {
    let (temporary, elsewhere) = temporary();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = port.expect("a port");
    // The shell makes the folder, holds the supervisor's input open as the lab does, and is killed.
    let script = "mkdir $TMPDIR/hola-$$-x && ln -s $2 $TMPDIR/hola-$$-x/link && mkdir $TMPDIR/hola-1-x \
        && sleep 600 | $1 supervise --folder hola-$$-x -- $1 serve fork-per-client --bind $3";
    let mut shell = Command::new("sh")
        .args(["-c", script, "sh", HOLA])
        .arg(elsewhere.path())
        .arg(address.to_string())
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    eventually("it listens", || TcpStream::connect(address).is_ok());
    let held = TcpStream::connect(address).expect("connected");
    let pid = i32::try_from(shell.id()).expect("a process id");
    let mut target = Vec::new();
    eventually("a child of the target holds a client", || {
        target = pids_of(pid);
        target.retain(|&pid| {
            let line = command_line(pid);
            line.contains("fork-per-client") && !line.contains("supervise")
        });
        target.len() >= 2
    });
    let folder = temporary.path().join(format!("hola-{pid}-x"));
    assert!(folder.is_dir());
    let is_input = |one: &i32| command_line(*one).starts_with("sleep") && parent_of(*one) == pid;
    let input = pids_of(pid).into_iter().find(is_input);
    kill_all(&[pid, input.expect("the input's other end")]);
    shell.wait().expect("a child");
    eventually("nobody is left", || {
        !folder.exists() && !target.iter().any(|&pid| is_running(pid))
    });
    drop(held);
    assert!(TcpStream::connect(address).is_err(), "the port is free");
    assert!(temporary.path().join("hola-1-x").is_dir() && elsewhere.path().join("kept").is_file());
}

fn parent_of(pid: i32) -> i32 {
    let stat = Process::new(pid).and_then(|process| process.stat());
    stat.expect("it is there").ppid
}

#[test]
fn a_supervisor_that_is_killed_takes_its_target_along_and_is_named() {
    // A target that leaves a child behind: the child does not end with its parent, and ignores SIGTERM.
    let folder = tempfile::tempdir().expect("a folder");
    let told = folder.path().join("pid");
    let with_child = script(format!(
        "(trap '' TERM HUP; sleep 600 & echo $! > {}); exec {HOLA} serve fork-per-client --bind 127.0.0.1:@port@",
        told.display()
    ));
    let target = start(&with_child).expect("started");
    let everybody = [target.pid(), pids_in(&told)[0]];
    assert!(everybody.iter().all(|&pid| is_running(pid)));
    // The target's parent is its supervisor.
    kill_all(&[parent_of(target.pid())]);
    // This happens before the test calls `stop`.
    eventually("nobody is left", || {
        !everybody.iter().any(|&pid| is_running(pid))
    });
    let reason = target.stop().expect_err("it was killed");
    assert_has(
        &reason,
        &["hola supervise, which ran it, was killed (signal 9)"],
    );
}
