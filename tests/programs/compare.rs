//! Small whole comparisons: what they keep and write, what survives an interruption, and what cannot affect them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use hola_lab::record::{Block, Reading, RunStatus, Slice};
use hola_lab::store;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::{
    HOLA, assert_has, compared, eventually, fails, only_folder, paths_in, printed, refused,
    rows_of, run_in, send_signal,
};

/// A comparison of a few seconds: loads, on two stages.
const SMALL: &str =
    "--experiments=equal-load --models=iterative,fork-per-client,epoll --blocks=1 --seed=7";

fn readings(blocks: &[Block]) -> impl Iterator<Item = &Reading> {
    blocks.iter().flat_map(|block| &block.readings)
}

/// A comparison that is long enough to be interrupted.
const LONG: &str = "--experiments=deadlines,spawn --models=tokio --blocks=8 --seed=11";

/// Median CPU time per request of a participant at a level.
fn cost_us(blocks: &[Block], participant: &str, level: &str) -> f64 {
    let reading = readings(blocks).find(|one| one.participant == participant && one.level == level);
    let slices = reading.iter().flat_map(|reading| &reading.slices);
    let mut costs: Vec<f64> = slices.filter_map(Slice::cpu_us_per_request).collect();
    costs.sort_by(f64::total_cmp);
    let median = costs.get(costs.len() / 2).copied();
    median.unwrap_or_else(|| panic!("no cost of {participant} at {level}: {reading:?}"))
}

#[test]
fn a_comparison_keeps_every_slice_and_its_reports_can_be_built_again() {
    let results = tempfile::tempdir().expect("a folder");
    let (run, blocks, folder) = compared(results.path(), SMALL, &[]);
    let name = folder.to_str().expect("text");
    assert_eq!((run.status, run.seed), (RunStatus::Complete, 7));
    let design = &run.designs[0];
    // A block of each stage, with a reading of every participant at every level, in the order of the plan.
    let planned = design.levels().flat_map(|(_, level)| {
        let names = level.participants.iter();
        names.map(|participant| (level.name.as_str(), participant.as_str()))
    });
    let made = readings(&blocks).map(|one| (one.level.as_str(), one.participant.as_str()));
    assert_eq!(Vec::from_iter(made), Vec::from_iter(planned));
    for reading in readings(&blocks) {
        let (_, level) = design.level(&reading.level).expect("planned");
        assert_eq!(reading.failed, None, "{reading:?}");
        let cycles: Vec<u32> = reading.slices.iter().map(|slice| slice.cycle).collect();
        assert_eq!(cycles, Vec::from_iter(0..level.cycles));
        let is_measured = |slice: &Slice| slice.answered > 0 && slice.cpu_us > 0.0;
        assert!(reading.slices.iter().any(is_measured), "{reading:?}");
    }
    // The CPU account of a server that forks includes its children: several times as much on every machine.
    let [fork_us, iterative_us] = ["fork-per-client", "iterative"]
        .map(|participant| cost_us(&blocks, participant, "new, 2000/s"));
    assert!(fork_us > 2.0 * iterative_us, "{fork_us}, {iterative_us} µs");
    // The planted work has the requested size, a tenth of the control's cost.
    let planted_us = blocks[0].planted_us.expect("planted");
    let share = planted_us / iterative_us;
    assert!(
        (0.02..0.5).contains(&share),
        "{planted_us}, {iterative_us} µs"
    );

    let written = files_in(&folder);
    let [markdown, other_files @ ..] = [
        "report.md",
        "report.es.md",
        "report.html",
        "cells.csv",
        "blocks.csv",
    ]
    .map(Path::new);
    assert!(other_files.iter().all(|&file| written.contains_key(file)));
    printed(&["report", name]);
    assert!(written == files_in(&folder), "built again");
    let printed = printed(&["report", name, "--format=markdown"]);
    assert_eq!(printed.as_bytes(), written[markdown]);
}

/// Every file of a folder, by its name.
fn files_in(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let content = |path: PathBuf| {
        let name = path.file_name().expect("a name").into();
        (name, fs::read(path).expect("a file"))
    };
    paths_in(folder).into_iter().map(content).collect()
}

/// Starts a comparison with these arguments, separated by spaces, and `more` of them.
pub(super) fn begin(program: &Path, results: &Path, arguments: &str, more: &[&str]) -> Child {
    Command::new(program)
        .arg("compare")
        .args(arguments.split(' '))
        .args(more)
        .arg("--output")
        .arg(results)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs")
}

pub(super) fn blocks_so_far(results: &Path) -> usize {
    let blocks = || {
        let folder = fs::read_dir(results).ok()?.next()?.ok()?;
        fs::read_to_string(folder.path().join("blocks.jsonl")).ok()
    };
    blocks().map_or(0, |text| text.lines().count())
}

/// Whether any process was started with `--parent PID`.
fn has_servers_of(pid: u32) -> bool {
    let parent = format!("--parent\0{pid}\0");
    paths_in(Path::new("/proc")).iter().any(|process| {
        fs::read_to_string(process.join("cmdline")).is_ok_and(|line| line.contains(&parent))
    })
}

#[test]
fn an_interrupted_comparison_keeps_its_blocks_and_leaves_no_server() {
    for (by, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let results = tempfile::tempdir().expect("a folder");
        let compare = begin(Path::new(HOLA), results.path(), LONG, &[]);
        let pid = compare.id();
        eventually("a block is made", || blocks_so_far(results.path()) >= 1);
        send_signal(&compare, by);
        let output = compare.wait_with_output().expect("it ends");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert_has(&stderr, &["--resume"]);
        let (run, blocks, folder) = run_in(results.path());
        assert_eq!(run.status, RunStatus::Interrupted);
        assert!(!blocks.is_empty() && folder.join("report.md").exists());
        eventually("no server is left", || !has_servers_of(pid));
    }
}

#[test]
fn a_killed_comparison_leaves_no_server_and_is_resumed_with_every_block_once() {
    let results = tempfile::tempdir().expect("a folder");
    let mut compare = begin(Path::new(HOLA), results.path(), LONG, &[]);
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
    printed(&["compare", "--resume", folder_name]);
    let (run, blocks) = store::read(&folder).expect("a run");
    assert_eq!((run.status, run.resumed_at.len()), (RunStatus::Complete, 1));
    assert_eq!(blocks[..made_before.len()], made_before);
    let made = blocks.iter();
    let made = made.map(|block| (&block.experiment, &block.stage, block.index));
    let made = BTreeSet::from_iter(made);
    let mut planned = BTreeSet::new();
    for design in &run.designs {
        for stage in &design.stages {
            planned.extend((0..8).map(|index| (&design.experiment, &stage.name, index)));
        }
    }
    assert_eq!((made, blocks.len()), (planned.clone(), planned.len()));

    fails(&["compare", "--resume", folder_name], 1, &["is complete"]);
}

fn assert_success(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
}

#[test]
fn a_program_whose_file_is_replaced_goes_on_serving_what_was_begun() {
    let results = tempfile::tempdir().expect("a folder");
    let program = results.path().join("hola");
    fs::copy(HOLA, &program).expect("a copy");
    let output = results.path().join("results");
    let compare = begin(&program, &output, LONG, &[]);
    eventually("a block is made", || blocks_so_far(&output) >= 1);
    fs::remove_file(&program).expect("removed");
    fs::write(&program, "no program").expect("another file");
    assert_success(&compare.wait_with_output().expect("it ends"));
    let (run, blocks, _) = run_in(&output);
    assert_eq!(run.status, RunStatus::Complete);
    let mut failed = readings(&blocks).filter(|one| one.failed.is_some());
    assert_eq!(failed.next(), None);
}

#[test]
fn servers_get_none_of_the_callers_environment_but_what_is_recorded() {
    let results = tempfile::tempdir().expect("a folder");
    let mut compare = Command::new(HOLA);
    compare
        .args(["compare", "--experiments=spawn", "--blocks=1", "--output"])
        .arg(results.path())
        .env("RUST_BACKTRACE", "full");
    assert_success(&compare.output().expect("the program runs"));
    let (run, ..) = run_in(results.path());
    let given = &run.environment.server_environment;
    let has_path = given.iter().any(|one| one.starts_with("PATH="));
    let has_more = given.iter().any(|one| one.contains("BACKTRACE"));
    assert!(has_path && !has_more, "{given:?}");
}

/// Runs the shortest experiment twice; returns the folder of the run.
fn spawn_run(results: &Path) -> PathBuf {
    let (.., folder) = compared(results, "--experiments=spawn --blocks=2", &[]);
    folder
}

#[test]
fn foreign_damaged_and_doubled_records_are_named() {
    let results = tempfile::tempdir().expect("a folder");
    let folder = spawn_run(results.path());
    let run = fs::read_to_string(folder.join("run.json")).expect("a run");
    let blocks = fs::read_to_string(folder.join("blocks.jsonl")).expect("blocks");
    let first = blocks.lines().next().expect("a block");
    let own_version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let of_another_build = run.replace(&own_version, "\"version\": \"0.0.0\"");
    assert_ne!(of_another_build, run);
    let interrupted = of_another_build.replace("\"complete\"", "\"interrupted\"");
    let newer = run.replace("\"schema_version\": 3", "\"schema_version\": 4");
    let nonsense = format!("nonsense\n{blocks}");
    let doubled = format!("{blocks}{first}\n");
    let (resume, report) = (&["compare", "--resume"][..], &["report"][..]);
    for (file, text, command, words) in [
        ("run.json", interrupted, resume, &["another build"][..]),
        ("run.json", newer, report, &["schema 4", "newer program"]),
        ("blocks.jsonl", nonsense, report, &["blocks.jsonl line 1"]),
        ("blocks.jsonl", doubled, report, &["is there twice"]),
    ] {
        for (name, own) in [("run.json", &run), ("blocks.jsonl", &blocks)] {
            fs::write(folder.join(name), own).expect("written");
        }
        fs::write(folder.join(file), text).expect("written");
        let stderr = refused(1, &[command, &[folder.to_str().expect("text")]].concat());
        assert_has(&stderr, words);
    }
}

#[test]
fn a_link_in_a_runs_folder_is_not_followed() {
    let results = tempfile::tempdir().expect("a folder");
    let folder = spawn_run(results.path());
    let report = ["report", folder.to_str().expect("text")];
    let elsewhere = tempfile::tempdir().expect("a folder");

    let page = folder.join("report.html");
    let secret = elsewhere.path().join("secret");
    fs::write(&secret, "kept").expect("written");
    fs::remove_file(&page).expect("removed");
    symlink(&secret, &page).expect("a link");
    printed(&report);
    assert_eq!(fs::read_to_string(&secret).expect("text"), "kept");
    assert!(fs::symlink_metadata(&page).expect("a page").is_file());

    let records = folder.join("blocks.jsonl");
    let moved = elsewhere.path().join("blocks.jsonl");
    fs::copy(&records, &moved).expect("copied");
    fs::remove_file(&records).expect("removed");
    symlink(&moved, &records).expect("a link");
    assert_has(&refused(1, &report), &["blocks.jsonl"]);
}

#[test]
fn two_comparisons_begun_in_one_second_get_a_folder_each() {
    let results = tempfile::tempdir().expect("a folder");
    let begin = |_| begin(Path::new(HOLA), results.path(), LONG, &[]);
    let begun: Vec<Child> = (0..3).map(begin).collect();
    eventually("each has a folder", || {
        let folders = paths_in(results.path());
        let has_plan = |folder: &&PathBuf| folder.join("run.json").exists();
        folders.iter().filter(has_plan).count() == begun.len()
    });
    for mut compare in begun {
        compare.kill().expect("it is there");
        compare.wait().expect("it ends");
    }
}

#[test]
fn the_experiments_are_listed_with_their_levels_and_time() {
    let listed = printed(&["experiments"]);
    let entries: Value = serde_json::from_str(&printed(&["experiments", "--json"])).expect("JSON");
    let entries = entries.as_array().expect("an array");
    for entry in entries {
        let name = entry["name"].as_str().expect("a name");
        assert!(listed.contains(name), "{name}");
        for text in [&entry["question"], &entry["changes_mind"]] {
            let has = |language: &str| text[language].as_str() > Some("");
            assert!(has("en") && has("es"), "{name}");
        }
    }
    // Each target adds its slices.
    let mut targets = crate::targets::installed();
    targets.retain(|spec| spec.floor_of.is_none());
    let targets = targets.len();
    let more_s = f64::from(u32::try_from(targets).expect("few")) * 30.0;
    for (profile, most_s) in [("quick", 300.0), ("full", 2_880.0 + more_s)] {
        let budgets = entries
            .iter()
            .filter_map(|entry| entry[profile]["budget_s"].as_f64());
        let budget_s: f64 = budgets.sum();
        assert!(
            budget_s > 0.0 && budget_s <= most_s,
            "{profile}: {budget_s} s of {most_s} s"
        );
    }
}

#[test]
fn what_is_unknown_is_refused_before_anything_is_measured() {
    let results = tempfile::tempdir().expect("a folder");
    let output = results.path().to_str().expect("text");
    const UNKNOWN: &str = "
        --models      | iterative,threads  | no such model or target; there are iterative
        --experiments | equal-load,threads | no such experiment; there are equal-load
        --claims      | nothing            | no such claim
        --plant       | much               | a number
        --profile     | slow               | quick, full";
    for row in rows_of(UNKNOWN) {
        let stderr = refused(2, &["compare", "--output", output, row[0], row[1]]);
        assert_has(&stderr, &row[2..]);
    }
    assert!(paths_in(results.path()).is_empty());
}
