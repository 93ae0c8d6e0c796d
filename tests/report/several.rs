//! Several experiments in one run: each has a section, its own figures, and its own idea of what counts.

use hola::analysis::cells::Cell;
use hola::analysis::comparison::Verdict;
use hola::analysis::metric::Metric;
use hola::analysis::{self, Analysis};
use hola::lab::record::{Level, Outcome, Run, Skipped, Trial};
use hola::language::Language;
use hola::report::Reports;

use crate::fixture::{Scene, check, load, measured};

/// The plan of a second experiment: who fails beside crashes, one level for all and one for two models.
fn crashes(run: &Run) -> hola::lab::record::Design {
    let mut design = run.experiments[0].clone();
    design.experiment = "crash".to_owned();
    design.question.en = "Who goes down with a client’s handler?".to_owned();
    design.figures = ["others_failed_share", "recovery_us"]
        .map(str::to_owned)
        .into();
    design.tolerates = vec!["failures".to_owned()];
    let level = |name: &str| Level {
        name: name.to_owned(),
        path: "/wait/2".to_owned(),
        rate_per_s: Some(200.0),
        disturbance: Some("a client that asks for /crash/abort every 100 ms".to_owned()),
        ..Level::default()
    };
    design.levels = vec![
        level("abort"),
        Level {
            models: ["iterative", "tokio"].map(str::to_owned).into(),
            ..level("abort, two models")
        },
    ];
    design
}

/// Churn, and then crashes: the failures of others are the figure, and the server of a model of threads is gone.
fn several() -> (Run, Vec<Trial>) {
    let (mut run, mut trials) = Scene::default().play();
    let of_level = |from: &str, to: &'static str| {
        let chosen = trials.iter().filter(move |trial| trial.level == from);
        let moved = chosen.cloned().map(move |mut trial| {
            trial.level = to.to_owned();
            trial
        });
        moved.collect::<Vec<Trial>>()
    };
    let mut second = of_level("1 client", "abort");
    second.extend(
        of_level("16 clients", "abort, two models")
            .into_iter()
            .filter(|trial| ["iterative", "tokio"].contains(&trial.model.as_str())),
    );
    let first = trials.len();
    for (trial, place) in second.iter_mut().zip(first..) {
        trial.experiment = "crash".to_owned();
        trial.position = u32::try_from(place).expect("few trials");
        let failed = if trial.model == "fork-per-client" {
            0.02
        } else {
            0.9
        };
        let wobble = 1.0 + f64::from(trial.round) / 100.0;
        let figures = &mut measured(trial).figures;
        figures.insert("others_failed_share".to_owned(), failed * wobble);
        if failed < 0.5 {
            figures.insert("recovery_us".to_owned(), 400.0 * wobble);
        } else {
            measured(trial).server = None;
        }
        load(trial)
            .validity
            .push(check("failures", false, "most requests failed"));
    }
    trials.extend(second);
    run.experiments.push(crashes(&run));
    run.skipped.push(Skipped {
        model: "tokio".to_owned(),
        experiment: Some("crash".to_owned()),
        reason: "it is too good for this".to_owned(),
    });
    (run, trials)
}

#[test]
fn every_experiment_has_its_section_and_the_first_one_is_the_answer() {
    let (run, trials) = several();
    let report = Reports::of(&run, &trials).report(Language::English);
    let names: Vec<&str> = report
        .experiments
        .iter()
        .map(|part| part.name.as_str())
        .collect();
    assert_eq!(names, ["churn", "crash"]);
    assert!(
        report.answer[0].starts_with("Threads or processes?"),
        "{:?}",
        report.answer
    );
    let [churn, crash] = report.experiments.as_slice() else {
        panic!("two experiments")
    };
    // A figure that is no cost is shown trial by trial.
    assert_eq!((churn.charts.len(), crash.charts.len()), (5, 4));
    let answer = &crash.answer[0];
    assert!(
        answer.contains("beside a client that asks for /crash/abort")
            && answer.contains("“Requests of others that failed” against Iterative"),
        "{answer}"
    );
    assert!(
        crash
            .changes_mind
            .starts_with("What would change our mind: ")
    );
    for page in [
        Reports::of(&run, &trials).markdown(Language::English),
        Reports::of(&run, &trials).html(),
    ] {
        assert!(page.contains("Who goes down with a client’s handler?"));
        assert!(page.contains("it is too good for this"));
        assert!(page.contains("2 experiments"));
    }
    // Without a second experiment the README says the same.
    let mut alone = run.clone();
    alone.experiments.truncate(1);
    assert_eq!(
        Reports::of(&run, &trials).readme_table(Language::English),
        Reports::of(&alone, &trials).readme_table(Language::English)
    );
}

#[test]
fn figures_of_one_experiment_are_compared_and_written_in_their_own_unit() {
    let (run, trials) = several();
    let analyses = analysis::of_run(&run, &trials);
    let crash = &analyses[1];
    let lead = Metric::named("others_failed_share").expect("a figure");
    assert_eq!(crash.lead(), lead);
    let fork = crash.comparison("fork-per-client", "abort", lead);
    assert_eq!(fork.expect("both have trials").verdict, Verdict::Less);
    let tokio = crash.comparison("tokio", "abort", lead);
    assert_eq!(tokio.expect("both have trials").verdict, Verdict::Tie);
    let text = Reports::of(&run, &trials).markdown(Language::English);
    let row = |model: &str, level: &str| {
        let start = format!("| {model} | {level} |");
        let mut lines = text.lines();
        lines
            .find(|line| line.starts_with(&start))
            .expect("a row")
            .to_owned()
    };
    let fork = row("Process per client", "abort");
    assert!(
        fork.contains("2.0 %") && fork.contains("408 µs") && fork.contains("**less**"),
        "{fork}"
    );
    assert!(row("Tokio", "abort").contains("**no figure**"), "{text}");
    let rows = Reports::of(&run, &trials).csv();
    let header = rows.lines().next().expect("a header");
    assert!(
        header.contains(",processes_peak,others_failed_share,recovery_us,cpu_user_us,"),
        "{header}"
    );
}

#[test]
fn a_failed_check_that_is_the_finding_speaks_against_no_trial() {
    let (mut run, trials) = several();
    let ranked = |run: &Run| {
        let analyses = analysis::of_run(run, &trials);
        analyses[1].cells.iter().map(Cell::ranked).sum::<usize>()
    };
    assert_eq!(
        ranked(&run),
        trials
            .iter()
            .filter(|one| one.experiment == "crash")
            .count()
    );
    assert!(
        Reports::of(&run, &trials)
            .csv()
            .contains(",crash,iterative,model,abort,0,")
    );
    run.experiments[1].tolerates.clear();
    assert_eq!(ranked(&run), 0);
    assert!(
        Reports::of(&run, &trials)
            .csv()
            .contains("invalid,failures")
    );
}

#[test]
fn a_server_that_answers_nothing_counts_only_where_that_is_the_question() {
    let (mut run, mut trials) = Scene::default().play();
    for trial in trials.iter_mut().filter(|trial| trial.model == "iterative") {
        let load = load(trial);
        load.counts.ok = 0;
        load.rates.good_per_s = 0.0;
    }
    let verdict = |run: &Run| {
        let design = &run.experiments[0];
        let analysis = Analysis::new(design, &run.models, &trials, run.seed);
        let found = analysis.comparison("iterative", "64 clients", Metric::GoodPerS);
        found.map(|found| (found.ratio.value, found.verdict))
    };
    run.experiments[0].control = "tokio".to_owned();
    assert_eq!(verdict(&run), None);
    run.experiments[0].tolerates = vec!["nothing_answered".to_owned()];
    assert_eq!(verdict(&run), Some((0.0, Verdict::Less)));
}

#[test]
fn a_level_for_some_models_has_rows_for_those_alone() {
    let (run, trials) = several();
    let analyses = analysis::of_run(&run, &trials);
    let models: Vec<&str> = analyses[1]
        .level("abort, two models")
        .map(|cell| cell.model)
        .collect();
    assert_eq!(models, ["iterative", "tokio"]);
    assert_eq!(analyses[1].level("abort").count(), 4);
}

#[test]
fn trials_of_an_experiment_that_was_not_planned_are_set_aside() {
    let (mut run, mut trials) = several();
    run.experiments.truncate(1);
    trials.retain(|trial| trial.experiment == "churn" || trial.round == 0);
    let foreign = trials
        .iter()
        .filter(|trial| trial.experiment == "crash")
        .count();
    let text = Reports::of(&run, &trials).markdown(Language::English);
    assert!(
        text.contains(&format!("{foreign} outside the plan")),
        "{text}"
    );
    trials[0].outcome = Outcome::Failed("no server".to_owned());
    assert!(
        Reports::of(&run, &trials)
            .markdown(Language::English)
            .contains("1 could not be made")
    );
}
