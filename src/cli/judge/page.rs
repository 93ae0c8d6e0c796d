//! An examination as a page for the student: what failed, how to see it again, and what to read.

use hola_base::{LANGUAGES, Language, Text, text};
use hola_report::{Notice, Page, Section, SectionItem, Table, TableCell, Tone};
use hola_report::{difference, html_page};

use super::{READ, conclusion, state, stored};
use crate::judge::{CheckResult, CheckState, Examination};

/// The page, in both languages and without any other file.
pub(super) fn html(examination: &Examination) -> String {
    html_page(&LANGUAGES.map(|language| page(examination, language)), &[])
}

fn page(examination: &Examination, language: Language) -> Page {
    const ANSWER: Text = text("The server", "El servidor");
    let checks = examination.checks.iter();
    let failed = checks.filter(|check| check.state == CheckState::Failed);
    let mut sections: Vec<Section> = failed.map(|check| failure(check, language)).collect();
    sections.push(every_check(examination, language));
    sections.extend(cost(examination, language));
    Page {
        language,
        title: format!("hola judge: {}", examination.server),
        notices: vec![notice(examination, language)],
        answer_title: language.of(ANSWER).into(),
        answer: conclusion(examination, language),
        sections,
    }
}

fn notice(examination: &Examination, language: Language) -> Notice {
    let failed = examination.count(CheckState::Failed);
    match failed {
        0 => Notice {
            text: language.choose(
                || "Every check that was made was passed.".into(),
                || "Se superaron todas las comprobaciones hechas.".into(),
            ),
            tone: Tone::Good,
        },
        _ => Notice {
            text: language.choose(
                || format!("Checks that failed: {failed}."),
                || format!("Comprobaciones no superadas: {failed}."),
            ),
            tone: Tone::Bad,
        },
    }
}

/// A failed check: what was expected and seen, a command that shows it again, and what to read.
fn failure(check: &CheckResult, language: Language) -> Section {
    const EXPECTED: Text = text("Expected", "Esperado");
    const SEEN: Text = text("Seen", "Visto");
    const AGAIN: Text = text(
        "This shows it again, where PORT stands for the server's port and PID for its process:",
        "Esto lo muestra otra vez; PORT es el puerto del servidor, y PID su proceso:",
    );
    let line = |title: Text, words: &str| format!("{}: {words}", language.of(title));
    let facts = vec![
        line(EXPECTED, stored(&check.expected, language)),
        line(SEEN, stored(&check.seen, language)),
        line(READ, &check.reading),
    ];
    let parts = vec![
        SectionItem::Items(facts),
        SectionItem::Text(language.of(AGAIN).into()),
        SectionItem::Command(check.reproduce.clone()),
    ];
    Section::new(&check.id, &check.id, parts)
}

fn every_check(examination: &Examination, language: Language) -> Section {
    const TITLE: Text = text("Every check", "Todas las comprobaciones");
    const COLUMNS: [Text; 5] = [
        text("Check", "Comprobación"),
        text("Result", "Resultado"),
        text("Expected", "Esperado"),
        text("Seen", "Visto"),
        text("Points", "Puntos"),
    ];
    let titles = COLUMNS.map(|column| language.of(column));
    let mut table = Table::new(4, titles).with_prose(&[2, 3]);
    let checks = examination.checks.iter();
    table.rows = checks.map(|check| row(check, language)).collect();
    Section::new(
        "checks",
        language.of(TITLE),
        vec![SectionItem::Table(table)],
    )
}

fn row(check: &CheckResult, language: Language) -> Vec<TableCell> {
    let tone = match check.state {
        CheckState::Passed => Tone::Good,
        CheckState::Failed => Tone::Bad,
        CheckState::NotExamined => Tone::Open,
    };
    vec![
        check.id.as_str().into(),
        TableCell::word((language.of(state(check.state)).into(), tone)),
        stored(&check.expected, language).into(),
        stored(&check.seen, language).into(),
        format!("{}/{}", check.points, check.points_max).into(),
    ]
}

/// What a request costs; `None` if that was not asked.
fn cost(examination: &Examination, language: Language) -> Option<Section> {
    const TITLE: Text = text("What a request costs", "Lo que cuesta una petición");
    let parts = match (&examination.cost, &examination.cost_missing) {
        (Some(cost), _) => difference::items(&cost.difference, language),
        (None, Some(reason)) => vec![SectionItem::Text(reason.clone())],
        (None, None) => return None,
    };
    Some(Section::new("cost", language.of(TITLE), parts))
}
