//! One process of several: which rank it is, when it starts, and what it leaves for `hola merge`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::formats::{read_log, valid};
use crate::truth::Truth;
use crate::{greeter, load, run};

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
fn whatever_started_the_processes_tells_each_its_rank() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let start = soon();
    let array = "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_COUNT=4";
    let sources = [
        ("slurm", "SLURM_PROCID=2 SLURM_NTASKS=4", "auto"),
        ("array", array, "auto"),
        (
            "open-mpi",
            "OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=4",
            "auto",
        ),
        ("pmi", "PMI_RANK=2 PMI_SIZE=4", "auto"),
        ("pmix", "PMIX_RANK=2", "4"),
        ("kubernetes", "JOB_COMPLETION_INDEX=2", "4"),
        ("parallel", "PARALLEL_SEQ=3", "4"),
        ("argument", "SLURM_PROCID=1 SLURM_NTASKS=9", "4 --rank=2"),
    ];
    let started = sources.map(|(name, environment, ranks)| {
        let arguments = format!("--run-id={name} {start} --ranks={ranks}");
        let mut command = rank(&server, folder.path(), environment, &arguments);
        (name, command.spawn().unwrap())
    });
    for (name, child) in started {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        assert!(output.stdout.is_empty(), "{name}: {output:?}");
        let path = folder.path().join(format!("{name}.rank-00002.json"));
        let record = valid("load-rank.json", &fs::read_to_string(&path).unwrap());
        assert_eq!((&record["rank"], &record["ranks"]), (&2.into(), &4.into()));
        let summary = &record["summary"];
        // The plan is that of all ranks, the counts are those of a quarter of it.
        assert_eq!(summary["plan"]["clients"], 8, "{name}");
        assert_eq!(summary["counts"]["planned"], 4, "{name}");
        assert_eq!(summary["counts"]["ok"], 4, "{name}");
        assert!(
            summary["start"]["late_us"].as_f64().unwrap() < 1e5,
            "{name}: {summary}"
        );
        let tags = read_log(&path.with_extension("hlog"));
        let counts = tags.values().map(|(histogram, _)| histogram.len());
        assert_eq!((tags.len(), counts.sum::<u64>()), (6, 5 * 4), "{name}");
    }
    assert_eq!(server.accepted(), 8 * 4);
}

#[test]
fn a_load_without_ranks_is_whole_wherever_it_runs() {
    let server = greeter();
    let mut command = load(&server, "--clients=8 --requests=16 --format=json");
    command
        .env_clear()
        .envs([("SLURM_PROCID", "2"), ("SLURM_NTASKS", "4")]);
    let ran = run(command);
    let summary = ran.summary();
    assert_eq!((summary.counts.ok, summary.start), (16, None), "{ran:?}");
}

#[test]
fn a_rank_that_cannot_have_its_share_says_why() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let (start, two) = (
        soon(),
        "SLURM_PROCID=1 SLURM_NTASKS=4 PMI_RANK=2 PMI_SIZE=4",
    );
    for (environment, arguments, words) in [
        ("", "--ranks=auto", "give --rank"),
        (
            two,
            "--ranks=auto",
            "SLURM_PROCID=1 of SLURM_NTASKS=4 and PMI_RANK=2 of PMI_SIZE=4",
        ),
        (
            "PMI_RANK=2 PMI_SIZE=4",
            "--ranks=8",
            "PMI_RANK=2 of PMI_SIZE=4 and --ranks 8",
        ),
        ("PARALLEL_SEQ=1", "--ranks=auto", "give --ranks"),
        ("", "--ranks=4 --rank=4", "ranks are 0 to 3"),
        ("", "--ranks=0 --rank=0", "neither a number from 1"),
        ("", "--rank=0", "--ranks"),
        (
            "",
            "--ranks=9 --rank=0",
            "8 clients are too few for 9 processes",
        ),
        ("", "--ranks=2 --rank=0 --run-id=a/b", "is no name"),
        (
            "",
            "--ranks=2 --rank=0 --format=json",
            "cannot be used with",
        ),
        (
            "",
            "--ranks=2 --rank=0 --fail-if=max>1s",
            "cannot be used with",
        ),
    ] {
        let arguments = format!("{start} {arguments}");
        let ran = run(rank(&server, folder.path(), environment, &arguments));
        assert_eq!(ran.code, Some(2), "{arguments}: {ran:?}");
        assert!(ran.stderr.contains(words), "{arguments}: {ran:?}");
    }
    let ranks = "--ranks=2 --rank=0";
    for (arguments, words) in [
        (ranks.to_owned(), "--start-at"),
        (format!("{ranks} --start-at=tomorrow"), "is not an instant"),
        (format!("{ranks} --start-at=@1e9"), "is not an instant"),
        (
            format!("{ranks} --start-at=@99999999999"),
            "more than a day ahead",
        ),
    ] {
        let ran = run(rank(&server, folder.path(), "", &arguments));
        assert_eq!(ran.code, Some(2), "{arguments}: {ran:?}");
        assert!(ran.stderr.contains(words), "{arguments}: {ran:?}");
    }
    let ran = run(load(&server, &format!("--clients=1,2 {start}")));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("for one load"), "{ran:?}");
    assert_eq!(
        (
            server.accepted(),
            fs::read_dir(folder.path()).unwrap().count()
        ),
        (0, 0)
    );
}

#[test]
fn a_load_that_is_ready_after_its_start_ends_with_5_and_leaves_nothing() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let ranks = "--ranks=2 --rank=0 --start-at=2026-01-01T00:00:00Z";
    let ran = run(rank(&server, folder.path(), "", ranks));
    let alone = run(load(&server, "--requests=4 --start-at=@1767225600"));
    for ran in [ran, alone] {
        assert_eq!(ran.code, Some(5), "{ran:?}");
        let words = "error: too late: the load was to start at 2026-01-01T00:00:00Z";
        assert!(ran.stderr.starts_with(words), "{ran:?}");
    }
    assert_eq!(
        (
            server.accepted(),
            fs::read_dir(folder.path()).unwrap().count()
        ),
        (0, 0)
    );
}

#[test]
fn a_rank_does_not_write_over_another_result() {
    let server = greeter();
    let folder = tempfile::tempdir().unwrap();
    let arguments = format!("--ranks=2 --rank=1 --run-id=a {}", soon());
    for name in ["a.rank-00001.json", "a.rank-00001.hlog"] {
        let taken = folder.path().join(name);
        fs::write(&taken, "precious").unwrap();
        let ran = run(rank(&server, folder.path(), "", &arguments));
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(
            ran.stderr.contains(&format!("{name}: it exists")),
            "{ran:?}"
        );
        assert_eq!(fs::read_to_string(&taken).unwrap(), "precious");
        fs::remove_file(taken).unwrap();
    }
    assert_eq!(server.accepted(), 0);
}

#[test]
fn a_load_by_itself_starts_at_its_instant_too() {
    let server = greeter();
    let start = soon();
    let ran = run(load(&server, &format!("--requests=4 --clients=2 {start}")));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("started at 20"), "{ran:?}");
}
