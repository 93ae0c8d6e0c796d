//! A report as one HTML file in every language. It asks nothing of the network, and all of it can be read with scripts off.

use askama::Template;
use hola_servers::models::Bilingual;

use super::view::{Cell, Report, Section};
use super::words;
use crate::language::Language;
use crate::visible;

/// The run's data, beside the page.
const FILES: [&str; 5] = [
    "run.json",
    "trials.jsonl",
    "trials.csv",
    "report.md",
    "report.es.md",
];

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'r> {
    tellings: Vec<Telling<'r>>,
}

/// The report in one language.
struct Telling<'r> {
    language: Language,
    report: &'r Report,
    tag: &'static str,
    /// What anchors of this language begin with: nothing in the first, so that its links are short.
    prefix: &'static str,
}

impl<'r> Telling<'r> {
    fn of(&self, text: Bilingual) -> &'static str {
        self.language.of(text)
    }

    /// Anchors and titles of what the page holds.
    fn contents(&self) -> Vec<(String, &str)> {
        let report = self.report;
        let map = report
            .map
            .iter()
            .map(|map| ("map".to_owned(), map.title.as_str()));
        let claims = ("claims".to_owned(), report.verdicts.overview.title.as_str());
        let experiments = report.experiments.iter();
        let experiments =
            experiments.map(|part| (format!("experiment-{}", part.name), part.name.as_str()));
        let models = ("models".to_owned(), self.of(words::MODEL_PAGES));
        let last = self.last_sections().into_iter();
        let last = last.map(|(anchor, section)| (anchor.to_owned(), section.title.as_str()));
        let all = map.chain([claims]).chain(experiments).chain([models]);
        all.chain(last)
            .map(|(anchor, title)| (format!("{}{anchor}", self.prefix), title))
            .collect()
    }

    fn last_sections(&self) -> [(&'static str, &'r Section); 3] {
        [
            ("validity", &self.report.validity),
            ("reading", &self.report.reading),
            ("method", &self.report.method),
        ]
    }
}

/// The whole page; the first of the languages is shown unless the reader asks for another.
pub(super) fn page(reports: &[(Language, Report)]) -> String {
    let tellings = reports.iter().map(|(language, report)| Telling {
        language: *language,
        report,
        tag: language.tag(),
        prefix: match language {
            Language::English => "",
            Language::Spanish => "es-",
        },
    });
    let page = Page {
        tellings: tellings.collect(),
    };
    rendered(&page)
}

#[derive(Template)]
#[template(path = "sections.html")]
struct Sections<'s> {
    tag: &'static str,
    title: &'s str,
    warnings: &'s [String],
    sections: &'s [Section],
}

/// Sections under a title, what must be known before them first.
pub(super) fn sections(
    title: &str,
    warnings: &[String],
    sections: &[Section],
    language: Language,
) -> String {
    let page = Sections {
        tag: language.tag(),
        title,
        warnings,
        sections,
    };
    rendered(&page)
}

/// The page as text. What it quotes has no markup, and no character that a terminal would obey.
fn rendered(page: &impl Template) -> String {
    // The templates call nothing that can fail, and writing to a String cannot.
    let page = page.render();
    let page = page.expect("a template without fallible parts renders");
    visible::lines(&page).into_owned()
}
