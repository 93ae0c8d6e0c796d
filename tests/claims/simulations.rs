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
fn simulate(rule: &Rule, rounds: u32, levels: &[&str], truths: &[(&str, &[f64])]) -> Vec<Verdict> {
    let test = rule.tests()[0];
    let worlds = 0..SIMULATIONS as u64;
    let verdicts = worlds.map(|seed| {
        let mut scene = Scene::new(seed, rounds);
        scene.measure(test.experiment.name, test.figure.name, levels, truths);
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
    simulate(&rule, ROUNDS, &["64"], &truths)
}

#[test]
fn a_ratio_beyond_the_threshold_holds_and_one_short_of_it_fails() {
    found(&ratio(2.0, Expect::MoreThan(1.0)), Verdict::Holds);
    found(&ratio(0.5, Expect::MoreThan(1.0)), Verdict::Fails);
    found(&ratio(0.5, Expect::LessThan(1.0)), Verdict::Holds);
    found(&ratio(2.0, Expect::LessThan(1.0)), Verdict::Fails);
}

#[test]
fn no_effect_is_called_neither_more_nor_less() {
    undecided(&ratio(1.0, Expect::MoreThan(1.0)));
    undecided(&ratio(3.0, Expect::LessThan(3.0)));
}

#[test]
fn equal_models_tie_where_trials_are_enough_to_show_it() {
    let expect = Expect::Between(0.5, 2.0);
    found(&ratio(1.0, expect), Verdict::Holds);
    found(&ratio(5.0, expect), Verdict::Fails);
    undecided(&ratio(2.0, expect));
}

#[test]
fn a_figure_by_itself_is_held_against_its_threshold() {
    let simulate_figure = |truth: f64| {
        let rule = Rule::Test(Test {
            figure: &CLIENTS_MOST,
            over: Over::Nothing,
            expect: Expect::MoreThan(1_000.0),
            ..RATIO
        });
        simulate(&rule, ROUNDS, &["64"], &[("tokio", &[truth])])
    };
    found(&simulate_figure(2_000.0), Verdict::Holds);
    found(&simulate_figure(500.0), Verdict::Fails);
    undecided(&simulate_figure(1_000.0));
}

#[test]
fn a_model_is_held_against_itself_at_another_level() {
    let simulate_levels = |truth: f64| {
        let rule = Rule::Test(Test {
            figure: &GOOD_PER_S,
            levels: Levels::Only(&[At::Last]),
            over: Over::Level(At::First),
            expect: Expect::LessThan(0.8),
            ..RATIO
        });
        simulate(&rule, ROUNDS, &["1", "64"], &[("tokio", &[100.0, truth])])
    };
    found(&simulate_levels(40.0), Verdict::Holds);
    found(&simulate_levels(160.0), Verdict::Fails);
    undecided(&simulate_levels(80.0));
}

#[test]
fn what_models_add_is_compared_without_what_they_share() {
    let simulate_added = |truth: f64| {
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
        simulate(&rule, ROUNDS, &["64"], &truths)
    };
    found(&simulate_added(30.0), Verdict::Holds);
    found(&simulate_added(220.0), Verdict::Fails);
    undecided(&simulate_added(120.0));
}

#[test]
fn the_best_of_the_others_is_the_measure() {
    let simulate_best = |truth: f64| {
        let rule = Rule::Test(Test {
            models: &["thread-per-client"],
            over: Over::Best,
            expect: Expect::LessThan(2.0),
            ..RATIO
        });
        let truths: [(&str, &[f64]); 3] = [
            ("iterative", &[20.0]),
            ("fork-per-client", &[200.0]),
            ("thread-per-client", &[truth]),
        ];
        simulate(&rule, ROUNDS, &["64"], &truths)
    };
    found(&simulate_best(20.0), Verdict::Holds);
    found(&simulate_best(90.0), Verdict::Fails);
    undecided(&simulate_best(40.0));
}

const WAITS: &[&str] = &["0 ms", "1 ms", "10 ms"];

fn crossing(ratios: [f64; 3]) -> Vec<Verdict> {
    let rule = Rule::Crossover(Test {
        experiment: &WAIT,
        levels: Levels::All,
        expect: Expect::LessThan(1.0),
        ..RATIO
    });
    let tokio = ratios.map(|ratio| 20.0 * ratio);
    let truths: [(&str, &[f64]); 2] = [("iterative", &[20.0; 3]), ("tokio", &tokio)];
    simulate(&rule, ROUNDS, WAITS, &truths)
}

#[test]
fn a_crossover_is_found_and_nothing_else_is_taken_for_one() {
    found(&crossing([2.0, 1.0, 0.5]), Verdict::Holds);
    found(&crossing([0.5, 0.5, 0.5]), Verdict::Fails);
    found(&crossing([0.5, 1.0, 2.0]), Verdict::Fails);
    undecided(&crossing([1.0, 1.0, 1.0]));
}

const MORE: Rule = Rule::Test(RATIO);
const LEVELS: &[&str] = &["64", "256"];

/// Two tests of `tokio`, one at each level, in a rule made of both.
fn two(rule: &Rule, ratios: [f64; 2]) -> Vec<Verdict> {
    let tokio = ratios.map(|ratio| 20.0 * ratio);
    let truths: [(&str, &[f64]); 2] = [("iterative", &[20.0; 2]), ("tokio", &tokio)];
    simulate(rule, ROUNDS, LEVELS, &truths)
}

const MORE_AT_256: Rule = Rule::Test(Test {
    levels: Levels::Only(&[At::Named("256")]),
    ..RATIO
});

#[test]
fn all_parts_have_to_hold() {
    const ALL: Rule = Rule::All(&[MORE, MORE_AT_256]);
    found(&two(&ALL, [2.0, 2.0]), Verdict::Holds);
    found(&two(&ALL, [2.0, 0.5]), Verdict::Fails);
    undecided(&two(&ALL, [1.0, 1.0]));
}

#[test]
fn any_part_is_enough() {
    const ANY: Rule = Rule::Any(&[MORE, MORE_AT_256]);
    found(&two(&ANY, [0.5, 2.0]), Verdict::Holds);
    found(&two(&ANY, [0.5, 0.5]), Verdict::Fails);
    undecided(&two(&ANY, [1.0, 1.0]));
}

#[test]
fn cases_and_levels_that_disagree_make_a_claim_depend_on_them() {
    const EACH: Rule = Rule::Each(&[MORE, MORE_AT_256]);
    found(&two(&EACH, [2.0, 0.5]), Verdict::Depends);
    found(&two(&EACH, [2.0, 2.0]), Verdict::Holds);
    let everywhere = Rule::Test(Test {
        levels: Levels::All,
        ..RATIO
    });
    found(&two(&everywhere, [2.0, 0.5]), Verdict::Depends);
    found(&two(&everywhere, [2.0, 1.0]), Verdict::Depends);
    undecided(&two(&everywhere, [1.0, 1.0]));
}
