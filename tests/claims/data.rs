//! What every claim has to have.

use std::collections::BTreeSet;
use std::path::Path;

use hola::analysis::metric::Metric;
use hola::claims::names::{EXPERIMENTS, FIGURES};
use hola::claims::rule::{At, Levels, Over, Rule, Test};
use hola::claims::words;
use hola::claims::{Claim, all};
use hola::experiments;
use hola::experiments::plan::{self, Wishes};
use hola::lab::target::{Places, Targets};
use hola::language::Language;
use hola_servers::models::{Bilingual, find};

fn tests() -> impl Iterator<Item = (&'static str, &'static Test)> {
    all().flat_map(|claim| {
        let tests = claim.rule.tests();
        tests.into_iter().map(|test| (claim.id, test))
    })
}

#[test]
fn there_are_twenty_five_claims_with_names_of_their_own() {
    let ids: BTreeSet<&str> = all().map(|claim| claim.id).collect();
    assert_eq!((ids.len(), all().count()), (25, 25));
}

#[test]
fn every_claim_speaks_both_languages() {
    let both = |id: &str, text: Bilingual| {
        assert!(
            !text.en.trim().is_empty() && !text.es.trim().is_empty(),
            "{id}"
        );
        assert_ne!(text.en, text.es, "{id}");
        assert!(!text.en.contains("  ") && !text.es.contains("  "), "{id}");
    };
    for Claim {
        id,
        statement,
        why,
        not_measured,
        rule,
        ..
    } in all()
    {
        for text in [statement, why, not_measured] {
            both(id, *text);
        }
        if let Rule::NotMeasured(reason) = rule {
            both(id, *reason);
        }
        let sentences = why.en.matches(". ").count() + why.en.matches("? ").count() + 1;
        assert!((2..=4).contains(&sentences), "{id}: {sentences} sentences");
        assert_ne!(
            words::rule(rule, Language::English),
            words::rule(rule, Language::Spanish),
            "{id}"
        );
    }
    for text in EXPERIMENTS
        .iter()
        .map(|one| one.factor)
        .chain(FIGURES.iter().map(|one| one.words))
    {
        both("names", text);
    }
}

#[test]
fn rules_name_experiments_levels_figures_and_models_that_there_are() {
    let places = Places::beside_source(Path::new(env!("CARGO_BIN_EXE_hola")));
    let targets = places.targets().expect("a list of targets");
    for (id, test) in tests() {
        let known = EXPERIMENTS
            .iter()
            .any(|one| one.name == test.experiment.name);
        assert!(known, "{id}: {}", test.experiment.name);
        let known = FIGURES.iter().any(|one| one.name == test.figure.name);
        assert!(known, "{id}: {}", test.figure.name);
        assert!(!test.models.is_empty(), "{id}");
        for model in test.models() {
            let is_target = targets.iter().any(|target| target.name == model);
            assert!(is_target || find(model).is_some(), "{id}: {model}");
        }
        let base = match test.over {
            Over::Level(at) => Some(at),
            _ => None,
        };
        let levels = match test.levels {
            Levels::All => &[],
            Levels::Only(levels) => levels,
        };
        for at in levels.iter().copied().chain(base) {
            if let At::Named(level) = at {
                let known = test.experiment.levels.contains(&level);
                assert!(known, "{id}: {level}");
            }
        }
    }
}

#[test]
fn names_are_those_of_the_experiments() {
    let none = Targets::none(Path::new("hola"));
    for named in EXPERIMENTS {
        let experiment = experiments::find(named.name).expect("an experiment");
        let profiles = experiment.profiles.iter();
        let plans =
            profiles.map(|profile| plan::of(experiment, profile, &Wishes::default(), &none).0);
        let levels: BTreeSet<String> = plans
            .flat_map(|design| design.levels)
            .map(|level| level.name)
            .collect();
        let known: BTreeSet<String> = named.levels.iter().map(|&name| name.to_owned()).collect();
        // No levels are named where the machine decides.
        assert!(
            known.is_empty() || known == levels,
            "{}: {levels:?}",
            named.name
        );
    }
    for figure in FIGURES {
        let metric = Metric::named(figure.name).expect("a figure that trials have");
        assert_eq!(
            metric.smaller_is_better(),
            figure.smaller_is_better,
            "{}",
            figure.name
        );
    }
}

#[test]
fn combined_rules_have_parts_and_crossovers_one_model() {
    fn check(id: &str, rule: &Rule) {
        match rule {
            Rule::All(parts) | Rule::Any(parts) | Rule::Each(parts) => {
                assert!(parts.len() > 1, "{id}");
                parts.iter().for_each(|part| check(id, part));
            }
            Rule::Crossover(test) => assert_eq!(test.models.len(), 1, "{id}"),
            Rule::Test(_) | Rule::Source(_) | Rule::NotMeasured(_) => {}
        }
    }
    all().for_each(|claim| check(claim.id, &claim.rule));
}

#[test]
fn every_experiment_settles_some_claim() {
    let used: BTreeSet<&str> = tests().map(|(_, test)| test.experiment.name).collect();
    for experiment in EXPERIMENTS {
        assert!(used.contains(experiment.name), "{}", experiment.name);
    }
    assert_eq!(EXPERIMENTS.len(), 16);
}

#[test]
fn every_figure_is_looked_at_by_some_rule() {
    let used: BTreeSet<&str> = tests().map(|(_, test)| test.figure.name).collect();
    for figure in FIGURES {
        assert!(used.contains(figure.name), "{}", figure.name);
    }
}
