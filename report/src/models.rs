//! A page for each model and target: what it is, and what it cost in every experiment.

use hola_base::{Language, Text, text};
use hola_lab::record::ServerCard;

use crate::document::{Cell, Fold, Part, Section, Table};
use crate::experiments::at;
use crate::facts::{self, Facts};
use crate::{numbers, words};

/// All of them, folded.
pub(crate) fn section(facts: &Facts<'_>, language: Language) -> Section {
    let folds = facts
        .run
        .servers
        .iter()
        .map(|card| Part::Fold(fold(facts, card, language)));
    Section {
        anchor: "models".into(),
        title: language
            .choose(|| "Model by model", || "Modelo a modelo")
            .into(),
        parts: folds.collect(),
    }
}

fn fold(facts: &Facts<'_>, card: &ServerCard, language: Language) -> Fold {
    const COLUMNS: [Text; 5] = [
        text("Experiment", "Experimento"),
        text("Level", "Nivel"),
        text("Metric", "Métrica"),
        text("Value [95 %]", "Valor [95 %]"),
        text("Against the control [95 %]", "Frente al control [95 %]"),
    ];
    let mut table = Table::new("", 3, &COLUMNS.map(|column| language.of(column)));
    for design in &facts.run.designs {
        let metrics = facts::experiment(&design.experiment)
            .map(|known| known.metrics)
            .unwrap_or_default();
        for (_, level) in design.levels() {
            let at = at(design, level);
            let value = metrics
                .iter()
                .find_map(|metric| Some((*metric, facts.value(at, &card.name, *metric)?)));
            let Some((metric, value)) = value else {
                continue;
            };
            let against = facts
                .to_control(at, &card.name, metric)
                .filter(|_| card.name != level.control);
            let mut row: Vec<Cell> = [&design.experiment, &level.name]
                .map(|text| text.as_str().into())
                .into();
            row.push(words::metric(metric, language).into());
            row.push(Cell::number(
                numbers::value(metric, &value, language),
                value.value,
            ));
            row.push(against.map_or(numbers::NONE.into(), |ratio| {
                Cell::number(numbers::comparison(metric, &ratio, language), ratio.value)
            }));
            table.rows.push(row);
        }
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
    Fold {
        anchor: format!("model-{}", card.name),
        title: format!("{} — {title}", card.name),
        word: None,
        parts: vec![
            Part::Text(words::stored(&card.summary, language).into()),
            Part::Table(table),
        ],
    }
}
