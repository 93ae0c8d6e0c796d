//! One process of several: which rank it is, when it starts, and what it leaves for `hola merge`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::formats::{read_log, valid};
use crate::truth::Truth;
use crate::{Ran, assert_refused, greeter, load, measured, run};

/// An instant a few seconds ahead, as an argument: enough for all programs of a test to get ready.
fn soon() -> String {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = since_epoch + Duration::from_secs(3);
    format!("--start-at=@{}.{:09}", at.as_secs(), at.subsec_nanos())
}

/// A load of sixteen requests by eight clients, with these variables as its whole environment.
fn rank(server: &Truth, folder: &Path, environment: &str, arguments: &str) -> Command {
    let folder = folder.display();
    let common = format!("--clients=8 --requests=16 --output={folder}");
    let mut command = load(server, &format!("{common} {arguments}"));
    let variables = environment
        .split(' ')
        .filter_map(|pair| pair.split_once('='));
    command.env_clear().envs(variables);
    command
}

#[test]
fn a_rank_makes_its_share_and_keeps_it_for_the_sum() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let start = soon();
    // What else starts the processes is in the tests of the environment's parser.
    let started = [
        ("slurm", "SLURM_PROCID=2 SLURM_NTASKS=4", "auto"),
        ("kubernetes", "JOB_COMPLETION_INDEX=2", "4"),
        ("argument", "SLURM_PROCID=1 SLURM_NTASKS=9", "4 --rank=2"),
    ]
    .map(|(name, environment, ranks)| {
        let arguments = format!("--run-id={name} {start} --ranks={ranks}");
        let mut command = rank(&server, folder.path(), environment, &arguments);
        (name, command.spawn().unwrap())
    });
    for (name, child) in started {
        let ran = Ran::from(child.wait_with_output().unwrap()).exits_with(0);
        assert_eq!(ran.stdout, "", "{name}");
        let path = folder.path().join(format!("{name}.rank-00002.json"));
        let record = valid("load-rank.json", &fs::read_to_string(&path).unwrap());
        assert_eq!((&record["rank"], &record["ranks"]), (&2.into(), &4.into()));
        let summary = &record["summary"];
        // The plan is that of all ranks, the counts are those of a quarter of it.
        assert_eq!(summary["plan"]["clients"], 8, "{name}");
        assert_eq!(summary["counts"]["planned"], 4, "{name}");
        assert_eq!(summary["counts"]["ok"], 4, "{name}");
        let late_us = summary["start"]["late_us"].as_f64().unwrap();
        assert!(late_us < 1e5, "{name}: {summary}");
        let tags = read_log(&path.with_extension("hlog"));
        let counts = tags.values().map(|(histogram, _)| histogram.len());
        assert_eq!((tags.len(), counts.sum::<u64>()), (6, 5 * 4), "{name}");
    }
    assert_eq!(server.accepted(), 3 * 4);
}

#[test]
fn a_load_without_ranks_is_whole_wherever_it_runs() {
    let server = greeter();
    let mut command = load(&server, "--clients=8 --requests=16");
    command
        .env_clear()
        .envs([("SLURM_PROCID", "2"), ("SLURM_NTASKS", "4")]);
    let summary = measured(command);
    assert_eq!((summary.counts.ok, summary.start), (16, None));
}

#[test]
fn a_rank_that_cannot_have_its_share_says_why() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let soon = soon();
    for (arguments, words) in [
        ("SOON --ranks=auto", "SLURM_PROCID=1 of SLURM_NTASKS=4 and"),
        ("SOON --ranks=4 --rank=4", "ranks are 0 to 3"),
        ("SOON --ranks=0 --rank=0", "neither a number from 1"),
        ("SOON --rank=0", "--ranks"),
        ("SOON --ranks=9 --rank=0", "8 clients are too few for 9"),
        ("SOON --ranks=2 --rank=0 --run-id=a/b", "is no name"),
        ("SOON --ranks=2 --rank=0 --format=json", "cannot be used"),
        ("SOON --ranks=2 --rank=0 --fail-if=max>1s", "cannot be used"),
        ("--ranks=2 --rank=0", "--start-at"),
        ("--start-at=tomorrow", "is not an instant"),
        ("--start-at=@1e9", "is not an instant"),
        ("--start-at=@99999999999", "more than a day ahead"),
    ] {
        let two = "SLURM_PROCID=1 SLURM_NTASKS=4 PMI_RANK=2 PMI_SIZE=4";
        let arguments = arguments.replace("SOON", &soon);
        assert_refused(rank(&server, folder.path(), two, &arguments), words);
    }
    assert_nothing_done(&server, folder.path());
}

/// Nothing was sent, and nothing is kept.
fn assert_nothing_done(server: &Truth, folder: &Path) {
    let files = fs::read_dir(folder).unwrap().count();
    assert_eq!((server.accepted(), files), (0, 0));
}

#[test]
fn a_load_that_is_ready_after_its_start_ends_with_5_and_leaves_nothing() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let ranks = "--ranks=2 --rank=0 --start-at=2026-01-01T00:00:00Z";
    let ran = run(rank(&server, folder.path(), "", ranks));
    let alone = run(load(&server, "--requests=4 --start-at=@1767225600"));
    for ran in [ran, alone] {
        let words = "error: too late: the load was to start at 2026-01-01T00:00:00Z";
        assert!(ran.stderr.starts_with(words), "{ran:?}");
        ran.exits_with(5);
    }
    assert_nothing_done(&server, folder.path());
}

#[test]
fn a_rank_does_not_write_over_another_result() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let arguments = format!("--ranks=2 --rank=1 --run-id=a {}", soon());
    for name in ["a.rank-00001.json", "a.rank-00001.hlog"] {
        let taken = folder.path().join(name);
        fs::write(&taken, "precious").unwrap();
        let ran = run(rank(&server, folder.path(), "", &arguments)).exits_with(1);
        let reason = format!("{name}: it exists");
        assert!(ran.stderr.contains(&reason), "{ran:?}");
        assert_eq!(fs::read_to_string(&taken).unwrap(), "precious");
        fs::remove_file(taken).unwrap();
    }
    assert_eq!(server.accepted(), 0);
}

#[test]
fn a_load_by_itself_starts_at_its_instant_too() {
    let server = greeter();
    let start = soon();
    let ran = run(load(&server, &format!("--requests=4 --clients=2 {start}"))).exits_with(0);
    assert!(ran.stdout.contains("started at 20"), "{ran:?}");
}
