//! Short texts that several parts use, both languages side by side. The verdict crate alone decides which word applies.

use hola_base::{Language, Text, text};
use hola_lab::metric::{Better, Metric};
use hola_verdict::analysis::{Missing, Word};
use hola_verdict::claims::{Outcome, Verdict};

use crate::document::Tone;
use crate::numbers;

/// A comparison's word, such as `cheaper` or `the same within ±5 %`, and its tone.
pub(crate) fn word(word: Word, metric: Metric, language: Language) -> (String, Tone) {
    const CPU: [Text; 2] = [
        text("cheaper", "más barato"),
        text("costs more", "cuesta más"),
    ];
    const TIME: [Text; 2] = [text("faster", "más rápido"), text("slower", "más lento")];
    const LESS: [Text; 2] = [text("less", "menos"), text("more", "más")];
    const MORE: [Text; 2] = [text("more", "más"), text("less", "menos")];
    let definition = metric.definition();
    let [better, worse] = match definition.better {
        _ if metric == Metric::CpuPerRequest => CPU,
        Better::Lower if definition.is_time() => TIME,
        Better::Lower => LESS,
        Better::Higher => MORE,
    };
    let width = |width| numbers::width(metric, width, language);
    match word {
        Word::Better => (language.of(better).into(), Tone::Good),
        Word::Worse => (language.of(worse).into(), Tone::Bad),
        Word::Same { margin } => (same(&width(margin), language), Tone::Neutral),
        Word::Undecided { resolution } => {
            let resolution = width(resolution);
            let text = language.choose(
                || format!("undecided (resolution {resolution})"),
                || format!("sin decidir (resolución {resolution})"),
            );
            (text, Tone::Open)
        }
    }
}

/// What ended a procedure, from its name in the records. A limit of the kernel keeps its name.
pub(crate) fn limit(name: &str, language: Language) -> &str {
    const LIMITS: [(&str, Text); 6] = [
        ("asked", text("as asked", "los pedidos")),
        ("descriptors", text("descriptors", "descriptores")),
        ("memory", text("memory", "memoria")),
        ("not_served", text("not served", "sin atender")),
        ("closed", text("closed", "cerrados")),
        ("goodput", text("goodput", "rendimiento")),
    ];
    let known = LIMITS.iter().find(|(known, _)| *known == name);
    known.map_or(name, |(_, words)| language.of(*words))
}

/// `the same within ±5 %`.
pub(crate) fn same(margin: &str, language: Language) -> String {
    let within = language.choose(|| "the same within", || "lo mismo, a menos de");
    format!("{within} ±{margin}")
}

/// The same for CSV and JSON.
pub(crate) fn word_name(word: Word) -> &'static str {
    match word {
        Word::Better => "better",
        Word::Worse => "worse",
        Word::Same { .. } => "same",
        Word::Undecided { .. } => "undecided",
    }
}

/// The verdict on a claim, and its tone.
pub(crate) fn verdict(verdict: Verdict, language: Language) -> (String, Tone) {
    let (_, words, tone) = verdict_entry(verdict);
    (language.of(words).into(), tone)
}

/// The same for CSV and JSON.
pub(crate) fn verdict_name(verdict: Verdict) -> &'static str {
    verdict_entry(verdict).0
}

fn verdict_entry(verdict: Verdict) -> (&'static str, Text, Tone) {
    match verdict {
        Verdict::Holds => ("holds", text("holds", "se cumple"), Tone::Good),
        Verdict::Fails => ("fails", text("fails", "no se cumple"), Tone::Bad),
        Verdict::Depends => ("depends", text("depends", "depende"), Tone::Neutral),
        Verdict::Undecided => ("undecided", text("undecided", "sin decidir"), Tone::Open),
        Verdict::NotMeasured => {
            const HERE: Text = text("not measured here", "no medida aquí");
            ("not_measured", HERE, Tone::Open)
        }
    }
}

/// The outcome of a tested quantity, and its tone.
pub(crate) fn outcome(outcome: Outcome, language: Language) -> (String, Tone) {
    let (words, tone) = match outcome {
        Outcome::Holds => (text("as claimed", "como se afirma"), Tone::Good),
        Outcome::Fails => (text("not as claimed", "no como se afirma"), Tone::Bad),
        Outcome::Undecided => (text("undecided", "sin decidir"), Tone::Open),
        Outcome::Missing => (text("missing", "falta"), Tone::Open),
    };
    (language.of(words).into(), tone)
}

/// Why a figure is missing, as a clause.
pub(crate) fn missing(why: &Missing, language: Language) -> String {
    why.text().in_language(language).to_owned()
}

/// A metric's title with its unit, for the head of a column.
pub fn metric(metric: Metric, language: Language) -> String {
    let definition = metric.definition();
    let (title, unit) = (language.of(definition.title), language.of(definition.unit));
    if unit.is_empty() || definition.is_share() {
        title.to_owned()
    } else {
        format!("{title}, {unit}")
    }
}

/// `a, b and c`; `None` without any.
pub(crate) fn list(items: &[String], language: Language) -> Option<String> {
    let (last, first) = items.split_last()?;
    let and = language.choose(|| "and", || "y");
    Some(match first {
        [] => last.clone(),
        _ => format!("{} {and} {last}", first.join(", ")),
    })
}

/// Sentences in one language.
pub(crate) struct Sentences {
    language: Language,
    pub(crate) list: Vec<String>,
}

impl Sentences {
    pub(crate) fn new(language: Language) -> Self {
        Sentences {
            language,
            list: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, en: impl Into<String>, es: impl Into<String>) {
        self.list
            .push(self.language.choose(|| en.into(), || es.into()));
    }
}
