//! A page for each model and target: what it is, and what it cost in every experiment.

use hola_base::{Language, Text, text};
use hola_lab::metric::Metric;
use hola_lab::plan::Design;
use hola_lab::record::ServerCard;

use crate::document::{Details, Section, SectionItem, Table, TableCell};
use crate::experiments::{at, levels_by_weight};
use crate::facts::{self, Facts};
use crate::{numbers, words};

/// The pages of all models and targets, folded.
pub(crate) fn section(facts: &Facts<'_>, language: Language) -> Section {
    let folds = facts
        .run
        .servers
        .iter()
        .map(|card| SectionItem::Details(fold(facts, card, language)));
    Section {
        anchor: "models".into(),
        title: language
            .choose(|| "Model by model", || "Modelo a modelo")
            .into(),
        parts: folds.collect(),
    }
}

fn fold(facts: &Facts<'_>, card: &ServerCard, language: Language) -> Details {
    const COLUMNS: [Text; 5] = [
        text("Experiment", "Experimento"),
        text("Level", "Nivel"),
        text("Metric", "Métrica"),
        text("Value [95 %]", "Valor [95 %]"),
        text("Against the control [95 %]", "Frente al control [95 %]"),
    ];
    let mut table = Table::new("", 3, &COLUMNS.map(|column| language.of(column)));
    for design in &facts.run.designs {
        table.rows.extend(row(facts, card, design, language));
    }
    let skipped = facts
        .run
        .skipped
        .iter()
        .filter(|one| one.server == card.name);
    table.notes = skipped
        .map(|one| {
            let all = language.choose(|| "all experiments", || "todos los experimentos");
            let left_out = language.choose(|| "Left out of", || "Excluido de");
            format!(
                "{left_out} {}: {}.",
                one.experiment.as_deref().unwrap_or(all),
                one.reason
            )
        })
        .collect();
    let title = words::stored(&card.title, language);
    Details {
        anchor: format!("model-{}", card.name),
        title: format!("{} — {title}", card.name),
        word: None,
        parts: vec![
            SectionItem::Text(words::stored(&card.summary, language).into()),
            SectionItem::Table(table),
        ],
    }
}

/// The cost of a server in an experiment: the first level, and its first metric, with a value.
fn row(
    facts: &Facts<'_>,
    card: &ServerCard,
    design: &Design,
    language: Language,
) -> Option<Vec<TableCell>> {
    let name = &card.name;
    let metrics = facts::experiment(&design.experiment)?.metrics;
    let (level, metric, value) = levels_by_weight(design).find_map(|level| {
        let value = |metric: &Metric| {
            Some((
                level,
                *metric,
                facts.value(at(design, level), name, *metric)?,
            ))
        };
        metrics.iter().find_map(value)
    })?;
    let against = facts
        .to_control(at(design, level), name, metric)
        .filter(|_| *name != level.control);
    Some(vec![
        design.experiment.as_str().into(),
        level.name.as_str().into(),
        words::metric(metric, language).into(),
        TableCell::number(numbers::value(metric, &value, language), value.value),
        against.map_or(numbers::NONE.into(), |ratio| {
            TableCell::number(numbers::comparison(metric, &ratio, language), ratio.value)
        }),
    ])
}
