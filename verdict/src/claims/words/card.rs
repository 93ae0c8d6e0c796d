//! What a verdict card says beside the verdict.

use hola_servers::models::Bilingual;

use super::{effect, expectation, gap, model_at_level};
use crate::claims::Claim;
use crate::claims::decide::{Decision, Finding, Verdict};
use crate::claims::effect::Outcome;
use crate::claims::names::FIGURES;
use crate::claims::rule::Rule;
use crate::claims::turning::{Cause, Shape, TurningPoint};
use crate::experiments::level_name;
use crate::language::Language;

/// What the verdict rests on, in a sentence or two: the finding nearest to its threshold, or why there is none.
pub fn basis(decision: &Decision, claim: &Claim, language: Language) -> String {
    if let Rule::NotMeasured(why) = &claim.rule {
        return capitalised(language.of(*why));
    }
    let mut sentences = Vec::new();
    if let Some(level) = &decision.from_level {
        let level = level_name(level, language);
        sentences
            .push(language.choose(|| format!("From {level} on."), || format!("Desde {level}.")));
    }
    if let Some(finding) = decision.weakest() {
        let nearest = language.of(Bilingual {
            en: "Nearest to its threshold",
            es: "Lo más cercano a su umbral",
        });
        sentences.push(format!("{nearest}: {}.", fact(finding, language)));
    }
    if decision.verdict == Verdict::NotMeasured {
        sentences.push(reasons(&decision.findings, language));
    }
    sentences.retain(|sentence| !sentence.is_empty());
    sentences.join(" ")
}

/// `tokio at 64 clients, server CPU time per request 0.66 [0.61, 0.7] times that of thread-per-client; the claim says
/// less than 0.9`.
fn fact(finding: &Finding, language: Language) -> String {
    let figure = figure(finding, language);
    let value = finding
        .effect
        .as_ref()
        .map_or_else(|gap| self::gap(gap, language), |one| effect(one, language));
    let over = finding.over.as_ref().map_or_else(String::new, |over| {
        let over = level_name(over, language);
        language.choose(
            || format!(" times that of {over}"),
            || format!(" veces la de {over}"),
        )
    });
    let says = language.of(Bilingual {
        en: "the claim says",
        es: "la afirmación dice",
    });
    let expect = expectation(finding.expect, false, language);
    let place = model_at_level(finding, language);
    format!("{place}, {figure} {value}{over}; {says} {expect}")
}

/// A finding's figure in words.
pub fn figure(finding: &Finding, language: Language) -> String {
    let known = FIGURES.iter().find(|one| one.name == finding.figure);
    known.map_or_else(
        || finding.figure.clone(),
        |one| language.of(one.words).to_owned(),
    )
}

/// Every reason for which something is missing, once.
fn reasons(findings: &[Finding], language: Language) -> String {
    let mut all: Vec<String> = Vec::new();
    for finding in findings {
        let reason = match (&finding.effect, finding.outcome) {
            (Err(gap), _) => self::gap(gap, language),
            (Ok(_), Some(Outcome::Noise)) => outcome(Outcome::Noise, language).to_owned(),
            (Ok(_), Some(Outcome::Bound)) => outcome(Outcome::Bound, language).to_owned(),
            _ => continue,
        };
        if !all.contains(&reason) {
            all.push(reason);
        }
    }
    match all.is_empty() {
        true => String::new(),
        false => capitalised(&all.join("; ")),
    }
}

/// What a finding comes to.
pub fn outcome(outcome: Outcome, language: Language) -> &'static str {
    language.of(match outcome {
        Outcome::Holds => Bilingual {
            en: "as claimed",
            es: "como se afirma",
        },
        Outcome::Fails => Bilingual {
            en: "not as claimed",
            es: "no como se afirma",
        },
        Outcome::Noise => Bilingual {
            en: "within the noise",
            es: "dentro del ruido",
        },
        Outcome::Bound => Bilingual {
            en: "left open by a lower bound",
            es: "abierto por una cota inferior",
        },
    })
}

/// How many claims hold, fail, depend or are not measured.
pub fn tally(decisions: &[Decision], language: Language) -> String {
    let count = |verdict| {
        let same = decisions.iter().filter(|one| one.verdict == verdict);
        same.count()
    };
    let all = decisions.len();
    let (holds, fails) = (count(Verdict::Holds), count(Verdict::Fails));
    let (depends, open) = (count(Verdict::Depends), count(Verdict::NotMeasured));
    language.choose(
        || {
            format!(
                "Of {all} claims {holds} hold here, {fails} fail, {depends} depend on where one looks, and {open} are not \
                 measured by this run."
            )
        },
        || {
            format!(
                "De {all} afirmaciones, aquí se cumplen {holds}, no se cumplen {fails}, dependen de dónde se mire \
                 {depends}, y esta ejecución no mide {open}."
            )
        },
    )
}

/// What goodput does past a turning point.
pub fn shape(shape: Shape, language: Language) -> &'static str {
    language.of(match shape {
        Shape::Flat => Bilingual {
            en: "stays",
            es: "se mantiene",
        },
        Shape::Falls => Bilingual {
            en: "falls",
            es: "cae",
        },
    })
}

/// Why a model stops gaining, the cause that explains it first.
pub fn causes(point: &TurningPoint, language: Language) -> String {
    let named: Vec<&str> = point
        .causes
        .iter()
        .map(|one| cause(*one, language))
        .collect();
    named.join("; ")
}

fn cause(cause: Cause, language: Language) -> &'static str {
    language.of(match cause {
        Cause::Generator => Bilingual {
            en: "the load generator could send no more",
            es: "el generador de carga no podía enviar más",
        },
        Cause::DescriptorCap => Bilingual {
            en: "the limit on open descriptors",
            es: "el límite de descriptores abiertos",
        },
        Cause::ProcessCap => Bilingual {
            en: "the cap on processes",
            es: "el tope de procesos",
        },
        Cause::ThreadCap => Bilingual {
            en: "the cap on threads",
            es: "el tope de hilos",
        },
        Cause::ClientCap => Bilingual {
            en: "the cap on clients",
            es: "el tope de clientes",
        },
        Cause::Memory => Bilingual {
            en: "the machine’s memory",
            es: "la memoria de la máquina",
        },
        Cause::Cpu => Bilingual {
            en: "its CPU is used in full, and clients queue for it",
            es: "su CPU está ocupada del todo, y los clientes hacen cola",
        },
        Cause::AcceptQueue => Bilingual {
            en: "the accept queue overflows",
            es: "la cola de aceptación se desborda",
        },
        Cause::Unknown => Bilingual {
            en: "nothing on record explains it",
            es: "nada de lo registrado lo explica",
        },
    })
}

/// Headings of the part that shows verdicts.
pub fn heading(language: Language) -> &'static str {
    language.of(Bilingual {
        en: "What people say, decided",
        es: "Lo que se dice, decidido",
    })
}

/// What stands before the why, before what is left out, and before the command of a card.
pub fn card_labels(language: Language) -> [&'static str; 3] {
    language.choose(
        || ["Why it would be so", "Not covered", "Measure just this"],
        || ["Por qué sería así", "No cubierto", "Medir solo esto"],
    )
}

/// Columns of the overview: claim, verdict, what it rests on.
pub fn overview_columns(language: Language) -> [&'static str; 3] {
    language.choose(
        || ["Claim", "Verdict", "What it rests on"],
        || ["Afirmación", "Veredicto", "En qué se apoya"],
    )
}

/// Columns of a card's findings.
pub fn finding_columns(language: Language) -> [&'static str; 9] {
    language.choose(
        || {
            [
                "Experiment",
                "Figure",
                "Model",
                "Level",
                "Divided by",
                "The claim says",
                "Found",
                "Trials",
                "Comes to",
            ]
        },
        || {
            [
                "Experimento",
                "Cifra",
                "Modelo",
                "Nivel",
                "Dividida por",
                "La afirmación dice",
                "Hallado",
                "Ensayos",
                "Resulta",
            ]
        },
    )
}

/// Heading, explanation and columns of a table of turning points.
pub fn turning_labels(language: Language) -> (&'static str, &'static str, [&'static str; 5]) {
    language.choose(
        || {
            (
                "Where each model stops gaining",
                "The last level that still served more, or as fast, and what stopped the next one: goodput no higher beyond \
                 the noise floor, and a slower 99th percentile.",
                ["Model", "Gains up to", "No more at", "Goodput", "Because"],
            )
        },
        || {
            (
                "Dónde deja de ganar cada modelo",
                "El último nivel que aún atendía más, o igual de rápido, y lo que frenó al siguiente: un rendimiento útil no \
                 mayor más allá del ruido de fondo y un percentil 99 más lento.",
                ["Modelo", "Gana hasta", "Ya no en", "Rendimiento útil", "Porque"],
            )
        },
    )
}

/// What stands in a table where a model gains to the last level.
pub fn gains_throughout(language: Language) -> &'static str {
    language.of(Bilingual {
        en: "it gains to the last level",
        es: "gana hasta el último nivel",
    })
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{}{}{end}", first.unwrap_or_default(), letters.as_str())
}
