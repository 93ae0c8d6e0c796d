//! Reference targets as rows of experiments: planned beside the models, left out with a reason, measured as they are.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use hola::experiments::find;
use hola::experiments::plan::{self, Wishes};
use hola::lab::record::{Measured, Outcome};
use hola::lab::store;
use hola::lab::target::{Places, Targets};
use hola::lab::tree;
use hola_servers::models;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use self::support::{HOLA, eventually, hola, only_folder};

/// A list of one target that is there, one that serves two clients at once, and one that is not there.
fn written_list() -> (tempfile::TempDir, Targets) {
    let target = |name: &str, program: &str, processes: u32, keep_alive: bool| {
        format!(
            "[[target]]\nname = {name:?}\ntitle = {{ en = \"T\", es = \"T\" }}\nprograms = [{program:?}]\n\
             install = \"install it\"\nversion = []\narguments = []\npaths = [\"/\"]\n\
             keep_alive = {keep_alive}\nprocesses = {processes}\nthreads = 1\n"
        )
    };
    let list = [
        target("there", "sh", 1, true),
        target("small", "sh", 2, true),
        target("once", "sh", 1, false),
        target("absent", "no-such-program", 1, true),
    ];
    let scripts = tempfile::tempdir().expect("a folder");
    fs::write(scripts.path().join("targets.toml"), list.concat()).expect("written");
    let places = Places {
        hola: HOLA.into(),
        scripts: scripts.path().to_owned(),
    };
    let targets = Targets::at(places).expect("a list");
    (scripts, targets)
}

#[test]
fn a_plan_has_installed_targets_after_the_models_and_says_why_others_are_left_out() {
    let (_scripts, targets) = written_list();
    let planned = |experiment: &str, models: &[&str]| {
        let experiment = find(experiment).expect("an experiment");
        let profile = experiment.profile("full").expect("a profile");
        let wishes = Wishes {
            models: models.iter().map(|&name| name.to_owned()).collect(),
            ..Wishes::default()
        };
        plan::of(experiment, profile, &wishes, &targets)
    };
    let names = ["absent", "there", "small", "tokio", "iterative"];
    let (design, skipped) = planned("churn", &names);
    assert_eq!(design.models, ["iterative", "tokio", "there", "small"]);
    let [absent] = &skipped[..] else {
        panic!("{skipped:?}")
    };
    assert_eq!(
        (absent.model.as_str(), &absent.experiment),
        ("absent", &None)
    );
    assert_eq!(absent.reason, "absent is not installed: install it");

    // Clients that stay: who has a place for each, and who lets them.
    let (design, skipped) = planned("keep-alive", &["tokio", "there", "small", "once"]);
    let at = |level: usize| design.models_at(&design.levels[level]).collect::<Vec<_>>();
    assert_eq!(at(0), ["tokio", "there", "once"]);
    assert_eq!(at(2), ["tokio", "there"]);
    let reason = |name: &str| {
        let mut of_it = skipped.iter().filter(|one| one.model == name);
        of_it.next().map_or("", |one| one.reason.as_str())
    };
    assert!(
        reason("small").contains("it serves 2 clients at once"),
        "{skipped:?}"
    );
    assert!(
        reason("once").contains("one request per connection"),
        "{skipped:?}"
    );

    // What it does not answer, what takes options of Hola's, and what is no load.
    for (experiment, why) in [
        ("wait", "no answer to /wait/"),
        ("ballast", "asked of models alone"),
        ("spawn", "loads alone"),
    ] {
        let (design, skipped) = planned(experiment, &["thread-per-client", "there"]);
        assert_eq!(design.models, ["thread-per-client"], "{experiment}");
        assert!(
            skipped.iter().any(|one| one.reason.contains(why)),
            "{experiment}: {skipped:?}"
        );
    }
}

#[test]
fn without_a_list_there_are_only_models() {
    let scripts = tempfile::tempdir().expect("a folder");
    let places = Places {
        hola: HOLA.into(),
        scripts: scripts.path().to_owned(),
    };
    let reason = Targets::at(places).expect_err("no list");
    assert!(reason.contains("targets.toml"), "{reason}");
    let churn = find("churn").expect("an experiment");
    let profile = churn.profile("full").expect("a profile");
    let none = Targets::none(Path::new(HOLA));
    let (design, skipped) = plan::of(churn, profile, &Wishes::default(), &none);
    assert!(
        design
            .models
            .iter()
            .all(|name| models::find(name).is_some())
    );
    assert!(
        !skipped.iter().any(|one| one.experiment.is_none()),
        "{skipped:?}"
    );
}

#[test]
fn a_comparison_measures_a_target_as_it_does_a_model() {
    let targets = Targets::at(Places::beside_source(Path::new(HOLA))).expect("a list");
    let python = targets.named("python-threads").expect("a target");
    if let Err(reason) = python.program(&targets.places) {
        return println!("skipped: {reason}");
    }
    let results = tempfile::tempdir().expect("a folder");
    let output = results.path().to_str().expect("text");
    let (status, _, stderr) = hola(&[
        "compare",
        "--experiments=churn,scaling",
        "--profile=full",
        "--models=iterative,python-threads",
        "--clients=2",
        "--rounds=1",
        "--duration=200ms",
        "--output",
        output,
    ]);
    assert!(status.success(), "{stderr}");
    assert!(stderr.contains("1 models, 1 targets"), "{stderr}");
    let (run, trials) = store::read(&only_folder(results.path())).expect("a run");
    let names: Vec<_> = run.models.iter().map(|card| card.name.as_str()).collect();
    assert_eq!(names, ["iterative", "python-threads"]);
    assert_eq!(run.models[1].attention, "thread");
    assert!(
        run.models[1].summary.en.contains("Python 3"),
        "{:?}",
        run.models[1]
    );
    let measured = |experiment: &str, model: &str| -> &Measured {
        let mut of_it = trials
            .iter()
            .filter(|trial| trial.experiment == experiment && trial.model == model);
        match of_it.next().map(|trial| &trial.outcome) {
            Some(Outcome::Measured(measured)) => measured,
            other => panic!("{experiment} {model}: {other:?}"),
        }
    };
    let python = measured("churn", "python-threads");
    let (Some(server), Some(load)) = (&python.server, &python.load) else {
        panic!("{python:?}")
    };
    // It says nothing of itself: its requests are those that were seen answered, and nobody checks its count.
    assert_eq!(
        (server.requests, server.switches_voluntary),
        (load.counts.ok, None)
    );
    assert!(
        server.requests > 0 && python.validity.is_empty(),
        "{python:?}"
    );
    assert!(
        server.cpu_us_per_request > Some(0.0) && server.threads_peak >= 1,
        "{server:?}"
    );
    assert!(server.pss_peak_kib > Some(0), "{server:?}");
    let model = measured("churn", "iterative");
    let accounts = [python, model].map(|one| one.server.as_ref().and_then(|one| one.accounted_by));
    assert!(
        accounts[0].is_some() && accounts[0] == accounts[1],
        "{accounts:?}"
    );
    assert_eq!(model.validity.len(), 2, "{:?}", model.validity);
    // Of a hundredth of the rounds it makes answers in the time of a trial.
    let answered = |model| {
        measured("scaling", model)
            .load
            .as_ref()
            .map(|load| load.counts.ok)
    };
    assert!(answered("python-threads") > Some(0));
    let path = |model| {
        measured("scaling", model)
            .load
            .as_ref()
            .map(|load| load.url.clone())
    };
    assert!(path("python-threads").is_some_and(|url| url.ends_with("/compute/10000")));
    assert!(path("iterative").is_some_and(|url| url.ends_with("/compute/1000000")));
    let page = fs::read_to_string(only_folder(results.path()).join("report.md"));
    assert!(page.is_ok_and(|page| page.contains("Python, a thread per client")));
}

#[test]
fn an_unknown_target_is_refused_with_the_names_there_are() {
    let (status, _, stderr) = hola(&["compare", "--models", "iterative,apache"]);
    assert_eq!(status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("no such model or target") && stderr.contains("apache-event"),
        "{stderr}"
    );
}

#[test]
fn a_comparison_whose_keeper_is_killed_leaves_no_target_and_does_not_pass() {
    let targets = Targets::at(Places::beside_source(Path::new(HOLA))).expect("a list");
    let python = targets.named("python-threads").expect("a target");
    if let Err(reason) = python.program(&targets.places) {
        return println!("skipped: {reason}");
    }
    let results = tempfile::tempdir().expect("a folder");
    let mut compare = Command::new(HOLA)
        .args([
            "compare",
            "--experiments=churn",
            "--profile=full",
            "--models=iterative,python-threads",
        ])
        .args(["--clients=2", "--rounds=1", "--duration=2s", "--output"])
        .arg(results.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let root = i32::try_from(compare.id()).expect("a process id");
    let of_tree = |word: &str| -> Vec<i32> {
        let line =
            |pid: i32| fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let processes = tree::processes(root)
            .into_iter()
            .map(|process| process.pid());
        processes.filter(|&pid| line(pid).contains(word)).collect()
    };
    // The keeper's command line names the target, and so does the target's own.
    let mut found = Vec::new();
    eventually("a target is kept", || {
        found = of_tree("python_threads.py");
        found.len() >= 2
    });
    // A trial from which the hypervisor took the CPU is made again, and its keeper is killed as well.
    eventually("it ends", || {
        for keeper in of_tree("\0keep\0") {
            found.extend(of_tree("python_threads.py"));
            // It may have ended since.
            let _ = kill(Pid::from_raw(keeper), Signal::SIGKILL);
        }
        compare.try_wait().expect("a child").is_some()
    });
    let output = compare.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("hola keep, which ran it, was killed (signal 9)"),
        "{stderr}"
    );
    assert!(stderr.contains("1 of 3 trials failed"), "{stderr}");
    for pid in found {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(
            stat.is_empty() || stat.contains(") Z "),
            "process {pid} is left"
        );
    }
    // The others are there, and the report says why one is not.
    let folder = only_folder(results.path());
    let (_, trials) = store::read(&folder).expect("a run");
    let failed = trials
        .iter()
        .filter(|trial| matches!(trial.outcome, Outcome::Failed(_)));
    assert_eq!((trials.len(), failed.count()), (3, 1));
    assert!(
        fs::read_to_string(folder.join("report.md")).is_ok_and(|page| page.contains("was killed"))
    );
}
