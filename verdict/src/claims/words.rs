//! Rules and verdicts in words, in English and in Spanish.

pub mod card;

use hola_servers::models::Bilingual;

use super::decide::{Decision, Finding, Verdict};
use super::effect::{Effect, Outcome};
use super::evidence::Gap;
use super::rule::{At, Expect, Levels, Over, Rule, SourceTest, Test};
use super::{Claim, Source};
use crate::experiments::level_name;
use crate::language::Language;

/// A number as a language writes it: three digits that mean something, decimals after a point or a comma.
pub fn number(value: f64, language: Language) -> String {
    if value.is_infinite() {
        return "∞".into();
    }
    let decimals = match value.abs() {
        large if large >= 100.0 => 0,
        middle if middle >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    // A little less than nothing is written as nothing.
    let text = if text == "-0" { "0" } else { text };
    text.replace('.', &language.decimal_mark().to_string())
}

/// Who says a claim.
pub fn source(source: Source, language: Language) -> &'static str {
    language.of(match source {
        Source::Course => Bilingual {
            en: "course material on client/server programming",
            es: "material de un curso de programación cliente/servidor",
        },
        Source::Field => Bilingual {
            en: "common saying in the field",
            es: "dicho común en el sector",
        },
    })
}

/// What stands before each of a claim's experiments and before its rule.
pub fn labels(language: Language) -> [&'static str; 2] {
    language.choose(
        || ["experiment", "holds if"],
        || ["experimento", "se cumple si"],
    )
}

/// The rule, line by line; parts of a rule are indented below it.
pub fn rule(rule: &Rule, language: Language) -> Vec<String> {
    let heading = |en, es, parts: &[Rule]| {
        let mut lines = vec![language.of(Bilingual { en, es }).to_owned()];
        for part in parts {
            let mut bullet = "- ";
            for line in self::rule(part, language) {
                lines.push(format!("{bullet}{line}"));
                bullet = "  ";
            }
        }
        lines
    };
    match rule {
        Rule::Test(one) => vec![test(one, language)],
        Rule::All(parts) => heading("all of these:", "todo esto:", parts),
        Rule::Any(parts) => heading("at least one of these:", "al menos una de estas:", parts),
        Rule::Each(parts) => heading("each of these cases:", "cada uno de estos casos:", parts),
        Rule::Crossover(one) => vec![format!(
            "{}{}",
            test(one, language),
            language.of(Bilingual {
                en: "; false at the first level, and true from some level up to the last",
                es: "; falso en el primer nivel y cierto desde algún nivel hasta el último",
            })
        )],
        Rule::Source(one) => vec![source_test(one, language)],
        Rule::NotMeasured(why) => vec![language.choose(
            || format!("not measured here: {}", why.en),
            || format!("no se mide aquí: {}", why.es),
        )],
    }
}

fn test(test: &Test, language: Language) -> String {
    let figure = language.of(test.figure.words);
    let models = names(test.models, language);
    let levels = levels(test.levels, language);
    let experiment = test.experiment.name;
    let expect = expectation(test.expect, test.over != Over::Nothing, language);
    let over = divisor(test.over, language);
    format!("`{experiment}` {levels}, {models}: {figure}, {expect}{over}")
}

fn divisor(over: Over, language: Language) -> String {
    match over {
        Over::Nothing => String::new(),
        Over::Model(other) => language.choose(
            || format!(" that of `{other}`"),
            || format!(" la cifra de `{other}`"),
        ),
        Over::Best => language.choose(
            || " that of the best other model".into(),
            || " la cifra del mejor de los demás modelos".into(),
        ),
        Over::Level(base) => {
            let base = level(base, language);
            language.choose(
                || format!(" its own at {base}"),
                || format!(" su propia cifra en {base}"),
            )
        }
        Over::Added { model, beyond } => language.choose(
            || format!(" that of `{model}`, both less that of `{beyond}`"),
            || format!(" la cifra de `{model}`, ambas menos la de `{beyond}`"),
        ),
    }
}

fn source_test(test: &SourceTest, language: Language) -> String {
    let expect = expectation(test.expect, true, language);
    let (model, other) = (test.model, test.over);
    language.choose(
        || format!("lines and branches of the source of `{model}`, {expect} those of `{other}`"),
        || format!("líneas y bifurcaciones del código de `{model}`, {expect} las de `{other}`"),
    )
}

/// What is expected of a quotient or of a figure.
pub fn expectation(expect: Expect, is_ratio: bool, language: Language) -> String {
    let number = |value| number(value, language);
    let times = match is_ratio {
        true => language.of(Bilingual {
            en: " times",
            es: " veces",
        }),
        false => "",
    };
    match expect {
        Expect::MoreThan(least) => language.choose(
            || format!("more than {}{times}", number(least)),
            || format!("más de {}{times}", number(least)),
        ),
        Expect::LessThan(most) => language.choose(
            || format!("less than {}{times}", number(most)),
            || format!("menos de {}{times}", number(most)),
        ),
        Expect::Between(low, high) => language.choose(
            || format!("between {} and {}{times}", number(low), number(high)),
            || format!("entre {} y {}{times}", number(low), number(high)),
        ),
    }
}

fn levels(levels: Levels, language: Language) -> String {
    match levels {
        Levels::All => {
            language.choose(|| "at every level".into(), || "en todos los niveles".into())
        }
        Levels::Only(some) => {
            let some: Vec<String> = some.iter().map(|&at| level(at, language)).collect();
            let some = some.join(", ");
            language.choose(|| format!("at {some}"), || format!("en {some}"))
        }
    }
}

fn level(at: At, language: Language) -> String {
    match at {
        At::First => language.choose(|| "the first level".into(), || "el primer nivel".into()),
        At::Last => language.choose(|| "the last level".into(), || "el último nivel".into()),
        At::Named(name) => {
            let name = level_name(name, language);
            language.choose(|| format!("“{name}”"), || format!("«{name}»"))
        }
    }
}

fn names(models: &[&str], language: Language) -> String {
    let quoted: Vec<String> = models.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(language.of(Bilingual {
        en: " and ",
        es: " y ",
    }))
}

/// The verdict alone.
pub fn verdict(verdict: Verdict, language: Language) -> &'static str {
    language.of(match verdict {
        Verdict::Holds => Bilingual {
            en: "holds",
            es: "se cumple",
        },
        Verdict::Fails => Bilingual {
            en: "fails",
            es: "no se cumple",
        },
        Verdict::Depends => Bilingual {
            en: "depends",
            es: "depende",
        },
        Verdict::NotMeasured => Bilingual {
            en: "not measured here",
            es: "no medido aquí",
        },
    })
}

/// The verdict with what it rests on: `depends: holds for …; fails for …`.
pub fn sentence(decision: &Decision, claim: &Claim, language: Language) -> String {
    let verdict = verdict(decision.verdict, language);
    let mut clauses = Vec::new();
    if let Some(level) = &decision.from_level {
        let level = level_name(level, language);
        clauses.push(language.choose(|| format!("from {level} on"), || format!("desde {level}")));
    }
    if let (Rule::NotMeasured(why), true) = (&claim.rule, decision.findings.is_empty()) {
        clauses.push(language.of(*why).to_owned());
    }
    for (outcome, en, es) in [
        (Some(Outcome::Holds), "true of", "cierto para"),
        (Some(Outcome::Fails), "false of", "falso para"),
        (
            Some(Outcome::Noise),
            "not to be told apart from noise:",
            "indistinguible del ruido:",
        ),
        (
            Some(Outcome::Bound),
            "left open by a lower bound:",
            "abierto por una cota inferior:",
        ),
    ] {
        let same = |finding: &&Finding| finding.outcome == outcome;
        let places: Vec<String> = decision
            .findings
            .iter()
            .filter(same)
            .map(|finding| place(finding, language))
            .collect();
        if !places.is_empty() {
            let heading = language.of(Bilingual { en, es });
            clauses.push(format!("{heading} {}", places.join(", ")));
        }
    }
    clauses.extend(gaps(&decision.findings, language));
    match clauses.is_empty() {
        true => verdict.to_owned(),
        false => format!("{verdict}: {}", clauses.join("; ")),
    }
}

/// Every reason why something is missing, once, with the places it is true of.
fn gaps(findings: &[Finding], language: Language) -> Vec<String> {
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for finding in findings {
        let Err(gap) = &finding.effect else {
            continue;
        };
        let (reason, place) = (self::gap(gap, language), place(finding, language));
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, places)) => places.push(place),
            None => reasons.push((reason, vec![place])),
        }
    }
    reasons
        .into_iter()
        .map(|(reason, places)| format!("{reason} ({})", places.join(", ")))
        .collect()
}

/// `tokio at 64 (churn, cpu_us_per_request): 0.66 [0.61, 0.7]`.
pub fn place(finding: &Finding, language: Language) -> String {
    let Finding {
        experiment, figure, ..
    } = finding;
    let who = model_at_level(finding, language);
    let effect = match &finding.effect {
        Ok(found) => format!(" {}", effect(found, language)),
        Err(_) => String::new(),
    };
    format!("{who} ({experiment}, {figure}){effect}")
}

/// `tokio at 64`; the model alone where there is no level.
fn model_at_level(finding: &Finding, language: Language) -> String {
    let at = language.of(Bilingual { en: "at", es: "en" });
    match finding.level.as_str() {
        "" => finding.model.clone(),
        level => format!("{} {at} {}", finding.model, level_name(level, language)),
    }
}

/// `0.66 [0.61, 0.7]`.
pub fn effect(effect: &Effect, language: Language) -> String {
    let separator = language.of(Bilingual { en: ",", es: ";" });
    format!(
        "{} [{}{separator} {}]",
        number(effect.value, language),
        number(effect.low, language),
        number(effect.high, language)
    )
}

/// Why a figure is missing.
pub fn gap(gap: &Gap, language: Language) -> String {
    match gap {
        Gap::NotInRun(name) => language.choose(
            || format!("“{name}” is not part of this run"),
            || format!("«{name}» no forma parte de esta ejecución"),
        ),
        Gap::Skipped(model, why) => language.choose(
            || format!("{model} is not available here: {why}"),
            || format!("{model} no está disponible aquí: {why}"),
        ),
        Gap::GeneratorBound => language.choose(
            || "the load generator was at its limit".into(),
            || "el generador de carga estaba al límite".into(),
        ),
        Gap::NoRankedTrial(why) => language.choose(
            || format!("no trial can be ranked: {why}"),
            || format!("ningún ensayo es válido: {why}"),
        ),
        Gap::TooFewTrials { trials, needed } => language.choose(
            || format!("too few trials: {trials}, a verdict needs {needed}"),
            || format!("muy pocos ensayos: {trials}, un veredicto necesita {needed}"),
        ),
        Gap::NoOtherModel => language.choose(
            || "there is no other model to compare with".into(),
            || "no hay otro modelo con que comparar".into(),
        ),
        Gap::NothingToDivideBy => language.choose(
            || "there is nothing to divide by".into(),
            || "no hay entre qué dividir".into(),
        ),
    }
}
