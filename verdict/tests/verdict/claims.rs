//! Each claim in a simulated run where it holds, and in one where it fails.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use hola_base::LANGUAGES;
use hola_lab::experiments::{self, EXPERIMENTS, Setting};
use hola_lab::plan::{Design, Profile};
use hola_lab::record::StoredText;
use hola_lab::target::{TargetPaths, Targets};
use hola_verdict::Analysis;
use hola_verdict::claims::{self, CLAIMS, Decision, Finding, Outcome, Verdict};
use proptest::prelude::*;

use crate::world::{Residuals, World};

/// For each claim that a run can decide, the facts with which it holds and, after a slash, those with which it fails. See
/// [`World::with_table`] for the lines.
const CASES: &str = include_str!("cases.txt");

/// Column of a table: the facts with which a claim holds, and those with which it fails.
const HOLDS: usize = 0;
const FAILS: usize = 1;

/// Every claim that a run can decide, and its table.
fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
    let cases = CASES.trim().split("\n\n");
    cases.map(|case| case.split_once('\n').expect("a name and a table"))
}

/// The table of that claim.
fn case(id: &str) -> &'static str {
    let found = cases().find(|(name, _)| *name == id);
    found.expect("a case").1
}

fn world(table: &str, column: usize) -> World {
    World::new(Residuals::little()).with_table(table, column)
}

fn decide(id: &str, world: &World, seed: u64) -> Decision {
    let claim = claims::find(id).expect("a claim of that name");
    (claim.decide)(&world.measure(seed).analysis())
}

#[test]
fn every_claim_holds_where_it_is_so_and_fails_where_it_is_not() {
    for (id, table) in cases() {
        for (column, verdict) in [(HOLDS, Verdict::Holds), (FAILS, Verdict::Fails)] {
            let decision = decide(id, &world(table, column), 21);
            assert_eq!(decision.verdict, verdict, "{id}: {decision:#?}");
            assert!(decision.findings.iter().any(|one| one.decided), "{id}");
            assert!(!decision.reason.en.is_empty() && !decision.reason.es.is_empty());
        }
    }
}

#[test]
fn a_run_that_measured_nothing_decides_nothing_and_some_claims_no_run_can_decide() {
    let mut measurable = BTreeSet::new();
    for claim in CLAIMS {
        let decision = decide(claim.id, &world("", HOLDS), 21);
        assert_eq!(decision.verdict, Verdict::NotMeasured, "{}", claim.id);
        assert!(decision.findings.iter().all(|one| !one.decided));
        assert!(!decision.reason.en.is_empty(), "{}", claim.id);
        if !["thread-simple", "debug-hard"].contains(&claim.id) {
            assert!(measurable.insert(claim.id), "{} is there twice", claim.id);
        }
    }
    assert_eq!(measurable, cases().map(|(id, _)| id).collect());
}

#[test]
fn a_claim_depends_where_two_parts_are_decided_and_differ() {
    let deaths = "
        crash | panic              | thread-per-client           | others_failed_share=0
        crash | abort; segv        | thread-per-client           | others_failed_share=1
        crash | panic; abort; segv | fork-per-client; pre-forked | others_failed_share=0
        crash | panic; abort; segv | epoll                       | others_failed_share=1";
    let isolation = decide("isolation", &world(deaths, HOLDS), 21);
    assert_eq!(isolation.verdict, Verdict::Depends);
    assert_eq!(
        isolation.reason.en,
        "It holds for: an abort; a segmentation fault. It fails for: a panic."
    );
    let shown = isolation.findings.iter();
    let shown: Vec<_> = shown.filter(|one| one.participant == "epoll").collect();
    assert_eq!(shown.len(), 3, "every model is shown");
    let is_right = |one: &&Finding| !one.decided && one.outcome == Outcome::Holds;
    assert!(shown.iter().all(is_right));
    let python = "
        scaling | 1 CPU  | thread-per-client; fork-per-client; python-threads; python-processes | good_per_s=100
        scaling | 2 CPUs | thread-per-client; fork-per-client; python-processes                 | good_per_s=180
        scaling | 2 CPUs | python-threads                                                       | good_per_s=100";
    let python = decide("process-parallel", &world(python, HOLDS), 21);
    assert_eq!(python.verdict, Verdict::Depends);
    // The requests take the same time, and cost the server more.
    let low = case("low-load-tie").replace("=40.4/80", "=72");
    let low = decide("low-load-tie", &world(&low, HOLDS), 21);
    assert_eq!(low.verdict, Verdict::Depends);
    let reason = low.reason.es;
    assert!(reason.contains("CPU por petición"), "{reason}");
}

#[test]
fn a_part_that_was_not_measured_says_nothing_about_the_others() {
    let mut world = world(case("thread-light"), HOLDS);
    world.facts.retain(|(_, level, ..)| level == "new, 2000/s");
    assert_eq!(decide("thread-light", &world, 21).verdict, Verdict::Holds);
}

#[test]
fn a_value_near_its_threshold_says_so() {
    let near = case("fork-vs-thread").replace("=280/140", "=220.5");
    let decision = decide("fork-vs-thread", &world(&near, HOLDS), 21);
    assert_eq!(decision.verdict, Verdict::Holds);
    let StoredText { en, es } = decision.reason;
    assert!(en.contains("within 10 % of that threshold"), "{en}");
    assert!(es.contains("3,"), "{es}");
}

#[test]
fn too_much_noise_is_undecided_and_says_its_resolution() {
    let mut noisy = world(case("selectors-scale"), HOLDS);
    noisy.residuals = Residuals::normal(0.6, 0.6, 0.2);
    let decision = decide("selectors-scale", &noisy, 22);
    assert_eq!(decision.verdict, Verdict::Undecided, "{decision:#?}");
    let reason = decision.reason.en;
    assert!(reason.starts_with("Resolution ±"), "{reason}");
}

#[test]
fn noise_never_makes_a_claim_depend() {
    // Every quantity lies exactly at its threshold, where noise decides it wrongly most often. No response times: their
    // histograms take most of the time of this test.
    let at_thresholds = "
        equal-load | new, 2000/s; kept, 2000/s | thread-per-client | cpu_us_per_request=40
        equal-load | new, 2000/s; kept, 2000/s | tokio             | cpu_us_per_request=38
        capacity   | new; kept                 | thread-per-client | capacity_per_s=8000
        capacity   | new; kept                 | tokio             | capacity_per_s=8400";
    let mut noisy = world(at_thresholds, HOLDS);
    noisy.residuals = Residuals::normal(0.03, 0.04, 0.1);
    let depends =
        |seed: &u64| decide("async-faster", &noisy, seed << 20).verdict == Verdict::Depends;
    let found = (0..150).filter(depends).count();
    println!("{found} of 150");
    assert!(found <= 2, "{found} of 150");
    for (id, table) in cases() {
        for column in [HOLDS, FAILS] {
            let mut noisy = world(table, column);
            noisy.residuals = Residuals::normal(0.25, 0.25, 0.2);
            assert_ne!(decide(id, &noisy, 24).verdict, Verdict::Depends, "{id}");
        }
    }
}

#[test]
fn every_claim_names_experiments_levels_and_participants_that_there_are() {
    let mut left_out = Vec::new();
    let mut designs = designs(Profile::Full, &mut left_out);
    designs.extend(self::designs(Profile::Quick, &mut left_out));
    let records = world("", HOLDS).measure(23);
    for claim in CLAIMS {
        let id = claim.id;
        for name in claim.experiments {
            assert!(experiments::find(name).is_some(), "{id}: {name}");
        }
        let mut run = records.run.clone();
        let full = |name: &&str| designs.iter().find(|design| design.experiment == *name);
        run.designs = claim.experiments.iter().filter_map(full).cloned().collect();
        let decision = (claim.decide)(&Analysis::new(&run, &[]));
        for finding in &decision.findings {
            let (name, level, one) = (finding.experiment, finding.level, &finding.participant);
            assert!(
                claim.experiments.contains(&name),
                "{id} does not list {name}"
            );
            let own = designs.iter().filter(|design| design.experiment == name);
            let mut levels = own.filter_map(|design| design.level(level)).peekable();
            assert!(levels.peek().is_some(), "{id}: {name} has no level {level}");
            let is_there = levels.any(|(_, level)| level.participants.contains(one));
            assert!(
                is_there || left_out.contains(one),
                "{id}: {one} is not at {name}, {level}"
            );
        }
    }
}

/// The designs of a profile; adds the servers that they skip on this machine to `left_out`.
fn designs(profile: Profile, left_out: &mut Vec<String>) -> Vec<Design> {
    let places = TargetPaths::with_source_tree(Path::new("hola"));
    let mut targets = Targets::new(places).expect("the list of targets");
    for spec in &mut targets.specs {
        // A plan needs no more than that the program is there.
        spec.programs = vec!["/bin/sh".into()];
    }
    let setting = Setting {
        profile,
        cpus: vec![0, 1],
        targets: &targets,
        asked: Vec::new(),
        skipped: RefCell::default(),
    };
    let designs = EXPERIMENTS.iter().filter_map(|one| (one.design)(&setting));
    let designs = designs.collect();
    let skipped = setting.skipped.into_inner().into_iter();
    left_out.extend(skipped.map(|one| one.server));
    designs
}

#[test]
fn every_claim_can_be_read_in_both_languages() {
    for claim in CLAIMS {
        let id = claim.id;
        for text in [claim.statement, claim.why, claim.left_out] {
            assert_ne!(text.en, text.es, "{id}");
            for text in LANGUAGES.map(|language| language.of(text)) {
                assert!(!text.is_empty() && !text.contains("  "), "{id}: {text}");
            }
        }
        let rerun = format!("hola compare --profile full --claims {id}");
        assert_eq!(claim.rerun(), rerun);
    }
    let decision = decide("fork-vs-thread", &world(case("fork-vs-thread"), HOLDS), 21);
    for finding in &decision.findings {
        let [en, es] = LANGUAGES.map(|language| finding.text(language));
        assert!(en.contains("the claim needs more than 3"), "{en}");
        assert!(es.contains("frente a thread-per-client"), "{es}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A verdict always rests on findings that agree with it; undecided and missing findings decide nothing.
    #[test]
    fn a_verdict_rests_on_what_agrees_with_it(
        spawn in 1.0..10.0f64,
        cost in 1.0..10.0f64,
        noise in 0.0..0.5f64,
        seed in any::<u64>(),
    ) {
        let table = case("fork-vs-thread").replace("=100/40", &format!("={}", 20.0 * spawn));
        let table = table.replace("=280/140", &format!("={}", 70.0 * cost));
        let mut world = world(&table, HOLDS);
        world.residuals = Residuals::normal(noise, noise, 0.1);
        let decision = decide("fork-vs-thread", &world, seed);
        let basis = decision.findings.iter().filter(|one| one.decided);
        let basis: Vec<Outcome> = basis.map(|one| one.outcome).collect();
        let has = |outcome| basis.contains(&outcome);
        match decision.verdict {
            Verdict::Holds => prop_assert!(has(Outcome::Holds) && !has(Outcome::Fails)),
            Verdict::Fails => prop_assert!(has(Outcome::Fails) && !has(Outcome::Holds)),
            Verdict::Depends => prop_assert!(has(Outcome::Holds) && has(Outcome::Fails)),
            Verdict::Undecided => prop_assert!(basis.iter().all(|one| *one == Outcome::Undecided)),
            Verdict::NotMeasured => prop_assert!(basis.is_empty()),
        }
    }
}
