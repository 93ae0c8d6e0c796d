//! The map of loads: who costs least where.

use std::collections::BTreeSet;

use crate::analysis::Analysis;
use crate::analysis::winners::{self, Load, Place};
use crate::lab::record::Run;
use crate::language::Language;
use crate::report::answer::title;
use crate::report::charts::{self, MapCell, MapModel, Name};
use crate::report::view::{Cell, Chart, Picture, Table};
use crate::report::{numbers, words};

use super::Around;

/// Which model for which load; `None` where fewer than two loads can be compared.
pub(in crate::report) fn map(
    run: &Run,
    analyses: &[Analysis<'_>],
    language: Language,
) -> Option<Picture> {
    let places = winners::map(analyses);
    if places.len() < 2 {
        return None;
    }
    Some(Picture {
        title: language.of(words::MAP).to_owned(),
        paragraphs: vec![language.of(words::MAP_EXPLAINED).to_owned()],
        chart: chart(run, &places, language)?,
    })
}

fn chart(run: &Run, places: &[Place<'_>], language: Language) -> Option<Chart> {
    // All loads of a row differ in their number of clients alone.
    let row_of = |load: &Load| Load {
        clients: 0,
        ..*load
    };
    let clients: BTreeSet<u32> = places.iter().map(|place| place.load.clients).collect();
    let rows: BTreeSet<Load> = places.iter().map(|place| row_of(&place.load)).collect();
    let models: Vec<MapModel> = run
        .models
        .iter()
        .map(|card| MapModel {
            short: card.name.clone(),
            title: words::title_of(card, language).to_owned(),
        })
        .collect();
    let number = |name: &&str| run.models.iter().position(|card| card.name == **name);
    let cell = |row: &Load, clients: u32| {
        let load = Load { clients, ..*row };
        let place = places.iter().find(|place| place.load == load);
        let winners: &[&str] = place.map_or(&[], |place| &place.winners);
        MapCell {
            winners: winners.iter().filter_map(number).collect(),
            say: words::map_place(&load, winners, language),
        }
    };
    let cells: Vec<Vec<MapCell>> = rows
        .iter()
        .map(|row| clients.iter().map(|count| cell(row, *count)).collect())
        .collect();
    let said = cells
        .iter()
        .flatten()
        .filter(|cell| !cell.winners.is_empty());
    let around = Around {
        id: format!("{}-loads", language.tag()),
        title: language.of(words::MAP_CHART).to_owned(),
        caption: words::map_caption(places.len(), language),
        summary: said.map(|cell| cell.say.clone()).collect(),
        table: table(run, places, language),
    };
    let (id, title, description) = (
        around.id.clone(),
        around.title.clone(),
        around.description(),
    );
    let columns: Vec<String> = clients.iter().map(|count| numbers::count(*count)).collect();
    let rows: Vec<String> = rows
        .iter()
        .map(|row| words::map_row(row, language))
        .collect();
    around.chart(|frame| {
        let drawing = charts::Map {
            name: Name {
                id: &id,
                title: &title,
                description: &description,
            },
            columns_title: language.of(words::MAP_COLUMNS),
            columns: &columns,
            rows: &rows,
            cells: &cells,
            models: &models,
            signs: [words::MAP_TIE, words::MAP_EMPTY].map(|text| language.of(text)),
        };
        Some(charts::map(frame, &drawing))
    })
}

fn table(run: &Run, places: &[Place<'_>], language: Language) -> Table {
    let columns = [
        words::LOAD,
        words::MAP_COLUMNS,
        words::CHEAPEST,
        words::TIES,
        words::COMPARED,
    ]
    .map(|text| language.of(text));
    let mut table = Table::new(language.of(words::NUMBERS_BEHIND), columns.len(), &columns);
    for place in places {
        let titles: Vec<&str> = place
            .winners
            .iter()
            .map(|name| title(run, name, language))
            .collect();
        let (first, ties) = titles.split_first().unwrap_or((&numbers::NONE, &[]));
        table.push(vec![
            words::map_row(&place.load, language).into(),
            figure(place.load.clients),
            (*first).into(),
            if ties.is_empty() {
                numbers::NONE.into()
            } else {
                ties.join(", ").into()
            },
            figure(u32::try_from(place.models).unwrap_or(u32::MAX)),
        ]);
    }
    for numeric in [1, 4] {
        table.columns[numeric].numeric = true;
    }
    table
}

fn figure(count: u32) -> Cell {
    Cell::Figure {
        written: numbers::count(count),
        value: f64::from(count),
    }
}
