//! The tables of models: side by side at the headline level, and at every level.

use crate::analysis::Analysis;
use crate::analysis::comparison::Comparison;
use crate::analysis::metric::Metric;
use crate::experiments::level_name;
use crate::lab::record::Run;
use crate::language::Language;

use super::answer::{load, title};
use super::numbers;
use super::row::ModelRow;
use super::view::{Cell, Section, Table};
use super::words;

/// Figures that stand beside those compared, where the experiment has them.
const BESIDE: [Metric; 4] = [
    Metric::GoodPerS,
    Metric::ResponseP50Us,
    Metric::ResponseP99Us,
    Metric::PssPeakKib,
];

/// The models side by side at the headline level.
pub(super) fn headline(run: &Run, analysis: &Analysis<'_>, language: Language) -> Section {
    let mut section = Section {
        title: language.of(words::HEADLINE).to_owned(),
        ..Section::default()
    };
    let lead = analysis.lead();
    let Some(level) = analysis.headline(lead) else {
        section
            .paragraphs
            .push(language.of(words::NOTHING_RANKED).to_owned());
        return section;
    };
    let caption = words::headline_caption(
        &load(analysis, level, language),
        analysis.design.trials_per_cell,
        analysis.level(level).all(|cell| cell.ranked() > 0),
        language,
    );
    let beside = beside(analysis, &BESIDE);
    let has_peaks = has(analysis, Metric::ThreadsPeak);
    let mut columns = vec![
        language.of(words::MODEL).to_owned(),
        words::metric(lead, language).to_owned(),
        language.of(words::TIMES_CONTROL).to_owned(),
    ];
    columns.extend(rest(analysis).map(|metric| words::metric(metric, language).to_owned()));
    columns.extend(
        beside
            .iter()
            .map(|metric| words::metric(*metric, language).to_owned()),
    );
    columns.extend(has_peaks.then(|| language.of(words::PEAKS).to_owned()));
    columns.push(words::verdict_on(lead, language).to_owned());
    let mut table = wordy_ends(caption, 1, &columns);
    for cell in analysis.level(level) {
        let row = ModelRow {
            run,
            analysis,
            cell,
            language,
        };
        let mut cells = vec![row.model(), row.estimate(lead), row.ratio(lead)];
        cells.extend(rest(analysis).map(|metric| row.estimate(metric)));
        cells.extend(beside.iter().map(|metric| row.figure(*metric)));
        cells.extend(has_peaks.then(|| row.peaks()));
        cells.push(row.verdict(lead));
        row.push_to(&mut table, cells);
    }
    section.tables.push(table);
    section
}

/// The models at every level, with the statistics behind each verdict.
pub(super) fn levels(run: &Run, analysis: &Analysis<'_>, language: Language) -> Section {
    let lead = analysis.lead();
    let beside = beside(
        analysis,
        &[
            Metric::GoodPerS,
            Metric::ResponseP50Us,
            Metric::ResponseP99Us,
            Metric::SwitchesPerRequest,
        ],
    );
    let mut columns = vec![
        language.of(words::MODEL).to_owned(),
        language.of(words::LEVEL).to_owned(),
        language.of(words::TRIALS).to_owned(),
        words::metric(lead, language).to_owned(),
        language.of(words::TIMES_CONTROL).to_owned(),
        words::shift(lead, language).to_owned(),
        language.of(words::DELTA).to_owned(),
        language.of(words::P_HOLM).to_owned(),
    ];
    for metric in rest(analysis) {
        columns.extend([
            words::metric(metric, language).to_owned(),
            language.of(words::TIMES_CONTROL).to_owned(),
            words::verdict_on(metric, language).to_owned(),
        ]);
    }
    columns.extend(
        beside
            .iter()
            .map(|metric| words::metric(*metric, language).to_owned()),
    );
    columns.push(words::verdict_on(lead, language).to_owned());
    let mut table = wordy_ends(language.of(words::LEVELS_CAPTION).to_owned(), 2, &columns);
    for place in 0..rest(analysis).count() {
        table.columns[10 + 3 * place].numeric = false;
    }
    for level in &analysis.design.levels {
        for cell in analysis.level(&level.name) {
            let row = ModelRow {
                run,
                analysis,
                cell,
                language,
            };
            let statistic = |write: fn(Metric, &Comparison<'_>, Language) -> String| {
                let compared = row.compared(lead);
                Cell::from(compared.map_or_else(
                    || numbers::NONE.to_owned(),
                    |one| write(lead, one, language),
                ))
            };
            let mut cells = vec![
                title(run, cell.model, language).into(),
                level_name(&level.name, language).into_owned().into(),
                words::trials_of(cell.ranked(), cell.made(), language).into(),
                row.estimate(lead),
                row.ratio(lead),
                statistic(|metric, one, language| numbers::signed(metric, one.shift, language)),
                statistic(|_, one, language| numbers::delta(one.delta, language)),
                statistic(|_, one, language| numbers::p(one.p_holm, language)),
            ];
            for metric in rest(analysis) {
                cells.extend([row.estimate(metric), row.ratio(metric), row.verdict(metric)]);
            }
            cells.extend(beside.iter().map(|metric| row.figure(*metric)));
            cells.push(row.verdict(lead));
            row.push_to(&mut table, cells);
        }
    }
    Section {
        title: language.of(words::LEVELS).to_owned(),
        tables: vec![table],
        ..Section::default()
    }
}

/// The answer alone, for a page that has no room for more.
pub(super) fn compact(run: &Run, analysis: &Analysis<'_>, language: Language) -> Option<Table> {
    let lead = analysis.lead();
    let level = analysis.headline(lead)?;
    let beside = beside(analysis, &[Metric::ResponseP99Us, Metric::PssPeakKib]);
    let mut columns = vec![
        language.of(words::MODEL).to_owned(),
        words::metric(lead, language).to_owned(),
        language.of(words::TIMES_CONTROL).to_owned(),
    ];
    columns.extend(rest(analysis).map(|metric| words::metric(metric, language).to_owned()));
    columns.extend(
        beside
            .iter()
            .map(|metric| words::metric(*metric, language).to_owned()),
    );
    columns.push(words::verdict_on(lead, language).to_owned());
    let mut table = wordy_ends(load(analysis, level, language), 1, &columns);
    for cell in analysis.level(level) {
        let row = ModelRow {
            run,
            analysis,
            cell,
            language,
        };
        let mut cells = vec![row.model(), row.estimate(lead), row.ratio(lead)];
        cells.extend(rest(analysis).map(|metric| row.estimate(metric)));
        cells.extend(beside.iter().map(|metric| row.figure(*metric)));
        cells.push(row.verdict(lead));
        row.push_to(&mut table, cells);
    }
    Some(table)
}

/// Figures compared, but for the one that headlines.
fn rest(analysis: &Analysis<'_>) -> impl Iterator<Item = Metric> {
    analysis.metrics.iter().skip(1).copied()
}

/// Of these, the figures that the experiment has and does not compare.
fn beside(analysis: &Analysis<'_>, metrics: &[Metric]) -> Vec<Metric> {
    let compared = |metric: &Metric| analysis.metrics.contains(metric);
    metrics
        .iter()
        .copied()
        .filter(|metric| !compared(metric) && has(analysis, *metric))
        .collect()
}

/// Whether any trial has the figure.
fn has(analysis: &Analysis<'_>, metric: Metric) -> bool {
    let mut taken = analysis
        .cells
        .iter()
        .flat_map(|cell| cell.valid.iter().chain(&cell.bound).chain(&cell.invalid));
    taken.any(|taken| metric.of(taken.measured).is_some())
}

/// A table of which the first columns and the last hold words.
fn wordy_ends(caption: String, words: usize, columns: &[String]) -> Table {
    let titles: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = Table::new(caption, words, &titles);
    if let Some(last) = table.columns.last_mut() {
        last.numeric = false;
    }
    table
}
