//! Two runs side by side: a known change is found and named first, and none is invented.

mod support;

#[allow(dead_code, reason = "the reports' tests use the rest")]
#[path = "report/fixture.rs"]
mod fixture;
#[allow(dead_code, reason = "the reports' tests use the rest")]
#[path = "report/noise.rs"]
mod noise;

use std::path::{Path, PathBuf};

use hola::analysis::difference::{Difference, Recorded, Selection, Side, Verdict, Why, between};
use hola::claims::changes;
use hola::claims::decide::{Decision, Verdict as ClaimVerdict};
use hola::lab::record::{Arm, Outcome, Run, Status, Trial};
use hola::lab::store::RunFolder;
use hola::language::Language;
use hola::report::difference::Page;
use serde_json::Value;

use self::fixture::Scene;
use self::support::hola;

/// A run as it is recorded, named so that two of them have folders of their own.
fn play(name: &str, scene: &Scene) -> (Run, Vec<Trial>) {
    let (mut run, trials) = scene.play();
    run.name = name.to_owned();
    (run, trials)
}

fn scene(seed: u64) -> Scene {
    Scene {
        seed: seed.wrapping_mul(0x2545_f491_4f6c_dd1d) + 1,
        histograms: false,
        ..Scene::default()
    }
}

/// The same, but a task costs so many times as much.
fn dearer_tokio(seed: u64, factor: f64) -> Scene {
    let mut scene = scene(seed);
    let tokio = scene.models.iter_mut().find(|model| model.name == "tokio");
    tokio.expect("one of four").cpu_us *= factor;
    scene
}

fn recorded((run, trials): &(Run, Vec<Trial>)) -> Recorded<'_> {
    Recorded { run, trials }
}

fn compared<'a>(base: &'a (Run, Vec<Trial>), candidate: &'a (Run, Vec<Trial>)) -> Difference<'a> {
    between(recorded(base), recorded(candidate), &Selection::default())
}

fn write(results: &Path, (run, trials): &(Run, Vec<Trial>)) -> PathBuf {
    let mut folder = RunFolder::create(results, run).expect("a folder");
    for trial in trials {
        folder.add_trial(trial).expect("written");
    }
    folder.path().to_owned()
}

/// What `hola diff` says of two runs: exit code, stdout, stderr.
fn diff(
    base: &(Run, Vec<Trial>),
    candidate: &(Run, Vec<Trial>),
    arguments: &[&str],
) -> (i32, String, String) {
    let results = tempfile::tempdir().expect("a folder");
    let folders = [base, candidate].map(|one| write(results.path(), one));
    let [base, candidate] = folders.each_ref().map(|path| path.to_str().expect("text"));
    let (status, stdout, stderr) = hola(&[&["diff", base, candidate], arguments].concat());
    (status.code().expect("an exit code"), stdout, stderr)
}

#[test]
fn a_regression_is_named_first_with_an_exit_code_of_its_own() {
    let base = play("base", &scene(1));
    let candidate = play("candidate", &dearer_tokio(2, 1.5));
    let (code, text, stderr) = diff(&base, &candidate, &[]);
    assert_eq!((code, stderr.as_str()), (99, ""), "{text}");
    // Cost and rate, each at three levels, and no other model before them.
    let worse = text.split("\n\n").nth(1).expect("a section");
    assert!(worse.starts_with("Worse: 6\n"), "{text}");
    assert_eq!(worse.matches("  tokio  ").count(), 6, "{text}");
    assert!(text.contains("Nothing became better"), "{text}");
    assert!(text.contains("18 of 24 cells are the same."), "{text}");
    assert!(text.contains("6 of 24 cells differ: 25 %."), "{text}");

    let (code, again, _) = diff(&base, &candidate, &["--no-fail"]);
    assert_eq!((code, again), (0, text), "said, but not failed");
}

/// The same on a machine that takes so many times as long for everything.
fn on_slower_machine(mut scene: Scene, factor: f64) -> Scene {
    for model in &mut scene.models {
        model.cpu_us *= factor;
    }
    scene
}

#[test]
fn a_slower_machine_is_told_once_for_all_models() {
    let base = play("base", &scene(1));
    let candidate = play("candidate", &on_slower_machine(scene(2), 1.4));
    let found = compared(&base, &candidate);
    assert_eq!(found.count(Verdict::Same), 24);
    let (code, text, _) = diff(&base, &candidate, &[]);
    assert_eq!(code, 99, "{text}");
    let first = text.split("\n\n").nth(1).expect("a section");
    assert!(first.starts_with("All models together\n"), "{text}");
    assert_eq!(first.matches("worse").count(), 2, "cost and rate: {text}");
    assert!(text.contains("Nothing became worse"), "{text}");
}

#[test]
fn on_a_slower_machine_a_model_that_is_worse_yet_is_named() {
    let base = play("base", &scene(1));
    let candidate = play("candidate", &on_slower_machine(dearer_tokio(2, 1.5), 1.4));
    let found = compared(&base, &candidate);
    let worse = found.of(Verdict::Worse);
    assert_eq!(worse.len(), 6, "{worse:?}");
    assert!(worse.iter().all(|one| one.model == "tokio"), "{worse:?}");
}

#[test]
fn what_half_the_models_do_is_not_shared() {
    let base = play("base", &scene(1));
    let mut half = scene(2);
    for model in half.models.iter_mut().take(2) {
        model.cpu_us *= 1.5;
    }
    let candidate = play("candidate", &half);
    let found = compared(&base, &candidate);
    assert_eq!(found.count(Verdict::Worse), 12);
    assert!(found.shared.iter().all(|one| one.verdict == Verdict::Same));
}

#[test]
fn three_trials_are_enough_for_a_regression_far_beyond_the_noise() {
    let three = |scene| Scene { rounds: 3, ..scene };
    let base = play("base", &three(scene(1)));
    let candidate = play("candidate", &three(dearer_tokio(2, 1.5)));
    let found = compared(&base, &candidate);
    let worse = found.of(Verdict::Worse);
    assert!(worse.iter().all(|one| one.model == "tokio"), "{worse:?}");
    assert_eq!(worse.len(), 6);
}

#[test]
fn the_other_way_round_it_is_an_improvement() {
    let base = play("base", &dearer_tokio(2, 1.5));
    let candidate = play("candidate", &scene(1));
    let (code, text, _) = diff(&base, &candidate, &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("Nothing became worse") && text.contains("Better: 6\n"));
}

#[test]
fn every_format_says_the_same() {
    let base = play("base", &scene(1));
    let candidate = play("candidate", &dearer_tokio(2, 1.5));
    let (code, markdown, _) = diff(&base, &candidate, &["--format", "markdown", "--all"]);
    assert_eq!(code, 99);
    assert!(markdown.starts_with("# base → candidate\n\n## Worse: 6\n"));
    assert_eq!(markdown.matches("**same**").count(), 18, "{markdown}");

    let (code, json, _) = diff(&base, &candidate, &["--format", "json"]);
    assert_eq!(code, 99);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["cells"]["worse"], 6);
    assert_eq!(json["cells"]["different_share"], 0.25);
    assert_eq!(json["is_regression"], true);
    let changes = json["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 24);
    let cost = changes
        .iter()
        .find(|one| one["model"] == "tokio" && one["figure"] == "cpu_us_per_request")
        .expect("compared");
    assert_eq!(cost["verdict"], "worse");
    let ratio = cost["ratio"].as_f64().expect("a ratio");
    assert!((1.3..1.7).contains(&ratio), "{ratio}");
}

#[test]
fn a_run_does_not_differ_from_itself() {
    let run = play("base", &scene(1));
    let found = compared(&run, &run);
    assert_eq!(found.changes.len(), 24);
    assert_eq!(found.count(Verdict::Same), 24);
    assert!(found.mismatches.is_empty() && found.unmatched.is_empty());
}

/// Share of cells called different in pairs of runs of one truth on a machine that drifts, with so many trials per cell.
fn false_alarms(rounds: u32, pairs: u64) -> f64 {
    let (mut different, mut judged) = (0, 0);
    for pair in 0..pairs {
        let of = |seed| {
            let scene = Scene {
                levels: vec![64],
                rounds,
                noise: 0.03,
                drift: 0.10,
                ..scene(seed)
            };
            play("one", &scene)
        };
        let (base, candidate) = (of(2 * pair), of(2 * pair + 1));
        let cost = Selection {
            figures: vec!["cpu_us_per_request".to_owned()],
            ..Selection::default()
        };
        let found = between(recorded(&base), recorded(&candidate), &cost);
        assert_eq!(found.judged(), 4);
        judged += found.judged();
        different += found.judged() - found.count(Verdict::Same);
    }
    different as f64 / judged as f64
}

#[test]
fn runs_of_one_truth_hardly_differ() {
    for rounds in [3, 4, 5] {
        let share = false_alarms(rounds, 50);
        assert!(share <= 0.05, "{rounds} rounds: {share}");
    }
}

#[test]
fn what_only_one_run_has_is_listed() {
    const GONE: [&str; 2] = ["fork-per-client", "tokio"];
    let base = play("base", &scene(1));
    let (run, mut trials) = play("candidate", &scene(2));
    trials.retain(|trial| !GONE.contains(&trial.model.as_str()));
    let candidate = (run, trials);
    let found = compared(&base, &candidate);
    assert_eq!(found.unmatched.len(), 6);
    for one in &found.unmatched {
        assert_eq!((one.only, one.why), (Side::Base, Why::NotMade));
        assert!(GONE.contains(&one.cell.expect("a cell").0));
    }
    assert!(!found.is_regression());
    let (code, text, _) = diff(&base, &candidate, &[]);
    assert_eq!(code, 0, "{text}");
    for model in GONE {
        let line = format!(
            "  churn, {model}, 1 client · 16 clients · 64 clients: only the base has it; the candidate made no trial.\n"
        );
        assert!(text.contains(&line), "{text}");
    }
    let (_, other_way, _) = diff(&candidate, &base, &[]);
    assert!(other_way.contains("only the candidate has it; the base made no trial."));
}

#[test]
fn a_model_that_no_longer_works_is_a_regression() {
    let base = play("base", &scene(1));
    let mut candidate = play("candidate", &scene(2));
    for trial in &mut candidate.1 {
        if trial.model == "tokio" && trial.arm == Arm::Model {
            trial.outcome = Outcome::Failed("the server did not start".to_owned());
        }
    }
    let (code, text, _) = diff(&base, &candidate, &[]);
    assert_eq!(code, 99, "{text}");
    assert!(
        text.contains("has none that may be ranked. This counts as worse."),
        "{text}"
    );
}

#[test]
fn other_machines_and_missing_trials_are_warned_of() {
    let base = play("base", &scene(1));
    let mut candidate = play("candidate", &scene(2));
    candidate.0.environment.kernel = "6.19.0".to_owned();
    candidate.0.environment.cpus = 4;
    candidate.0.status = Status::Interrupted;
    candidate.0.experiments[0].trial_s = 0.5;
    let (_, text, _) = diff(&base, &candidate, &[]);
    let warnings = text.split("\n\n").nth(1).expect("warnings");
    assert_eq!(
        warnings.lines().collect::<Vec<_>>(),
        [
            "! Not every planned trial of the candidate was made.",
            "! CPUs of the base: 2; of the candidate: 4.",
            "! Kernel of the base: 6.18.5; of the candidate: 6.19.0.",
            "! churn: a trial of the base lasts 2 s, of the candidate 0.5 s.",
        ]
    );
}

#[test]
fn claims_with_another_verdict_are_listed() {
    let decision = |claim, verdict| Decision {
        claim,
        verdict,
        from_level: None,
        findings: Vec::new(),
        rerun: None,
    };
    let before = [
        decision("thread-light", ClaimVerdict::Holds),
        decision("fork-vs-thread", ClaimVerdict::Holds),
        decision("debug-hard", ClaimVerdict::NotMeasured),
    ];
    let mut after = before.clone();
    after[0].verdict = ClaimVerdict::Depends;
    let run = play("base", &scene(1));
    let page = Page {
        difference: &compared(&run, &run),
        claims: &changes::between(&before, &after),
        lists_all: false,
        language: Language::English,
    };
    let text = page.text();
    assert!(
        text.contains("1 of 2 verdicts agree. 1 claim was measured by neither run."),
        "{text}"
    );
    assert!(text.contains("  thread-light  holds   depends\n"), "{text}");
    let json: Value = serde_json::from_str(&page.json().expect("JSON")).expect("JSON");
    let changed =
        serde_json::json!([{"claim": "thread-light", "before": "holds", "after": "depends"}]);
    assert_eq!(json["claims"]["changed"], changed);
}

#[test]
fn a_difference_is_told_in_both_languages_and_as_a_page() {
    let base = play("base", &scene(1));
    let candidate = play("candidate", &dearer_tokio(2, 1.5));
    let (code, english, _) = diff(&base, &candidate, &["--format", "html"]);
    assert_eq!(code, 99);
    assert!(english.contains("<html lang=\"en\">") && english.contains("<h2>Worse: "));
    assert!(!english.contains("src=") && !english.contains("<script"));
    let (_, spanish, _) = diff(&base, &candidate, &["--lang", "es"]);
    assert!(
        spanish.contains("Peor: ") && spanish.contains("Cómo leer esto"),
        "{spanish}"
    );
    assert!(spanish.contains("1,"), "{spanish}");
}

#[test]
fn a_selection_leaves_out_the_rest_and_must_exist() {
    let base = play("base", &scene(1));
    let candidate = play("candidate", &dearer_tokio(2, 1.5));
    let (code, text, _) = diff(&base, &candidate, &["--figures", "good_per_s"]);
    assert_eq!(code, 99);
    assert!(text.contains("9 of 12 cells are the same."), "{text}");
    for (option, known) in [("--figures", "good_per_s"), ("--experiments", "churn")] {
        let (code, stdout, stderr) = diff(&base, &candidate, &[option, "beauty"]);
        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(
            stderr.contains("'beauty'") && stderr.contains(known),
            "{stderr}"
        );
    }
}

#[test]
fn runs_without_anything_in_common_are_an_error_in_one_line() {
    let base = play("base", &scene(1));
    let mut candidate = play("candidate", &scene(2));
    candidate.0.experiments[0].experiment = "keep-alive".to_owned();
    for trial in &mut candidate.1 {
        trial.experiment = "keep-alive".to_owned();
    }
    let (code, stdout, stderr) = diff(&base, &candidate, &[]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("nothing in common"), "{stderr}");
}

#[test]
fn a_folder_that_is_no_run_is_an_error_in_one_line() {
    let nothing = tempfile::tempdir().expect("a folder");
    let path = nothing.path().to_str().expect("text");
    let (status, stdout, stderr) = hola(&["diff", path, path]);
    assert_eq!((status.code(), stdout.as_str()), (Some(1), ""));
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    let named = format!("hola: cannot open {path}/run.json: ");
    assert!(stderr.starts_with(&named), "{stderr}");
}
