//! A whole comparison, small: what it keeps, what it writes, and what survives an interruption.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hola::lab::record::{Outcome, Status};
use hola::lab::store;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use self::support::{HOLA, eventually, hola, models, only_folder};

#[test]
fn a_comparison_keeps_every_trial_and_its_reports_can_be_built_again() {
    let results = tempfile::tempdir().expect("a folder");
    let output = results.path().to_str().expect("text");
    let every_model = format!("--models={}", models().collect::<Vec<_>>().join(","));
    let small = [
        every_model.as_str(),
        "--experiments=churn",
        "--clients=2",
        "--rounds=2",
        "--duration=100ms",
        "--seed=7",
    ];
    let (status, stdout, stderr) =
        hola(&[&["compare", "--output", output], small.as_slice()].concat());
    assert!(status.success(), "{stderr}");
    let folder = only_folder(results.path());
    assert!(
        stdout.contains(folder.join("report.html").to_str().expect("text")),
        "{stdout}"
    );

    let (run, trials) = store::read(&folder).expect("a run");
    assert_eq!(run.status, Status::Complete);
    assert_eq!((run.seed, run.experiments[0].trials_per_cell), (7, 2));
    assert!(
        run.experiments[0].server_settings["backlog"].is_u64(),
        "{}",
        run.experiments[0].server_settings
    );
    // Every model twice, and the control twice more as its own rival.
    assert_eq!(trials.len(), 2 * (models().count() + 1));
    for trial in &trials {
        let Outcome::Measured(measured) = &trial.outcome else {
            panic!("{trial:?}")
        };
        let (Some(server), Some(load)) = (&measured.server, &measured.load) else {
            panic!("{trial:?}")
        };
        assert!(
            server.cpu_us_per_request.is_some_and(|cost| cost > 0.0),
            "{trial:?}"
        );
        assert!(
            server.processes_peak >= 1 && server.threads_peak >= 1 && server.pss_peak_kib > Some(0),
            "{server:?}"
        );
        assert!(server.requests >= load.counts.ok, "{server:?}");
    }

    let written = files_in(&folder);
    // Interval logs are there for cells in which the server set the pace: on a busy machine there may be none.
    for name in [
        "report.md",
        "report.es.md",
        "report.html",
        "trials.csv",
        "csv/churn.csv",
        "exports/hyperfine.json",
        "exports/github-action-benchmark.json",
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

/// Every file below a folder, by its path from there.
fn files_in(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(&inner).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("within it").to_owned();
                files.insert(name, fs::read(path).expect("a file"));
            }
        }
    }
    files
}

#[test]
fn a_forking_servers_children_are_on_its_bill() {
    let results = tempfile::tempdir().expect("a folder");
    let output = results.path().to_str().expect("text");
    let small = [
        "--clients=4",
        "--rounds=1",
        "--duration=300ms",
        "--models=iterative,fork-per-client",
    ];
    let (status, _, stderr) = hola(&[&["compare", "--output", output], small.as_slice()].concat());
    assert!(status.success(), "{stderr}");
    let (_, trials) = store::read(&only_folder(results.path())).expect("a run");
    let cost = |model: &str| {
        let measured = trials
            .iter()
            .filter(|trial| trial.model == model)
            .find_map(|trial| match &trial.outcome {
                Outcome::Measured(measured) => Some(measured),
                Outcome::Failed(_) => None,
            });
        let server = measured.and_then(|measured| measured.server.as_ref());
        let server = server.expect("a trial");
        (
            server.cpu_us_per_request.expect("requests"),
            server.processes_peak,
        )
    };
    let ((iterative_us, one), (fork_us, several)) = (cost("iterative"), cost("fork-per-client"));
    // Several times dearer on every machine there is: a bill without the children would be about equal.
    assert!(
        fork_us > 2.0 * iterative_us,
        "{fork_us} and {iterative_us} µs"
    );
    assert_eq!(one, 1);
    assert!(several > 1, "{several}");
}

#[test]
fn an_interrupted_comparison_keeps_its_trials_and_leaves_no_server() {
    let results = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(HOLA);
    command
        .args([
            "compare",
            "--experiments=churn",
            "--clients=2",
            "--rounds=50",
            "--duration=100ms",
            "--output",
        ])
        .arg(results.path());
    let compare = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let trials_so_far = || {
        let folder = fs::read_dir(results.path()).ok()?.flatten().next()?.path();
        Some(
            fs::read_to_string(folder.join("trials.jsonl"))
                .ok()?
                .lines()
                .count(),
        )
    };
    eventually("some trials are made", || trials_so_far() >= Some(3));
    kill(
        Pid::from_raw(compare.id().try_into().expect("a process id")),
        Signal::SIGINT,
    )
    .expect("it is there");
    let pid = compare.id();
    let output = compare.wait_with_output().expect("it ends");
    assert_eq!(
        output.status.code(),
        Some(130),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let folder = only_folder(results.path());
    let (run, trials) = store::read(&folder).expect("a run");
    assert_eq!(run.status, Status::Interrupted);
    assert!((3..200).contains(&trials.len()), "{}", trials.len());
    assert!(folder.join("report.md").exists());
    eventually("no server is left", || !has_servers_of(pid));
}

#[test]
fn a_killed_comparison_leaves_no_server_and_readable_trials() {
    let results = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(HOLA);
    command
        .args([
            "compare",
            "--experiments=churn",
            "--clients=2",
            "--rounds=50",
            "--duration=100ms",
            "--output",
        ])
        .arg(results.path());
    let mut compare = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let pid = compare.id();
    eventually("a server is measured", || has_servers_of(pid));
    compare.kill().expect("it is there");
    compare.wait().expect("it ends");
    eventually("no server is left", || !has_servers_of(pid));
    let (run, _) = store::read(&only_folder(results.path())).expect("a run");
    assert_eq!(run.status, Status::Running);
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
fn a_line_cut_short_by_a_crash_is_left_out_and_any_other_damage_is_named() {
    let results = tempfile::tempdir().expect("a folder");
    let output = results.path().to_str().expect("text");
    let tiny = [
        "--clients=1",
        "--rounds=1",
        "--duration=50ms",
        "--models=iterative",
    ];
    assert!(
        hola(&[&["compare", "--output", output], tiny.as_slice()].concat())
            .0
            .success()
    );
    let folder = only_folder(results.path());
    let path = folder.join("trials.jsonl");
    let whole = fs::read_to_string(&path).expect("trials");
    let count = whole.lines().count();
    fs::write(&path, &whole[..whole.len() - 10]).expect("written");
    assert_eq!(store::read(&folder).expect("a run").1.len(), count - 1);
    fs::write(&path, format!("nonsense\n{whole}")).expect("written");
    let (status, _, stderr) = hola(&["report", folder.to_str().expect("text")]);
    assert_eq!(status.code(), Some(1));
    assert!(stderr.contains("trials.jsonl line 1"), "{stderr}");
}

#[test]
fn an_unknown_model_is_refused_before_anything_is_measured() {
    let results = tempfile::tempdir().expect("a folder");
    let output = results.path().to_str().expect("text");
    let (status, _, stderr) = hola(&[
        "compare",
        "--models",
        "iterative,threads",
        "--output",
        output,
    ]);
    assert_eq!(status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("no such model"), "{stderr}");
    assert_eq!(fs::read_dir(results.path()).expect("a folder").count(), 0);
}
