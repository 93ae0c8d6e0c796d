//! The report of a comparison, only from its records: one page in two languages, Markdown, a picture, CSV; and pages of
//! many comparisons.

mod answer;
mod charts;
mod claims;
pub mod class;
mod csv;
pub mod difference;
mod document;
mod escape;
mod experiments;
mod facts;
mod first_screen;
mod html;
mod labels;
mod markdown;
mod models;
mod numbers;
pub mod site;
mod terminal;
mod validity;

pub use self::csv::blocks as blocks_csv;
pub use self::document::{
    Chart, Details, Notice, Page, Section, SectionItem, Table, TableCell, Tone,
};
pub use self::html::page as html_page;
pub use self::labels::metric as metric_title;
pub use self::numbers::{comparison, value};

use hola_base::{LANGUAGES, Language, Text, text};
use hola_lab::record::{Block, Run};
use hola_verdict::analysis::TARGETS;

use crate::charts::Drawing;
use crate::facts::Facts;
use crate::first_screen::{PICTURE_CAPTION, PICTURE_TITLE};
use crate::markdown::MarkdownBlocks;

/// Style sheet of the colours of a page, light and dark.
pub const COLOURS: &str = include_str!("../templates/colours.css");

const ANSWER: Text = text("The answer", "La respuesta");
const MODELS: Text = text("What each model costs", "Lo que cuesta cada modelo");

/// Name of the picture, and of the page in Markdown, in a language.
fn file_names(language: Language) -> (&'static str, &'static str) {
    language.choose(
        || ("answer.svg", "report.md"),
        || ("answer.es.svg", "report.es.md"),
    )
}

/// Every file of a report, as name and text. The same records give the same bytes.
pub fn files(run: &Run, blocks: &[Block]) -> Vec<(String, String)> {
    let facts = Facts::new(run, blocks);
    let versions = LANGUAGES.map(|language| page(&facts, language));
    let mut files = vec![
        ("cells.csv", csv::cells(&facts)),
        ("blocks.csv", csv::blocks(blocks)),
    ];
    for language in LANGUAGES {
        let (picture, brief) = file_names(language);
        let drawings = first_screen::pictures(&facts, language);
        let title = language.of(PICTURE_TITLE);
        files.push((picture, Drawing::file(title, &drawings)));
        files.push((brief, markdown(&facts, language)));
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    files.insert(0, ("report.html", html::page(&versions, &names)));
    files
        .into_iter()
        .map(|(name, text)| (name.into(), text))
        .collect()
}

/// The first screen for a terminal.
pub fn summary(run: &Run, blocks: &[Block], language: Language) -> String {
    let facts = Facts::new(run, blocks);
    let mut lines = terminal::TerminalText::default();
    lines.notices(&answer::notices(&facts, language));
    lines.paragraphs(&answer::sentences(&facts, language));
    lines.table(&first_screen::table(&facts, true, language));
    lines.finish()
}

/// Models that the README shows if a run has too many: one of each kind.
const README_MODELS: [&str; 9] = [
    "iterative",
    "fork-per-client",
    "pre-forked",
    "thread-per-client",
    "pre-threaded",
    "epoll",
    "tokio-current-thread",
    "tokio",
    "io-uring",
];

/// The README's text about a run: the answer, the first table, the picture, and their source.
pub fn readme(run: &Run, blocks: &[Block], language: Language, picture_path: &str) -> String {
    let facts = Facts::new(run, blocks);
    let mut page = MarkdownBlocks::default();
    page.items(&answer::sentences(&facts, language));
    let mut table = first_screen::table(&facts, true, language);
    let is_shown = |row: &Vec<TableCell>| README_MODELS.contains(&row[0].text.as_str());
    if table.rows.len() > README_MODELS.len() {
        table.rows.retain(is_shown);
    }
    // The report says why figures are missing.
    table.notes.clear();
    page.table(&table);
    page.picture(language.of(PICTURE_TITLE), picture_path);
    let version = validity::version(&facts, language);
    let name = &run.name;
    page.text(&language.choose(
        || format!("From results/{name}, Hola {version}; in brackets intervals of 95 %, a dash is a figure that was not measured."),
        || format!("De results/{name}, Hola {version}; entre corchetes intervalos del 95 %, una raya es una cifra que no se midió."),
    ));
    page.finish()
}

/// The first table for documents: of each model, when to choose it, and what it costs.
pub fn choices(run: &Run, blocks: &[Block], language: Language, choose: &[(&str, Text)]) -> String {
    let facts = Facts::new(run, blocks);
    let mut table = first_screen::table(&facts, true, language);
    let title = language.choose(|| "Choose it when", || "Elíjalo cuando");
    table.columns[1].title = title.into();
    let measured = std::mem::take(&mut table.rows);
    for (name, when) in choose {
        let row = measured.iter().find(|row| row[0].text == *name);
        let unknown = || vec![numbers::NONE.into(); table.columns.len()];
        let mut row: Vec<TableCell> = row.cloned().unwrap_or_else(unknown);
        row[0] = (*name).to_owned().into();
        row[1] = language.of(*when).to_owned().into();
        table.rows.push(row);
    }
    table.notes.clear();
    let mut page = MarkdownBlocks::default();
    page.table(&table);
    page.finish()
}

fn title(run: &Run, language: Language) -> String {
    let name = &run.name;
    language.choose(
        || format!("Threads, processes or async? {name}"),
        || format!("¿Hilos, procesos o asíncrono? {name}"),
    )
}

/// The first tables: of the models, and of the reference targets if they are measured.
fn first_tables(facts: &Facts<'_>, language: Language) -> Vec<Table> {
    let mut tables = vec![first_screen::table(facts, true, language)];
    let mut targets = facts.cards(false);
    if targets.any(|card| facts.takes_part(TARGETS, &card.name)) {
        tables.push(first_screen::table(facts, false, language));
    }
    tables
}

fn page(facts: &Facts<'_>, language: Language) -> Page {
    let tables = first_tables(facts, language).into_iter();
    let mut first: Vec<SectionItem> = tables.map(SectionItem::Table).collect();
    let title = language.of(PICTURE_TITLE).into();
    let caption = language.of(PICTURE_CAPTION);
    if let Some(chart) = Chart::new(title, caption, first_screen::pictures(facts, language)) {
        first.insert(1, SectionItem::Chart(chart));
    }
    let mut sections = vec![
        Section::new("first", language.of(MODELS), first),
        claims::section(facts, language),
    ];
    sections.extend(experiments::sections(facts, language));
    sections.extend([
        models::section(facts, language),
        validity::validity(facts, language),
        validity::reading(language),
        validity::method(facts, language),
    ]);
    Page {
        language,
        title: self::title(facts.run, language),
        notices: answer::notices(facts, language),
        answer_title: language.of(ANSWER).into(),
        answer: answer::sentences(facts, language),
        sections,
    }
}

/// The page in short, as Markdown: folded content and charts are only in the HTML page.
fn markdown(facts: &Facts<'_>, language: Language) -> String {
    let mut page = MarkdownBlocks::default();
    page.title(&title(facts.run, language));
    page.notices(&answer::notices(facts, language));
    page.heading(language.of(ANSWER));
    page.items(&answer::sentences(facts, language));
    page.heading(language.of(MODELS));
    for table in first_tables(facts, language) {
        page.table(&table);
    }
    let (picture, _) = file_names(language);
    page.picture(language.of(PICTURE_TITLE), picture);
    page.section(&claims::section(facts, language));
    page.heading(language.choose(
        || "Experiment by experiment",
        || "Experimento a experimento",
    ));
    page.items(&experiments::lines(facts, language));
    page.section(&validity::validity(facts, language));
    page.section(&validity::reading(language));
    page.section(&validity::method(facts, language));
    page.finish()
}
