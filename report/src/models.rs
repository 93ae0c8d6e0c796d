//! A page for each model and target: what it is, and what it cost in every experiment.

use hola_base::{Language, Text, text};
use hola_lab::experiments;
use hola_lab::metric::Metric;
use hola_lab::plan::Design;
use hola_lab::record::{ServerCard, Skipped};
use hola_verdict::LevelKey;

use crate::document::{Section, SectionItem, Table, TableCell};
use crate::experiments::levels_by_weight;
use crate::facts::Facts;
use crate::{labels, numbers};

/// The pages of all models and targets, folded.
pub(crate) fn section(facts: &Facts<'_>, language: Language) -> Section {
    let folds = facts.run.servers.iter();
    let folds = folds.map(|card| details(facts, card, language));
    let title = language.choose(|| "Model by model", || "Modelo a modelo");
    Section::new("models", title, folds.collect())
}

fn details(facts: &Facts<'_>, card: &ServerCard, language: Language) -> SectionItem {
    const COLUMNS: [Text; 5] = [
        text("Experiment", "Experimento"),
        text("Level", "Nivel"),
        text("Metric", "Métrica"),
        text("Value [95 %]", "Valor [95 %]"),
        text("Against the control [95 %]", "Frente al control [95 %]"),
    ];
    let mut table = Table::new(3, COLUMNS.map(|column| language.of(column)));
    let designs = facts.run.designs.iter();
    table.rows = designs
        .filter_map(|design| row(facts, card, design, language))
        .collect();
    let left_out = language.choose(|| "Left out of", || "Excluido de");
    let all = language.choose(|| "all experiments", || "todos los experimentos");
    let skipped = facts.run.skipped.iter();
    let skipped = skipped.filter(|one| one.server == card.name);
    let note = |one: &Skipped| {
        let experiment = one.experiment.as_deref().unwrap_or(all);
        format!("{left_out} {experiment}: {}.", one.reason)
    };
    table.notes = skipped.map(note).collect();
    let title = format!("{} — {}", card.name, card.title.in_language(language));
    let summary = card.summary.in_language(language);
    let parts = vec![SectionItem::Text(summary.into()), SectionItem::Table(table)];
    SectionItem::folded(&format!("model-{}", card.name), &title, parts)
}

/// The cost of a server in an experiment: the first level, and its first metric, with a value.
fn row(
    facts: &Facts<'_>,
    card: &ServerCard,
    design: &Design,
    language: Language,
) -> Option<Vec<TableCell>> {
    let name = &card.name;
    let metrics = experiments::find(&design.experiment)?.metrics;
    let (level, metric, value) = levels_by_weight(design).find_map(|level| {
        let at = LevelKey::new(&design.experiment, &level.name);
        let value = |metric: &Metric| Some((level, *metric, facts.value(at, name, *metric).ok()?));
        metrics.iter().find_map(value)
    })?;
    let at = LevelKey::new(&design.experiment, &level.name);
    let against = facts
        .to_control(at, name, metric)
        .filter(|_| *name != level.control);
    Some(vec![
        design.experiment.as_str().into(),
        level.name.as_str().into(),
        labels::metric(metric, language).into(),
        TableCell::estimate(metric, &value, language),
        against.map_or(numbers::NONE.into(), |ratio| {
            TableCell::comparison(metric, &ratio, language)
        }),
    ])
}
