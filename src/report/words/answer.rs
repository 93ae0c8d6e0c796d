//! The answer in sentences: what was found in one metric at one load.

use hola_servers::models::Bilingual;

use crate::analysis::metric::Metric;
use crate::language::{Language, text};

pub(in crate::report) const NOTHING_RANKED: Bilingual = text(
    "No trial of this run can be ranked, so it has no answer; what speaks against each trial stands under the validity of \
     the numbers.",
    "Ningún ensayo de esta ejecución cuenta, así que no hay respuesta; lo que habla contra cada ensayo está en la validez \
     de los números.",
);

/// What was found in one metric, in a sentence.
pub(in crate::report) fn answer(
    load: &str,
    control: &str,
    metric: Metric,
    parts: &Parts,
    language: Language,
) -> String {
    let quoted = format!("“{}”", super::metric(metric, language));
    let (phrase, verb) = match metric {
        Metric::CpuUsPerRequest => (
            text("server CPU per request", "CPU del servidor por petición"),
            text("costs", "cuesta"),
        ),
        Metric::GoodPerS => (
            text(
                "good requests per second",
                "peticiones correctas por segundo",
            ),
            text("reaches", "alcanza"),
        ),
        Metric::ResponseP50Us => (
            text("the median response time", "el tiempo de respuesta mediano"),
            text("takes", "tarda"),
        ),
        Metric::ResponseP99Us => (
            text(
                "the 99th percentile of response times",
                "el percentil 99 de los tiempos de respuesta",
            ),
            text("takes", "tarda"),
        ),
        _ => (text("", ""), text("has", "tiene")),
    };
    let phrase = match language.of(phrase) {
        "" => quoted.as_str(),
        phrase => phrase,
    };
    let clauses = clauses(parts, language.of(verb), language);
    language.choose(
        || format!("{load}: in {phrase} against {control}, {clauses}."),
        || format!("{load}: en {phrase} frente a {control}, {clauses}."),
    )
}

pub(in crate::report) fn no_control_answer(
    workload: &str,
    control: &str,
    language: Language,
) -> String {
    language.choose(
        || {
            format!(
                "{workload}: the control, {control}, has no valid trial here, so there is nothing to compare the models with."
            )
        },
        || {
            format!(
                "{workload}: el control, {control}, no tiene aquí ningún ensayo válido, así que no hay con qué comparar los \
                 modelos."
            )
        },
    )
}

pub(in crate::report) fn missing_answer(titles: &[&str], language: Language) -> String {
    let titles = titles.join(", ");
    language.choose(
        || format!("Without a valid trial at this level, and so not compared: {titles}."),
        || format!("Sin un ensayo válido en este nivel, y por eso sin comparar: {titles}."),
    )
}

/// Models sorted by what was concluded of them, each a title and its ratio written out.
#[derive(Debug, Default)]
pub(in crate::report) struct Parts {
    /// Models that differ from the control, largest ratio first; of many those at both ends.
    pub(in crate::report) differ: Vec<(String, String)>,
    /// Models that differ and lie between those ends.
    pub(in crate::report) between: usize,
    /// Models that tie with it.
    pub(in crate::report) tie: Vec<(String, String)>,
    /// Models with too few trials to conclude anything.
    pub(in crate::report) open: Vec<(String, String)>,
}

fn clauses(parts: &Parts, verb: &str, language: Language) -> String {
    let mut clauses = Vec::new();
    if let Some(((title, ratio), rest)) = parts.differ.split_first() {
        let rest = rest
            .iter()
            .map(|(title, ratio)| format!(", {title} {ratio}"));
        let between = match parts.between {
            0 => String::new(),
            1 => language
                .of(text(", one other in between", ", otro más entre medias"))
                .to_owned(),
            some => language.choose(
                || format!(", {some} others in between"),
                || format!(", otros {some} entre medias"),
            ),
        };
        clauses.push(format!(
            "{title} {verb} {ratio}{}{between}",
            rest.collect::<String>()
        ));
    }
    let mut bracketed = |models: &[(String, String)], singular: Bilingual, plural: Bilingual| {
        let listed: Vec<String> = models
            .iter()
            .map(|(title, ratio)| format!("{title} ({ratio})"))
            .collect();
        match listed.len() {
            0 => {}
            1 => clauses.push(format!("{} {}", listed[0], language.of(singular))),
            _ => clauses.push(format!("{} {}", listed.join(", "), language.of(plural))),
        }
    };
    bracketed(&parts.tie, text("ties", "empata"), text("tie", "empatan"));
    bracketed(
        &parts.open,
        text(
            "has too few trials to tell",
            "tiene pocos ensayos para decidir",
        ),
        text(
            "have too few trials to tell",
            "tienen pocos ensayos para decidir",
        ),
    );
    if clauses.is_empty() {
        return language
            .of(text(
                "no other model was compared",
                "no se comparó ningún otro modelo",
            ))
            .to_owned();
    }
    clauses.join("; ")
}
