//! From cells to evidence: what a run shows of the claims, what it leaves open, and where its models stop gaining.

use hola::analysis;
use hola::claims::decide::{Decision, Verdict};
use hola::claims::evidence::{Cell, Evidence, Gap};
use hola::claims::of_run;
use hola::claims::rising;
use hola::claims::turning::{Cause, Shape};
use hola::lab::record::{Run, Trial};
use hola::language::Language;
use hola::report::Reports;

use crate::fixture::{Scene, check, load, measured, server};

fn evidence(run: &Run, trials: &[Trial]) -> Evidence {
    of_run::evidence(run, &analysis::of_run(run, trials))
}

fn decision(run: &Run, trials: &[Trial], claim: &str) -> Decision {
    let decisions = of_run::decisions(run, trials);
    let found = decisions.into_iter().find(|one| one.claim == claim);
    found.expect("a decision on every claim")
}

#[test]
fn a_claim_is_decided_by_what_the_run_measured() {
    let (run, trials) = Scene::default().play();
    // A process costs several times a thread where clients come and go, whatever computing would show.
    let decided = decision(&run, &trials, "process-scales");
    assert_eq!(decided.verdict, Verdict::Fails);
    let open = decision(&run, &trials, "isolation");
    assert_eq!(open.verdict, Verdict::NotMeasured);
    assert!(
        open.findings
            .iter()
            .all(|one| one.effect == Err(Gap::NotInRun("crash".into())))
    );
}

#[test]
fn a_rate_that_the_generator_set_is_missing_and_the_cost_is_not() {
    let (run, mut trials) = Scene::default().play();
    for trial in trials.iter_mut().filter(|one| one.model == "tokio") {
        load(trial)
            .validity
            .push(check("generator", false, "CPU 99 %"));
    }
    let evidence = evidence(&run, &trials);
    let cell = Cell::new("churn", "64 clients", "tokio");
    assert_eq!(
        evidence.sample(&cell, "good_per_s", 5).err(),
        Some(Gap::GeneratorBound)
    );
    assert!(evidence.sample(&cell, "cpu_us_per_request", 5).is_ok());
}

#[test]
fn clients_that_the_host_could_not_hold_are_a_lower_bound() {
    let (mut run, mut trials) = Scene::default().play();
    run.experiments[0].experiment = "idle".into();
    for trial in &mut trials {
        trial.experiment = "idle".into();
        let limit = match trial.model.as_str() {
            "tokio" => "this host's limit of 20000 open files",
            _ => "its cap of 256 clients, the fresh one included",
        };
        let measured = measured(trial);
        measured.figures.insert("clients_most".into(), 255.0);
        measured.remarks.insert("limit".into(), limit.into());
    }
    let evidence = evidence(&run, &trials);
    for (model, is_lower_bound) in [("tokio", true), ("fork-per-client", false)] {
        let cell = Cell::new("idle", "1 client", model);
        let sample = evidence.sample(&cell, "clients_most", 5).expect("a sample");
        assert_eq!(sample.is_lower_bound, is_lower_bound, "{model}");
    }
}

/// Models that serve ten times as much with 16 clients as with one, and no more with 64, on a CPU used in full.
fn flat_from_sixteen() -> (Run, Vec<Trial>) {
    let (run, mut trials) = Scene::default().play();
    let us = (run.experiments[0].trial_s + run.experiments[0].warmup_s) * 1e6;
    for trial in &mut trials {
        let (good_per_s, p99) = match trial.level.as_str() {
            "1 client" => (1_000.0, 200.0),
            "16 clients" => (10_000.0, 2_000.0),
            _ => (10_000.0, 8_000.0),
        };
        let busy = if trial.level == "1 client" { 0.3 } else { 0.99 };
        let wobble = 1.0 + f64::from(trial.round) / 500.0;
        let summary = load(trial);
        summary.rates.good_per_s = good_per_s * wobble;
        summary.latency_us.response.p99 = Some(p99 * wobble);
        let bill = server(trial);
        bill.cpu_user_us = 0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "microseconds of a trial"
        )]
        {
            bill.cpu_system_us = (us * busy) as u64;
        }
    }
    (run, trials)
}

#[test]
fn a_turning_point_is_found_and_its_cause_named() {
    let (run, trials) = flat_from_sixteen();
    let analyses = analysis::of_run(&run, &trials);
    let turns = rising::turns(&analyses[0], &run.models);
    assert_eq!(turns.len(), run.experiments[0].models.len());
    for turn in turns {
        let point = turn.point.expect("a turning point");
        assert_eq!(
            (point.level.as_str(), point.next.as_str()),
            ("16 clients", "64 clients")
        );
        assert_eq!((point.shape, point.causes), (Shape::Flat, vec![Cause::Cpu]));
    }
}

#[test]
fn levels_that_are_no_rising_load_have_no_turning_points() {
    let (mut run, trials) = flat_from_sixteen();
    run.experiments[0].levels[2].path = "/wait/1".into();
    let analyses = analysis::of_run(&run, &trials);
    assert!(rising::turns(&analyses[0], &run.models).is_empty());
}

#[test]
fn reports_show_verdicts_and_turning_points() {
    let (run, trials) = flat_from_sixteen();
    let markdown = Reports::of(&run, &trials).markdown(Language::English);
    for expected in [
        "Of 25 claims",
        "hola compare --profile full --experiments cpu,churn --models fork-per-client,thread-per-client",
        "Where each model stops gaining",
        "its CPU is used in full",
    ] {
        assert!(markdown.contains(expected), "{expected}");
    }
    let html = Reports::of(&run, &trials).html();
    assert!(html.contains(r#"<article class="card" id="process-scales">"#));
}
