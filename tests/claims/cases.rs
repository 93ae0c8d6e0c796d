//! What is said where figures are missing, bounded or few.

use hola::analysis::sample::Observation;
use hola::claims::decide::{Decision, Verdict, decide};
use hola::claims::effect::TRIALS_MIN;
use hola::claims::evidence::{Cell, Evidence, Gap};
use hola::claims::words;
use hola::claims::{Claim, find};
use hola::language::Language;

const FIGURE: &str = "cpu_us_per_request";

fn trials(value: f64, count: usize) -> Vec<Observation> {
    (0..)
        .take(count)
        .map(|round| Observation { round, value })
        .collect()
}

fn claim(id: &str) -> &'static Claim {
    find(id).unwrap_or_else(|| panic!("no claim {id}"))
}

/// Evidence of one experiment with the same number of trials everywhere.
fn evidence(
    experiment: &str,
    figure: &str,
    levels: &[&str],
    truths: &[(&str, &[f64])],
) -> Evidence {
    let mut evidence = Evidence::new(1);
    add(&mut evidence, experiment, figure, levels, truths);
    evidence
}

fn add(
    evidence: &mut Evidence,
    experiment: &str,
    figure: &str,
    levels: &[&str],
    truths: &[(&str, &[f64])],
) {
    let models: Vec<&str> = truths.iter().map(|(model, _)| *model).collect();
    evidence.plan(experiment, levels, &models);
    for (model, truth) in truths {
        for (level, value) in levels.iter().zip(*truth) {
            evidence.observe(
                Cell::new(experiment, level, model),
                figure,
                trials(*value, TRIALS_MIN),
            );
        }
    }
}

fn selectors(selector: &[f64]) -> Evidence {
    let truths: [(&str, &[f64]); 2] = [
        ("thread-per-client", &[36.0, 36.0]),
        ("selector-threads", selector),
    ];
    evidence("churn", FIGURE, &["1", "64"], &truths)
}

fn says(decision: &Decision, expected: &str) {
    let text = words::sentence(decision, claim(decision.claim), Language::English);
    assert!(text.contains(expected), "{text}");
    let spanish = words::sentence(decision, claim(decision.claim), Language::Spanish);
    assert_ne!(text, spanish);
}

#[test]
fn a_decided_claim_has_its_effect_its_rows_and_its_command() {
    let decision = decide(claim("selectors-scale"), &selectors(&[18.0, 18.0]));
    assert_eq!(decision.verdict, Verdict::Holds);
    assert_eq!(decision.findings.len(), 2);
    let effect = decision.findings[0].effect.as_ref().expect("an effect");
    assert_eq!((effect.value, effect.low, effect.high), (0.5, 0.5, 0.5));
    assert_eq!(
        decision.rerun.as_deref(),
        Some(
            "hola compare --profile full --experiments churn --models thread-per-client,selector-threads"
        )
    );
    says(&decision, "holds: true of selector-threads at 1");
}

#[test]
fn levels_that_disagree_are_named() {
    let decision = decide(claim("selectors-scale"), &selectors(&[36.0, 18.0]));
    assert_eq!(decision.verdict, Verdict::Depends);
    says(&decision, "true of selector-threads at 64");
    says(&decision, "false of selector-threads at 1");
    let weakest = decision.weakest().expect("a finding");
    assert_eq!(weakest.level, "1");
}

#[test]
fn what_the_run_does_not_include_is_not_measured() {
    let decision = decide(claim("selectors-scale"), &Evidence::new(1));
    assert_eq!(decision.verdict, Verdict::NotMeasured);
    says(&decision, "“churn” is not part of this run");
    let truths: [(&str, &[f64]); 1] = [("thread-per-client", &[36.0])];
    let evidence = evidence("churn", FIGURE, &["1"], &truths);
    let decision = decide(claim("selectors-scale"), &evidence);
    says(&decision, "“selector-threads” is not part of this run");
}

#[test]
fn a_model_that_the_system_lacks_is_not_measured() {
    let truths: [(&str, &[f64]); 1] = [("epoll", &[20.0])];
    let mut evidence = evidence("churn", FIGURE, &["1"], &truths);
    evidence.skipped("io-uring", "io_uring is forbidden");
    let decision = decide(claim("uring-faster"), &evidence);
    assert_eq!(decision.verdict, Verdict::NotMeasured);
    says(
        &decision,
        "io-uring is not available here: io_uring is forbidden",
    );
}

#[test]
fn a_generator_at_its_limit_and_too_few_trials_say_so() {
    let mut evidence = selectors(&[18.0, 18.0]);
    let cell = Cell::new("churn", "64", "selector-threads");
    evidence.missing(cell, FIGURE, Gap::GeneratorBound);
    let decision = decide(claim("selectors-scale"), &evidence);
    assert_eq!(decision.verdict, Verdict::NotMeasured);
    says(&decision, "the load generator was at its limit");

    let mut evidence = selectors(&[18.0, 18.0]);
    let cell = Cell::new("churn", "64", "selector-threads");
    evidence.observe(cell, FIGURE, trials(18.0, TRIALS_MIN - 1));
    let decision = decide(claim("selectors-scale"), &evidence);
    assert_eq!(decision.verdict, Verdict::NotMeasured);
    says(&decision, "too few trials");
}

#[test]
fn one_refuted_place_refutes_whatever_else_is_missing() {
    let mut evidence = selectors(&[36.0, 36.0]);
    let cell = Cell::new("churn", "64", "selector-threads");
    evidence.missing(cell, FIGURE, Gap::GeneratorBound);
    let decision = decide(claim("selectors-scale"), &evidence);
    assert_eq!(decision.verdict, Verdict::Fails);
}

#[test]
fn a_difference_below_the_noise_floor_is_not_told_apart_from_noise() {
    let mut evidence = selectors(&[31.0, 31.0]);
    for level in ["1", "64"] {
        evidence.floor("churn", level, FIGURE, 1.2);
    }
    let decision = decide(claim("selectors-scale"), &evidence);
    assert_eq!(decision.verdict, Verdict::NotMeasured);
    says(&decision, "not to be told apart from noise");
}

#[test]
fn a_host_that_ends_before_the_server_refutes_nothing() {
    let truths: [(&str, &[f64]); 2] = [("thread-per-client", &[12.0]), ("tokio", &[2.0])];
    let mut evidence = evidence("idle", "pss_kib_per_client", &["all"], &truths);
    let tokio = Cell::new("idle", "all", "tokio");
    evidence.observe(tokio.clone(), "clients_most", trials(4_000.0, TRIALS_MIN));
    let decision = decide(claim("async-scales"), &evidence);
    assert_eq!(decision.verdict, Verdict::Fails);
    evidence.lower_bound(tokio, "clients_most");
    let decision = decide(claim("async-scales"), &evidence);
    assert_eq!(decision.verdict, Verdict::NotMeasured);
    says(&decision, "left open by a lower bound");
}

#[test]
fn a_crossover_names_the_level_it_begins_at() {
    let levels = ["0 ms", "1 ms", "10 ms", "100 ms"];
    let truths: [(&str, &[f64]); 2] = [
        ("thread-per-client", &[20.0; 4]),
        ("tokio", &[24.0, 20.0, 12.0, 8.0]),
    ];
    let evidence = evidence("wait", FIGURE, &levels, &truths);
    let decision = decide(claim("async-when-waiting"), &evidence);
    assert_eq!(decision.verdict, Verdict::Holds);
    assert_eq!(decision.from_level.as_deref(), Some("10 ms"));
    says(&decision, "from 10 ms on");
}

#[test]
fn nobody_served_is_a_rate_of_zero() {
    let truths: [(&str, &[f64]); 1] = [("iterative", &[9_000.0, 0.0])];
    let evidence = evidence(
        "slow-client",
        "good_per_s",
        &["no slow client", "8 slow clients"],
        &truths,
    );
    let decision = decide(claim("iterative-serves-many"), &evidence);
    assert_eq!(decision.verdict, Verdict::Fails);
}

#[test]
fn a_share_of_nobody_is_zero_and_holds() {
    let levels = ["panic", "abort", "segv"];
    let truths: [(&str, &[f64]); 2] = [
        ("fork-per-client", &[0.0; 3]),
        ("thread-per-client", &[0.0, 1.0, 1.0]),
    ];
    let mut evidence = evidence("crash", "others_failed_share", &levels, &truths);
    for level in levels {
        let cell = Cell::new("crash", level, "fork-per-client");
        evidence.observe(cell, "recovery_us", trials(1.0, TRIALS_MIN));
    }
    let decision = decide(claim("isolation"), &evidence);
    assert_eq!(decision.verdict, Verdict::Holds);
}

#[test]
fn source_is_counted_and_needs_no_evidence() {
    let decision = decide(claim("thread-simple"), &Evidence::new(1));
    assert_ne!(decision.verdict, Verdict::NotMeasured);
    assert_eq!(decision.findings.len(), 2);
    assert_eq!(decision.rerun, None);
}

#[test]
fn what_no_experiment_settles_says_why() {
    let decision = decide(claim("debug-hard"), &Evidence::new(1));
    assert_eq!(decision.verdict, Verdict::NotMeasured);
    says(&decision, "needs people and faults");
}
