//! Verdicts over two hundred worlds each: an effect that is there is found, one that is not there is not made up.

use hola::claims::decide::{Verdict, put};
use hola::claims::names::{CHURN, CLIENTS_MOST, CPU_US_PER_REQUEST, GOOD_PER_S, WAIT};
use hola::claims::rule::{At, Expect, Levels, Over, Rule, Test};

use crate::scene::Scene;

const SIMULATIONS: usize = 200;
/// Trials of a cell: as many as a quick run makes.
const ROUNDS: u32 = 7;

const RATIO: Test = Test {
    experiment: &CHURN,
    levels: Levels::Only(&[At::Named("64")]),
    figure: &CPU_US_PER_REQUEST,
    models: &["tokio"],
    over: Over::Model("iterative"),
    expect: Expect::MoreThan(1.0),
};

/// Verdicts on a rule in worlds with the same truths.
fn simulate(rule: &Rule, levels: &[&str], truths: &[(&str, &[f64])]) -> Vec<Verdict> {
    let test = rule.tests()[0];
    let worlds = 0..SIMULATIONS as u64;
    let verdicts = worlds.map(|seed| {
        let mut scene = Scene::new(seed, ROUNDS);
        scene.measure(test.experiment.name, test.figure.name, levels, truths);
        if test.over != Over::Nothing {
            scene.measure_floor(test.experiment.name, test.figure.name, levels);
        }
        put(rule, &scene.evidence).0
    });
    verdicts.collect()
}

fn count(verdicts: &[Verdict], verdict: Verdict) -> usize {
    verdicts.iter().filter(|one| **one == verdict).count()
}

fn found(verdicts: &[Verdict], verdict: Verdict) {
    let count = count(verdicts, verdict);
    assert!(
        count * 100 >= SIMULATIONS * 95,
        "{verdict:?} in {count} of {SIMULATIONS}"
    );
}

/// An effect that lies on the border is called neither way, beyond 5 %.
fn undecided(verdicts: &[Verdict]) {
    let decided = SIMULATIONS - count(verdicts, Verdict::NotMeasured);
    assert!(
        decided * 100 <= SIMULATIONS * 5,
        "decided in {decided} of {SIMULATIONS}"
    );
}

fn ratio(truth: f64, expect: Expect) -> Vec<Verdict> {
    let rule = Rule::Test(Test { expect, ..RATIO });
    let truths: [(&str, &[f64]); 2] = [("iterative", &[20.0]), ("tokio", &[20.0 * truth])];
    simulate(&rule, &["64"], &truths)
}

#[test]
fn a_ratio_beyond_the_threshold_holds_and_one_short_of_it_fails() {
    found(&ratio(2.0, Expect::MoreThan(1.0)), Verdict::Holds);
    found(&ratio(2.0, Expect::LessThan(1.0)), Verdict::Fails);
}

#[test]
fn no_effect_is_called_neither_more_nor_less() {
    undecided(&ratio(1.0, Expect::MoreThan(1.0)));
}

#[test]
fn equal_models_tie_where_the_margin_is_wider_than_the_noise() {
    let expect = Expect::Between(0.5, 2.0);
    found(&ratio(1.0, expect), Verdict::Holds);
    undecided(&ratio(2.0, expect));
}

#[test]
fn a_model_is_held_against_itself_at_another_level() {
    let at_last = |truth: f64| {
        let rule = Rule::Test(Test {
            figure: &GOOD_PER_S,
            levels: Levels::Only(&[At::Last]),
            over: Over::Level(At::First),
            expect: Expect::LessThan(0.8),
            ..RATIO
        });
        simulate(&rule, &["1", "64"], &[("tokio", &[100.0, truth])])
    };
    found(&at_last(40.0), Verdict::Holds);
    undecided(&at_last(80.0));
}

#[test]
fn the_best_of_the_others_is_the_measure() {
    let against_best = |truth: f64| {
        let rule = Rule::Test(Test {
            models: &["thread-per-client"],
            over: Over::Best,
            expect: Expect::LessThan(2.0),
            ..RATIO
        });
        let truths: [(&str, &[f64]); 4] = [
            ("iterative", &[20.0]),
            ("fork-per-client", &[200.0]),
            ("thread-per-client", &[truth]),
            // A reference target, which is no model.
            ("nginx", &[5.0]),
        ];
        simulate(&rule, &["64"], &truths)
    };
    found(&against_best(20.0), Verdict::Holds);
    undecided(&against_best(40.0));
}

#[test]
fn what_models_add_is_compared_without_what_they_share() {
    let added = |truth: f64| {
        let rule = Rule::Test(Test {
            models: &["pre-forked"],
            over: Over::Added {
                model: "fork-per-client",
                beyond: "iterative",
            },
            expect: Expect::LessThan(0.5),
            ..RATIO
        });
        let truths: [(&str, &[f64]); 3] = [
            ("iterative", &[20.0]),
            ("fork-per-client", &[220.0]),
            ("pre-forked", &[truth]),
        ];
        simulate(&rule, &["64"], &truths)
    };
    found(&added(30.0), Verdict::Holds);
    found(&added(220.0), Verdict::Fails);
    undecided(&added(120.0));
}

/// A figure by itself: cheap to simulate, so that whatever combines tests is tried on it.
const FIGURE: Test = Test {
    figure: &CLIENTS_MOST,
    over: Over::Nothing,
    expect: Expect::MoreThan(1_000.0),
    ..RATIO
};

/// Verdicts on figures of one model at 64 and 256 clients, each so many times its threshold.
fn figures(rule: &Rule, times: [f64; 2]) -> Vec<Verdict> {
    let truths = times.map(|times| 1_000.0 * times);
    simulate(rule, &["64", "256"], &[("tokio", &truths)])
}

#[test]
fn a_figure_by_itself_is_held_against_its_threshold() {
    let rule = Rule::Test(FIGURE);
    found(&figures(&rule, [4.0, 1.0]), Verdict::Holds);
    found(&figures(&rule, [0.25, 1.0]), Verdict::Fails);
    undecided(&figures(&rule, [1.0, 1.0]));
}

const AT_64: Rule = Rule::Test(FIGURE);
const AT_256: Rule = Rule::Test(Test {
    levels: Levels::Only(&[At::Named("256")]),
    ..FIGURE
});

#[test]
fn all_parts_have_to_hold() {
    const ALL: Rule = Rule::All(&[AT_64, AT_256]);
    found(&figures(&ALL, [4.0, 4.0]), Verdict::Holds);
    found(&figures(&ALL, [4.0, 0.25]), Verdict::Fails);
    undecided(&figures(&ALL, [1.0, 1.0]));
}

#[test]
fn any_part_is_enough() {
    const ANY: Rule = Rule::Any(&[AT_64, AT_256]);
    found(&figures(&ANY, [0.25, 4.0]), Verdict::Holds);
    found(&figures(&ANY, [0.25, 0.25]), Verdict::Fails);
    undecided(&figures(&ANY, [1.0, 1.0]));
}

#[test]
fn cases_and_levels_that_disagree_make_a_claim_depend_on_them() {
    const EACH: Rule = Rule::Each(&[AT_64, AT_256]);
    const EVERYWHERE: Rule = Rule::Test(Test {
        levels: Levels::All,
        ..FIGURE
    });
    for rule in [EACH, EVERYWHERE] {
        found(&figures(&rule, [4.0, 0.25]), Verdict::Depends);
        found(&figures(&rule, [4.0, 4.0]), Verdict::Holds);
        found(&figures(&rule, [0.25, 0.25]), Verdict::Fails);
        undecided(&figures(&rule, [1.0, 1.0]));
    }
    found(&figures(&EVERYWHERE, [4.0, 1.0]), Verdict::Depends);
}

fn crossing(times: [f64; 3]) -> Vec<Verdict> {
    let rule = Rule::Crossover(Test {
        experiment: &WAIT,
        levels: Levels::All,
        ..FIGURE
    });
    let truths = times.map(|times| 1_000.0 * times);
    simulate(&rule, &["0 ms", "1 ms", "10 ms"], &[("tokio", &truths)])
}

#[test]
fn a_crossover_is_found_and_nothing_else_is_taken_for_one() {
    found(&crossing([0.25, 1.0, 4.0]), Verdict::Holds);
    found(&crossing([4.0, 4.0, 4.0]), Verdict::Fails);
    found(&crossing([0.25, 0.25, 0.25]), Verdict::Fails);
    found(&crossing([4.0, 1.0, 0.25]), Verdict::Fails);
    undecided(&crossing([1.0, 1.0, 1.0]));
}
