//! Formats the comparison of two runs, for people and for programs.

use hola_base::{Language, Text, text as bilingual};
use hola_lab::record::StoredText;
use hola_verdict::analysis::Word;
use hola_verdict::difference::{Difference, MetricChange};
use serde_json::json;

use crate::document::{Notice, SectionItem, Table, TableCell, Tone};
use crate::escape;
use crate::markdown::MarkdownBlocks;
use crate::terminal::TerminalText;
use crate::{labels, numbers};

/// Version of the format that [`json()`] writes.
const SCHEMA_VERSION: u32 = 2;

/// Which results a cell may have, in the order in which they are told.
const RESULTS: [fn(Word) -> bool; 4] = [
    |word| word == Word::Worse,
    |word| word == Word::Better,
    |word| matches!(word, Word::Same { .. }),
    |word| matches!(word, Word::Undecided { .. }),
];

/// Most cells of a table that lists every cell. A longer one lists only what is worse or better.
const ALL_LISTED: usize = 20;

/// Names of the runs, or of the servers, that are compared.
#[derive(Clone, Copy, Debug)]
pub struct ComparedSides<'r> {
    /// What is compared with.
    pub base: &'r str,
    /// What is compared with it.
    pub candidate: &'r str,
}

/// Formats the comparison for a terminal.
pub fn text(difference: &Difference, sides: ComparedSides<'_>, language: Language) -> String {
    let mut lines = TerminalText::default();
    lines.paragraphs(&[title(sides)]);
    lines.notices(&warnings(difference, language));
    lines.paragraphs(&sentences(difference, language));
    if let Some(table) = changes(difference, language) {
        lines.table(&table);
    }
    lines.finish()
}

/// Formats the comparison as Markdown.
pub fn markdown(difference: &Difference, sides: ComparedSides<'_>, language: Language) -> String {
    let mut page = MarkdownBlocks::default();
    page.title(&title(sides));
    page.notices(&warnings(difference, language));
    page.items(&sentences(difference, language));
    if let Some(table) = changes(difference, language) {
        page.table(&table);
    }
    page.finish()
}

/// Formats the comparison as parts of a page.
pub fn items(difference: &Difference, language: Language) -> Vec<SectionItem> {
    let mut items = vec![SectionItem::Items(sentences(difference, language))];
    items.extend(changes(difference, language).map(SectionItem::Table));
    items
}

fn title(sides: ComparedSides<'_>) -> String {
    format!("{} → {}", sides.base, sides.candidate)
}

fn warnings(difference: &Difference, language: Language) -> Vec<Notice> {
    let warning = |text: &StoredText| Notice {
        text: text.in_language(language).into(),
        tone: Tone::Bad,
    };
    difference.warnings.iter().map(warning).collect()
}

/// Sums up the results of cells and the verdicts on claims, and the common changes of all participants.
pub(crate) fn sentences(difference: &Difference, language: Language) -> Vec<String> {
    let shared = difference.shared.iter().map(|shared| {
        let title = language.of(shared.metric.definition().title);
        let experiment = &shared.experiment;
        let ratio = numbers::change(shared.metric, shared.ratio, language);
        language.choose(
            || format!("{experiment}, {title}: all participants together {ratio}, taken out below."),
            || format!("{experiment}, {title}: todos los participantes juntos {ratio}, descontado abajo."),
        )
    });
    let mut sentences = verdicts(difference, language);
    sentences.splice(1..1, shared);
    sentences
}

/// Sums up the results of cells, and the verdicts on claims that changed.
pub(crate) fn verdicts(difference: &Difference, language: Language) -> Vec<String> {
    let [worse, better, same, undecided] = RESULTS.map(|is_such| difference.count(is_such));
    let cells = difference.cells.len();
    let share = difference.called_share();
    let share = share.map_or(numbers::NONE.into(), |share| {
        numbers::percent(share, language)
    });
    let mut sentences = vec![language.choose(
        || format!("{cells} figures of both: {worse} worse, {better} better, {same} the same, {undecided} undecided; {share} are called changed."),
        || format!("{cells} cifras de ambos lados: {worse} peores, {better} mejores, {same} iguales, {undecided} sin decidir; el {share} se da por cambiado."),
    )];
    let claim = language.choose(|| "Claim", || "Afirmación");
    for change in &difference.claims {
        let verdicts = [change.base, change.candidate];
        let [base, candidate] = verdicts.map(|verdict| labels::verdict(verdict, language).0);
        let reversed = match change.is_reversed() {
            true => language.choose(|| " (reversed)", || " (al revés)"),
            false => "",
        };
        let id = change.id;
        sentences.push(format!("{claim} {id}: {base} → {candidate}{reversed}."));
    }
    sentences
}

/// Cells that are worse, then those that are better; of a short comparison then all others. `None` without any.
pub(crate) fn changes(difference: &Difference, language: Language) -> Option<Table> {
    const COLUMNS: [Text; 8] = [
        bilingual("Result", "Resultado"),
        bilingual("Experiment", "Experimento"),
        bilingual("Level", "Nivel"),
        bilingual("Participant", "Participante"),
        bilingual("Metric", "Métrica"),
        bilingual("Base", "Base"),
        bilingual("Candidate", "Candidato"),
        bilingual("Change [95 %]", "Cambio [95 %]"),
    ];
    let mut table = Table::new(5, COLUMNS.map(|column| language.of(column)));
    let is_short = difference.cells.len() <= ALL_LISTED;
    let listed = if is_short { RESULTS.len() } else { 2 };
    for is_such in &RESULTS[..listed] {
        let cells = difference.cells.iter();
        let cells = cells.filter(|cell| is_such(cell.word));
        table.rows.extend(cells.map(|cell| row(cell, language)));
    }
    (!table.rows.is_empty()).then_some(table)
}

fn row(cell: &MetricChange, language: Language) -> Vec<TableCell> {
    vec![
        TableCell::word(labels::word(cell.word, cell.metric, language)),
        cell.experiment.as_str().into(),
        cell.level.as_str().into(),
        cell.participant.as_str().into(),
        labels::metric(cell.metric, language).into(),
        TableCell::figure(cell.metric, cell.base.value, language),
        TableCell::figure(cell.metric, cell.candidate.value, language),
        TableCell::comparison(cell.metric, &cell.change, language),
    ]
}

/// Formats the comparison as JSON, with every cell.
pub fn json(difference: &Difference, sides: ComparedSides<'_>) -> String {
    let cell = |cell: &MetricChange| {
        json!({
            "experiment": cell.experiment,
            "level": cell.level,
            "participant": cell.participant,
            "metric": cell.metric.name(),
            "base": cell.base.value,
            "candidate": cell.candidate.value,
            "shared": cell.shared,
            "change": cell.change.value,
            "change_interval": [cell.change.low, cell.change.high],
            "p_holm": cell.p_holm,
            "verdict": labels::word_name(cell.word),
        })
    };
    let shared = difference.shared.iter().map(|shared| {
        json!({
            "experiment": shared.experiment,
            "metric": shared.metric.name(),
            "change": shared.ratio,
        })
    });
    let claims = difference.claims.iter().map(|change| {
        json!({
            "claim": change.id,
            "base": labels::verdict_name(change.base),
            "candidate": labels::verdict_name(change.candidate),
            "is_reversed": change.is_reversed(),
        })
    });
    let warnings = difference.warnings.iter().map(|warning| &warning.en);
    let document = json!({
        "schema_version": SCHEMA_VERSION,
        "base": sides.base,
        "candidate": sides.candidate,
        "warnings": warnings.collect::<Vec<_>>(),
        "called_share": difference.called_share(),
        "shared": shared.collect::<Vec<_>>(),
        "cells": difference.cells.iter().map(cell).collect::<Vec<_>>(),
        "claims": claims.collect::<Vec<_>>(),
    });
    escape::json(&format!("{document:#}")) + "\n"
}
