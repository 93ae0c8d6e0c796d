//! Many experiments in one run: listed, budgeted, gone on with, and what goes on beside a load.

mod support;

use std::fs;
use std::process::{Command, ExitStatus, Stdio};

use hola::lab::record::{Outcome, Status};
use hola::lab::{order, store};
use serde_json::Value;
use tempfile::TempDir;

use self::support::{HOLA, eventually, hola, only_folder};

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
    assert!(cards.len() >= 14, "{}", cards.len());
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

/// Compares three models in those experiments: the folder of results, how it ended and what it said.
fn compared(experiments: &str) -> (TempDir, ExitStatus, String) {
    let results = tempfile::tempdir().expect("a folder");
    let (status, _, stderr) = hola(&[
        "compare",
        "--experiments",
        experiments,
        "--models=iterative,fork-per-client,epoll",
        "--rounds=1",
        "--duration=400ms",
        "--output",
        results.path().to_str().expect("text"),
    ]);
    (results, status, stderr)
}

#[test]
fn an_experiment_with_something_beside_the_load_measures_both() {
    // A neighbour that takes the CPUs can spoil a trial of one run or another, for no server ends a drain in time without
    // them; a bug spoils all runs.
    const RUNS_MAX: usize = 3;
    let mut made = compared("slow-client,crash,overload");
    for _ in 1..RUNS_MAX {
        if made.1.success() {
            break;
        }
        println!("made again, because of: {}", made.2);
        made = compared("slow-client,crash,overload");
    }
    let (results, status, stderr) = made;
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
        let load = measured("slow-client", model, "8 slow clients")
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
    let failed = |model| figure("crash", model, "abort", "others_failed_share");
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
