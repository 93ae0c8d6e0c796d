//! A whole comparison, small: what it keeps, what it writes, and what survives an interruption.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hola::lab::record::{Outcome, Status};
use hola::lab::{order, store};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use self::support::{HOLA, eventually, hola, models};

fn only_folder(results: &Path) -> PathBuf {
    let folders: Vec<_> = fs::read_dir(results)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    folders[0].clone()
}

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

    let names = ["report.md", "report.html", "trials.csv"];
    let written = names.map(|name| fs::read(folder.join(name)).expect("a report"));
    let (status, _, stderr) = hola(&["report", folder.to_str().expect("text")]);
    assert!(status.success(), "{stderr}");
    assert_eq!(
        written,
        names.map(|name| fs::read(folder.join(name)).expect("a report")),
        "built again"
    );
    let (_, markdown, _) = hola(&[
        "report",
        folder.to_str().expect("text"),
        "--format",
        "markdown",
    ]);
    assert_eq!(markdown.as_bytes(), written[0]);
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

#[test]
fn a_killed_comparison_is_gone_on_with_and_makes_every_trial_once() {
    let results = tempfile::tempdir().expect("a folder");
    let mut compare = Command::new(HOLA)
        .args(["compare", "--experiments=churn,slow-client", "--rounds=2"])
        .args(["--models=iterative,tokio", "--duration=50ms", "--seed=11"])
        .arg("--output")
        .arg(results.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let trials_so_far = || {
        let folder = fs::read_dir(results.path()).ok()?.flatten().next()?.path();
        let trials = fs::read_to_string(folder.join("trials.jsonl")).ok()?;
        Some(trials.lines().count())
    };
    eventually("some trials are made", || trials_so_far() >= Some(3));
    compare.kill().expect("it is there");
    compare.wait().expect("it ends");
    let folder = only_folder(results.path());
    // As if the power had failed in the middle of a line.
    let path = folder.join("trials.jsonl");
    let whole = fs::read_to_string(&path).expect("trials");
    fs::write(&path, &whole[..whole.len() - 10]).expect("written");
    let (begun, made_before) = store::read(&folder).expect("a run");
    assert_eq!(begun.status, Status::Running);

    let folder_name = folder.to_str().expect("text");
    let (status, _, stderr) = hola(&["compare", "--resume", folder_name]);
    assert!(status.success(), "{stderr}");
    assert!(stderr.contains("trials are there already"), "{stderr}");
    let (run, trials) = store::read(&folder).expect("a run");
    assert_eq!((run.status, run.resumed_at.len()), (Status::Complete, 1));
    assert_eq!(trials[..made_before.len()], made_before);
    let planned: Vec<_> = order::of(&run)
        .iter()
        .map(|planned| {
            let experiment = run.experiments[planned.experiment].experiment.clone();
            let place = (planned.position, planned.round, planned.arm);
            (
                place,
                experiment,
                planned.model.to_owned(),
                planned.level.name.clone(),
            )
        })
        .collect();
    let made: Vec<_> = trials
        .into_iter()
        .map(|trial| {
            let place = (trial.position, trial.round, trial.arm);
            (place, trial.experiment, trial.model, trial.level)
        })
        .collect();
    assert_eq!(made, planned);

    let (status, _, stderr) = hola(&["compare", "--resume", folder_name]);
    assert_eq!(status.code(), Some(1));
    assert!(stderr.contains("is complete"), "{stderr}");
}

#[test]
fn a_run_of_another_build_is_not_gone_on_with() {
    let results = tempfile::tempdir().expect("a folder");
    let output = results.path().to_str().expect("text");
    let tiny = [
        "--experiments=churn",
        "--clients=1",
        "--rounds=1",
        "--duration=50ms",
    ];
    let arguments = [
        &["compare", "--models=iterative", "--output", output],
        tiny.as_slice(),
    ];
    assert!(hola(&arguments.concat()).0.success());
    let folder = only_folder(results.path());
    let path = folder.join("run.json");
    let text = fs::read_to_string(&path).expect("a run");
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "{text}");
    let other = text
        .replace(&version, "\"version\": \"0.0.0\"")
        .replace("\"complete\"", "\"interrupted\"");
    fs::write(&path, other).expect("written");
    let (status, _, stderr) = hola(&["compare", "--resume", folder.to_str().expect("text")]);
    assert_eq!(status.code(), Some(1));
    assert!(stderr.contains("another build"), "{stderr}");
}

#[test]
fn the_experiments_are_listed_with_their_levels_and_time() {
    let (status, listed, _) = hola(&["experiments"]);
    assert!(status.success());
    let (status, json, _) = hola(&["experiments", "--json"]);
    assert!(status.success());
    let cards: Value = serde_json::from_str(&json).expect("JSON");
    let cards = cards.as_array().expect("an array");
    assert!(cards.len() >= 11, "{}", cards.len());
    for card in cards {
        let name = card["name"].as_str().expect("a name");
        assert!(listed.contains(name), "{name}");
        for language in ["en", "es"] {
            for text in ["question", "changes_mind"] {
                let text = &card[text][language];
                assert!(text.as_str().is_some_and(|text| !text.is_empty()), "{name}");
            }
        }
        let profiles = card["profiles"].as_array().expect("an array");
        for profile in profiles {
            assert!(profile["time_s"].as_f64() > Some(0.0), "{profile}");
            assert!(profile["levels"][0]["name"].is_string(), "{profile}");
        }
        assert!(!profiles.is_empty(), "{name}");
    }
}

#[test]
fn an_experiment_with_something_beside_the_load_measures_both() {
    let results = tempfile::tempdir().expect("a folder");
    let output = results.path().to_str().expect("text");
    let (status, _, stderr) = hola(&[
        "compare",
        "--experiments=slow-client,crash,overload",
        "--models=iterative,fork-per-client,epoll",
        "--rounds=1",
        "--duration=400ms",
        "--output",
        output,
    ]);
    assert!(status.success(), "{stderr}");
    let (run, trials) = store::read(&only_folder(results.path())).expect("a run");
    assert_eq!(run.experiments.len(), 3);
    let measured = |experiment: &str, model: &str, level: &str| {
        let mut of_it = trials.iter().filter(|trial| {
            (
                trial.experiment.as_str(),
                trial.model.as_str(),
                trial.level.as_str(),
            ) == (experiment, model, level)
        });
        match of_it.next().map(|trial| &trial.outcome) {
            Some(Outcome::Measured(measured)) => measured,
            other => panic!("{experiment} {model} {level}: {other:?}"),
        }
    };
    // A server with one place answers nobody while a slow client has it; a process of its own leaves the others alone.
    let good = |model: &str| {
        let load = measured("slow-client", model, "1 slow client")
            .load
            .as_ref();
        load.expect("a load").counts.ok
    };
    assert_eq!(good("iterative"), 0);
    assert!(good("fork-per-client") > 0);
    let figure = |experiment: &str, model: &str, level: &str, name: &str| {
        let measured = measured(experiment, model, level);
        *measured
            .figures
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {measured:?}"))
    };
    // An abort ends a server that is one process, and of several only the one that it hits.
    assert_eq!(figure("crash", "iterative", "abort", "survived_share"), 0.0);
    assert_eq!(
        figure("crash", "fork-per-client", "abort", "survived_share"),
        1.0
    );
    let failed = |model| figure("crash", model, "abort", "failed_share");
    assert!(failed("iterative") > failed("fork-per-client"));
    assert!(measured("crash", "iterative", "abort").server.is_none());
    assert!(figure("overload", "epoll", "2 × capacity", "capacity_per_s") > 0.0);
    let page = fs::read_to_string(only_folder(results.path()).join("report.md"));
    let page = page.expect("a report");
    for heading in ["\n## slow-client\n", "\n## crash\n", "\n## overload\n"] {
        assert!(page.contains(heading), "{heading}");
    }
}

#[test]
fn an_unknown_experiment_is_refused_with_the_names_there_are() {
    let (status, _, stderr) = hola(&["compare", "--experiments", "churn,threads"]);
    assert_eq!(status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("no such experiment") && stderr.contains("slow-client"),
        "{stderr}"
    );
}
