//! Small whole comparisons: what they keep and write, what survives an interruption, and what cannot affect them.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use hola_lab::record::{Block, Reading, RunStatus, Slice};
use hola_lab::store;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use self::support::{HOLA, eventually, hola, only_folder};

/// A comparison of a few seconds: loads, on two stages.
const SMALL: &[&str] = &[
    "compare",
    "--experiments=equal-load",
    "--models=iterative,fork-per-client,epoll",
    "--blocks=1",
    "--seed=7",
];

/// Reading of a participant at a level.
fn reading<'b>(blocks: &'b [Block], participant: &str, level: &str) -> &'b Reading {
    let mut readings = blocks.iter().flat_map(|block| &block.readings);
    readings
        .find(|reading| {
            (reading.participant.as_str(), reading.level.as_str()) == (participant, level)
        })
        .unwrap_or_else(|| panic!("no {participant} at {level}"))
}

fn median_cost(reading: &Reading) -> f64 {
    let mut costs: Vec<f64> = reading
        .slices
        .iter()
        .filter_map(Slice::cpu_us_per_request)
        .collect();
    costs.sort_by(f64::total_cmp);
    *costs
        .get(costs.len() / 2)
        .unwrap_or_else(|| panic!("{reading:?}"))
}

#[test]
fn a_comparison_keeps_every_slice_and_its_reports_can_be_built_again() {
    let results = tempfile::tempdir().expect("a folder");
    let output = results.path().to_str().expect("text");
    let (status, stdout, stderr) = hola(&[SMALL, &["--output", output]].concat());
    assert!(status.success(), "{stderr}");
    assert!(!stdout.is_empty(), "the first screen is printed");
    let folder = only_folder(results.path());

    let (run, blocks) = store::read(&folder).expect("a run");
    assert_eq!((run.status, run.seed), (RunStatus::Complete, 7));
    let design = &run.designs[0];
    // A block of each stage, with a reading of every participant at every level, in the order of the plan.
    let planned: Vec<(&str, &str)> = design
        .levels()
        .flat_map(|(_, level)| {
            level
                .participants
                .iter()
                .map(|one| (level.name.as_str(), one.as_str()))
        })
        .collect();
    let made: Vec<(&str, &str)> = blocks
        .iter()
        .flat_map(|block| &block.readings)
        .map(|reading| (reading.level.as_str(), reading.participant.as_str()))
        .collect();
    assert_eq!(made, planned);
    for reading in blocks.iter().flat_map(|block| &block.readings) {
        let (_, level) = design.level(&reading.level).expect("planned");
        assert_eq!(reading.failed, None, "{reading:?}");
        let cycles: Vec<u32> = reading.slices.iter().map(|slice| slice.cycle).collect();
        assert_eq!(cycles, (0..level.cycles).collect::<Vec<_>>());
        assert!(
            reading
                .slices
                .iter()
                .any(|slice| slice.answered > 0 && slice.cpu_us > 0.0),
            "{reading:?}"
        );
    }
    // The CPU account of a server that forks includes its children: several times as much on every machine.
    let [fork_us, iterative_us] = ["fork-per-client", "iterative"]
        .map(|participant| median_cost(reading(&blocks, participant, "new, 2000/s")));
    assert!(
        fork_us > 2.0 * iterative_us,
        "{fork_us} and {iterative_us} µs"
    );
    // The planted work has the requested size, a tenth of the control's cost.
    let planted_us = blocks[0].planted_us.expect("planted");
    assert!(
        (0.02..0.5).contains(&(planted_us / iterative_us)),
        "{planted_us} of {iterative_us} µs"
    );

    let written = files_in(&folder);
    for name in [
        "report.md",
        "report.es.md",
        "report.html",
        "cells.csv",
        "blocks.csv",
    ] {
        assert!(written.contains_key(Path::new(name)), "{name}");
    }
    let (status, _, stderr) = hola(&["report", folder.to_str().expect("text")]);
    assert!(status.success(), "{stderr}");
    assert!(written == files_in(&folder), "built again");
    let (_, markdown, _) = hola(&[
        "report",
        folder.to_str().expect("text"),
        "--format",
        "markdown",
    ]);
    assert_eq!(markdown.as_bytes(), written[Path::new("report.md")]);
}

/// Every file of a folder, by its name.
fn files_in(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries
        .map(|entry| {
            (
                entry.file_name().into(),
                fs::read(entry.path()).expect("a file"),
            )
        })
        .collect()
}

/// Starts a comparison that is long enough to be interrupted.
fn begin(program: &Path, results: &Path) -> Child {
    Command::new(program)
        .args([
            "compare",
            "--experiments=deadlines,spawn",
            "--models=tokio",
            "--blocks=8",
            "--seed=11",
        ])
        .arg("--output")
        .arg(results)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs")
}

fn blocks_so_far(results: &Path) -> usize {
    let folder = fs::read_dir(results)
        .ok()
        .and_then(|mut entries| entries.next()?.ok());
    let text =
        folder.and_then(|folder| fs::read_to_string(folder.path().join("blocks.jsonl")).ok());
    text.map_or(0, |text| text.lines().count())
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(child.id().try_into().expect("a process id"));
    kill(pid, signal).expect("it is there");
}

/// Whether any process was started with `--parent PID`.
fn has_servers_of(pid: u32) -> bool {
    let parent = format!("--parent\0{pid}\0");
    let processes = fs::read_dir("/proc")
        .expect("a system with /proc")
        .flatten();
    let mut command_lines =
        processes.filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok());
    command_lines.any(|line| line.contains(&parent))
}

#[test]
fn an_interrupted_comparison_keeps_its_blocks_and_leaves_no_server() {
    for (by, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let results = tempfile::tempdir().expect("a folder");
        let compare = begin(Path::new(HOLA), results.path());
        let pid = compare.id();
        eventually("a block is made", || blocks_so_far(results.path()) >= 1);
        signal(&compare, by);
        let output = compare.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains("--resume"), "{stderr}");
        let folder = only_folder(results.path());
        let (run, blocks) = store::read(&folder).expect("a run");
        assert_eq!(run.status, RunStatus::Interrupted);
        assert!(!blocks.is_empty() && folder.join("report.md").exists());
        eventually("no server is left", || !has_servers_of(pid));
    }
}

#[test]
fn a_killed_comparison_leaves_no_server_and_is_resumed_with_every_block_once() {
    let results = tempfile::tempdir().expect("a folder");
    let mut compare = begin(Path::new(HOLA), results.path());
    let pid = compare.id();
    eventually("two blocks are made, and a server is measured", || {
        blocks_so_far(results.path()) >= 2 && has_servers_of(pid)
    });
    compare.kill().expect("it is there");
    compare.wait().expect("it ends");
    eventually("no server is left", || !has_servers_of(pid));
    let folder = only_folder(results.path());
    // As if the power had failed in the middle of a line.
    let path = folder.join("blocks.jsonl");
    let whole = fs::read_to_string(&path).expect("blocks");
    fs::write(&path, &whole[..whole.len() - 10]).expect("written");
    let (begun, made_before) = store::read(&folder).expect("a run");
    assert_eq!(begun.status, RunStatus::Running);

    let folder_name = folder.to_str().expect("text");
    let (status, _, stderr) = hola(&["compare", "--resume", folder_name]);
    assert!(status.success(), "{stderr}");
    let (run, blocks) = store::read(&folder).expect("a run");
    assert_eq!((run.status, run.resumed_at.len()), (RunStatus::Complete, 1));
    assert_eq!(blocks[..made_before.len()], made_before);
    let made: BTreeSet<_> = blocks
        .iter()
        .map(|block| (&block.experiment, &block.stage, block.index))
        .collect();
    let planned: BTreeSet<_> = run
        .designs
        .iter()
        .flat_map(|design| design.stages.iter().map(move |stage| (design, stage)))
        .flat_map(|(design, stage)| {
            (0..8).map(move |index| (&design.experiment, &stage.name, index))
        })
        .collect();
    assert_eq!((made, blocks.len()), (planned.clone(), planned.len()));

    let (status, _, stderr) = hola(&["compare", "--resume", folder_name]);
    assert_eq!(status.code(), Some(1));
    assert!(stderr.contains("is complete"), "{stderr}");
}

#[test]
fn a_program_whose_file_is_replaced_goes_on_serving_what_was_begun() {
    let results = tempfile::tempdir().expect("a folder");
    let program = results.path().join("hola");
    fs::copy(HOLA, &program).expect("a copy");
    let output = results.path().join("results");
    let compare = begin(&program, &output);
    eventually("a block is made", || blocks_so_far(&output) >= 1);
    fs::remove_file(&program).expect("removed");
    fs::write(&program, "no program").expect("another file");
    let finished = compare.wait_with_output().expect("it ends");
    assert!(
        finished.status.success(),
        "{}",
        String::from_utf8_lossy(&finished.stderr)
    );
    let (run, blocks) = store::read(&only_folder(&output)).expect("a run");
    assert_eq!(run.status, RunStatus::Complete);
    let failed: Vec<_> = blocks
        .iter()
        .flat_map(|block| &block.readings)
        .filter_map(|one| one.failed.as_ref())
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn servers_get_none_of_the_callers_environment_but_what_is_recorded() {
    let results = tempfile::tempdir().expect("a folder");
    let output = Command::new(HOLA)
        .args(["compare", "--experiments=spawn", "--blocks=1", "--output"])
        .arg(results.path())
        .env("RUST_BACKTRACE", "full")
        .output()
        .expect("the program runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let (run, _) = store::read(&only_folder(results.path())).expect("a run");
    let given = &run.environment.server_environment;
    assert!(
        given.iter().any(|one| one.starts_with("PATH=")),
        "{given:?}"
    );
    assert!(
        !given.iter().any(|one| one.contains("BACKTRACE")),
        "{given:?}"
    );
}

/// Runs the shortest experiment with that many blocks; returns the folder of the run.
fn spawn_run(results: &Path, blocks: &str) -> PathBuf {
    let output = results.to_str().expect("text");
    let (status, _, stderr) = hola(&[
        "compare",
        "--experiments=spawn",
        "--blocks",
        blocks,
        "--output",
        output,
    ]);
    assert!(status.success(), "{stderr}");
    only_folder(results)
}

#[test]
fn a_run_of_another_build_or_of_a_newer_program_is_not_taken_for_ones_own() {
    let results = tempfile::tempdir().expect("a folder");
    let folder = spawn_run(results.path(), "1");
    let (name, path) = (folder.to_str().expect("text"), folder.join("run.json"));
    let text = fs::read_to_string(&path).expect("a run");
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "{text}");
    let other = text
        .replace(&version, "\"version\": \"0.0.0\"")
        .replace("\"complete\"", "\"interrupted\"");
    fs::write(&path, other).expect("written");
    let (status, _, stderr) = hola(&["compare", "--resume", name]);
    assert_eq!(status.code(), Some(1));
    assert!(stderr.contains("another build"), "{stderr}");

    fs::write(
        &path,
        text.replace("\"schema_version\": 3", "\"schema_version\": 4"),
    )
    .expect("written");
    let (status, _, stderr) = hola(&["report", name]);
    assert_eq!(status.code(), Some(1));
    assert!(
        stderr.contains("schema 4") && stderr.contains("newer program"),
        "{stderr}"
    );
}

#[test]
fn damaged_and_doubled_records_are_named() {
    let results = tempfile::tempdir().expect("a folder");
    let folder = spawn_run(results.path(), "2");
    let path = folder.join("blocks.jsonl");
    let whole = fs::read_to_string(&path).expect("blocks");
    let first = whole.lines().next().expect("a block");
    for (damaged, complaint) in [
        (format!("nonsense\n{whole}"), "blocks.jsonl line 1"),
        (format!("{whole}{first}\n"), "this block is there twice"),
    ] {
        fs::write(&path, damaged).expect("written");
        let (status, _, stderr) = hola(&["report", folder.to_str().expect("text")]);
        assert_eq!(status.code(), Some(1));
        assert!(stderr.contains(complaint), "{stderr}");
    }
}

#[test]
fn a_link_in_a_runs_folder_is_not_followed() {
    let results = tempfile::tempdir().expect("a folder");
    let folder = spawn_run(results.path(), "1");
    let report = || hola(&["report", folder.to_str().expect("text")]);
    let elsewhere = tempfile::tempdir().expect("a folder");

    let page = folder.join("report.html");
    let secret = elsewhere.path().join("secret");
    fs::write(&secret, "kept").expect("written");
    fs::remove_file(&page).expect("removed");
    std::os::unix::fs::symlink(&secret, &page).expect("a link");
    let (status, _, stderr) = report();
    assert!(status.success(), "{stderr}");
    assert_eq!(fs::read_to_string(&secret).expect("text"), "kept");
    assert!(fs::symlink_metadata(&page).expect("a page").is_file());

    let records = folder.join("blocks.jsonl");
    let moved = elsewhere.path().join("blocks.jsonl");
    fs::copy(&records, &moved).expect("copied");
    fs::remove_file(&records).expect("removed");
    std::os::unix::fs::symlink(&moved, &records).expect("a link");
    let (status, _, stderr) = report();
    assert_eq!(status.code(), Some(1));
    assert!(stderr.contains("blocks.jsonl"), "{stderr}");
}

#[test]
fn two_comparisons_begun_in_one_second_get_a_folder_each() {
    let results = tempfile::tempdir().expect("a folder");
    let begun: Vec<Child> = (0..3)
        .map(|_| begin(Path::new(HOLA), results.path()))
        .collect();
    eventually("each has a folder", || {
        let folders = fs::read_dir(results.path()).expect("a folder").flatten();
        folders
            .filter(|folder| folder.path().join("run.json").exists())
            .count()
            == begun.len()
    });
    for mut compare in begun {
        compare.kill().expect("it is there");
        compare.wait().expect("it ends");
    }
}

#[test]
fn the_experiments_are_listed_with_their_levels_and_time() {
    let (status, listed, _) = hola(&["experiments"]);
    assert!(status.success());
    let (status, json, _) = hola(&["experiments", "--json"]);
    assert!(status.success());
    let entries: Value = serde_json::from_str(&json).expect("JSON");
    let entries = entries.as_array().expect("an array");
    for entry in entries {
        let name = entry["name"].as_str().expect("a name");
        assert!(listed.contains(name), "{name}");
        for language in ["en", "es"] {
            for text in ["question", "changes_mind"] {
                let text = &entry[text][language];
                assert!(text.as_str().is_some_and(|text| !text.is_empty()), "{name}");
            }
        }
    }
    for (profile, minutes) in [("quick", 5.0), ("full", 45.0)] {
        let budgets = entries
            .iter()
            .filter_map(|entry| entry[profile]["budget_s"].as_f64());
        let budget_s: f64 = budgets.sum();
        assert!(
            budget_s > 0.0 && budget_s <= minutes * 60.0,
            "{profile}: {budget_s} s"
        );
    }
}

#[test]
fn what_is_unknown_is_refused_before_anything_is_measured() {
    let results = tempfile::tempdir().expect("a folder");
    let output = results.path().to_str().expect("text");
    for (arguments, complaint) in [
        (
            ["--models", "iterative,threads"],
            "no such model or target; there are iterative",
        ),
        (
            ["--experiments", "equal-load,threads"],
            "no such experiment; there are equal-load",
        ),
        (["--claims", "nothing"], "no such claim"),
        (["--plant", "much"], "a number"),
    ] {
        let (status, _, stderr) =
            hola(&[&["compare", "--output", output], &arguments[..]].concat());
        assert_eq!(status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(complaint), "{stderr}");
    }
    assert_eq!(fs::read_dir(results.path()).expect("a folder").count(), 0);
}
