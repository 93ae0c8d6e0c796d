//! `hola calibrate`: what it measures is printed, kept, and found again by `hola load`.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use self::support::{HOLA, eventually};

fn hola(file: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(HOLA);
    command.args(arguments).env("HOLA_CALIBRATION", file);
    command
}

#[test]
fn what_it_prints_is_kept_for_every_later_load() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("new/calibration.json");
    let began = Instant::now();
    let calibrated = hola(&file, &["calibrate", "--format=json"])
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&calibrated.stderr);
    assert_eq!(calibrated.status.code(), Some(0), "{said}");
    // Half a minute is what it promises; a busy machine may take a while to end a thread.
    assert!(began.elapsed() < Duration::from_secs(45));
    assert_eq!(
        fs::read(&file).expect("kept"),
        calibrated.stdout,
        "what is printed is what is kept"
    );
    let calibration: Value = serde_json::from_slice(&calibrated.stdout).expect("JSON");
    let ceilings = calibration["ceilings"].as_array().expect("ceilings");
    let reuses: Vec<&Value> = ceilings.iter().map(|ceiling| &ceiling["reuse"]).collect();
    assert!(reuses.contains(&&Value::from("per_request")) && reuses.contains(&&"kept".into()));

    let loaded = hola(
        &file,
        &[
            "load",
            "--model=epoll",
            "--requests=300",
            "--warmup=0s",
            "--format=json",
        ],
    )
    .output()
    .expect("the program runs");
    let summary: Value = serde_json::from_slice(&loaded.stdout).expect("JSON");
    let reference = &summary["calibration"];
    assert_eq!(reference["made_at"], calibration["made_at"]);
    assert!(
        reference["achieved_share"].as_f64() > Some(0.0),
        "{reference}"
    );
}

#[test]
fn ctrl_c_keeps_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("calibration.json");
    let child = hola(&file, &["calibrate"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let tasks = format!("/proc/{}/task", child.id());
    eventually("it measures", || {
        fs::read_dir(&tasks).is_ok_and(|tasks| tasks.count() > 2)
    });
    let pid = Pid::from_raw(child.id().try_into().expect("a process id"));
    kill(pid, Signal::SIGINT).expect("it is there");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    assert!(output.stdout.is_empty() && !file.exists());
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let obstacle = folder.path().join("file");
    fs::write(&obstacle, "").expect("written");
    let output = hola(&obstacle.join("calibration.json"), &["calibrate"])
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.lines().count() == 1 && said.contains("calibration.json"),
        "{said}"
    );
    assert!(output.stdout.is_empty());
}
