//! The tables of models: side by side at the headline level, and at every level.

use crate::analysis::Analysis;
use crate::analysis::cells::Cell as TrialCell;
use crate::analysis::comparison::{Comparison, Verdict};
use crate::analysis::metric::Metric;
use crate::lab::record::Run;

use super::answer::{load, title};
use super::numbers;
use super::view::{Cell, Section, Table, Tone};
use super::words;

/// Figures that stand beside those compared, where the experiment has them.
const BESIDE: [Metric; 4] = [
    Metric::GoodPerS,
    Metric::ResponseP50Us,
    Metric::ResponseP99Us,
    Metric::PssPeakKib,
];

/// The models side by side at the headline level.
pub(super) fn headline(run: &Run, analysis: &Analysis<'_>) -> Section {
    let mut section = Section {
        title: words::HEADLINE.to_owned(),
        ..Section::default()
    };
    let lead = analysis.lead();
    let Some(level) = analysis.headline(lead) else {
        section.paragraphs.push(words::NOTHING_RANKED.to_owned());
        return section;
    };
    let caption = words::headline_caption(
        &load(analysis, level),
        analysis.design.trials_per_cell,
        analysis.level(level).all(|cell| cell.ranked() > 0),
    );
    let beside = beside(analysis, &BESIDE);
    let has_peaks = has(analysis, Metric::ThreadsPeak);
    let mut columns = vec![
        words::MODEL.to_owned(),
        words::metric(lead),
        words::TIMES_CONTROL.to_owned(),
    ];
    columns.extend(rest(analysis).map(words::metric));
    columns.extend(beside.iter().map(|metric| words::metric(*metric)));
    columns.extend(has_peaks.then(|| words::PEAKS.to_owned()));
    columns.push(words::verdict_on(lead));
    let mut table = wordy_ends(caption, 1, &columns);
    for cell in analysis.level(level) {
        let row = ModelRow {
            run,
            analysis,
            cell,
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
pub(super) fn levels(run: &Run, analysis: &Analysis<'_>) -> Section {
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
        words::MODEL.to_owned(),
        words::LEVEL.to_owned(),
        words::TRIALS.to_owned(),
        words::metric(lead),
        words::TIMES_CONTROL.to_owned(),
        words::shift(lead),
        words::DELTA.to_owned(),
        words::P_HOLM.to_owned(),
    ];
    for metric in rest(analysis) {
        columns.extend([
            words::metric(metric),
            words::TIMES_CONTROL.to_owned(),
            words::verdict_on(metric),
        ]);
    }
    columns.extend(beside.iter().map(|metric| words::metric(*metric)));
    columns.push(words::verdict_on(lead));
    let mut table = wordy_ends(words::LEVELS_CAPTION.to_owned(), 2, &columns);
    for place in 0..rest(analysis).count() {
        table.columns[10 + 3 * place].numeric = false;
    }
    for level in &analysis.design.levels {
        for cell in analysis.level(&level.name) {
            let row = ModelRow {
                run,
                analysis,
                cell,
            };
            let statistic = |write: fn(Metric, &Comparison<'_>) -> String| {
                let compared = row.compared(lead);
                Cell::from(
                    compared.map_or_else(|| numbers::NONE.to_owned(), |one| write(lead, one)),
                )
            };
            let mut cells = vec![
                row.model(),
                level.name.as_str().into(),
                words::trials_of(cell.ranked(), cell.made()).into(),
                row.estimate(lead),
                row.ratio(lead),
                statistic(|metric, one| numbers::signed(metric, one.shift)),
                statistic(|_, one| numbers::delta(one.delta)),
                statistic(|_, one| numbers::p(one.p_holm)),
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
        title: words::LEVELS.to_owned(),
        tables: vec![table],
        ..Section::default()
    }
}

/// The answer alone, for a page that has no room for more.
pub(super) fn compact(run: &Run, analysis: &Analysis<'_>) -> Option<Table> {
    let lead = analysis.lead();
    let level = analysis.headline(lead)?;
    let beside = beside(analysis, &[Metric::ResponseP99Us, Metric::PssPeakKib]);
    let mut columns = vec![
        words::MODEL.to_owned(),
        words::metric(lead),
        words::TIMES_CONTROL.to_owned(),
    ];
    columns.extend(rest(analysis).map(words::metric));
    columns.extend(beside.iter().map(|metric| words::metric(*metric)));
    columns.push(words::verdict_on(lead));
    let mut table = wordy_ends(load(analysis, level), 1, &columns);
    for cell in analysis.level(level) {
        let row = ModelRow {
            run,
            analysis,
            cell,
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

/// One model at one level, a cell of the table at a time.
struct ModelRow<'r, 'a> {
    run: &'r Run,
    analysis: &'r Analysis<'a>,
    cell: &'r TrialCell<'a>,
}

impl<'a> ModelRow<'_, 'a> {
    /// Struck through when trials were made and none of them is ranked.
    fn push_to(&self, table: &mut Table, cells: Vec<Cell>) {
        if self.is_struck() {
            table.push_struck(cells);
        } else {
            table.push(cells);
        }
    }

    fn is_struck(&self) -> bool {
        self.cell.ranked() == 0 && self.cell.made() > 0
    }

    fn is_control(&self) -> bool {
        self.cell.model == self.analysis.design.control
    }

    fn model(&self) -> Cell {
        Cell::Model {
            title: title(self.run, self.cell.model).to_owned(),
            name: self.cell.model.to_owned(),
        }
    }

    fn estimate(&self, metric: Metric) -> Cell {
        match self.cell.estimate(metric, self.analysis.seed) {
            Some(estimate) => numbers::estimate(metric, &estimate).into(),
            None => self.figure(metric),
        }
    }

    /// The median alone; of the trials that are not ranked when there are no others, struck through.
    fn figure(&self, metric: Metric) -> Cell {
        let written = self.written(metric);
        // A row that is struck through whole need not say so in each cell.
        let struck =
            !self.is_struck() && self.cell.median(metric).is_none() && written != numbers::NONE;
        if struck {
            Cell::Struck(written)
        } else {
            written.into()
        }
    }

    fn written(&self, metric: Metric) -> String {
        let median = self
            .cell
            .median(metric)
            .or_else(|| self.cell.struck_median(metric));
        let written = median.map_or_else(
            || numbers::NONE.to_owned(),
            |value| numbers::figure(metric, value),
        );
        if median.is_some() && self.cell.is_censored(metric) {
            words::at_least(&written)
        } else {
            written
        }
    }

    fn peaks(&self) -> Cell {
        let threads = self.written(Metric::ThreadsPeak);
        let processes = self.written(Metric::ProcessesPeak);
        format!("{threads} / {processes}").into()
    }

    fn compared(&self, metric: Metric) -> Option<&Comparison<'a>> {
        self.analysis
            .comparison(self.cell.model, self.cell.level, metric)
    }

    fn ratio(&self, metric: Metric) -> Cell {
        match self.compared(metric) {
            Some(compared) => numbers::times_with_interval(&compared.ratio).into(),
            None if self.is_control() && self.cell.median(metric).is_some() => {
                numbers::times(1.0).into()
            }
            None => numbers::NONE.into(),
        }
    }

    /// Why a model with a figure has no ratio to the control.
    fn why_not_compared(&self, metric: Metric) -> &'static str {
        let control = &self.analysis.design.control;
        let mut cells = self.analysis.level(self.cell.level);
        match cells.find(|cell| cell.model == control) {
            Some(cell) if cell.median(metric).is_some() => words::NO_RATIO,
            _ => words::NO_CONTROL,
        }
    }

    fn verdict(&self, metric: Metric) -> Cell {
        let neutral = |word: &str| Cell::Verdict {
            word: word.to_owned(),
            tone: Tone::Neutral,
        };
        if self.cell.median(metric).is_none() {
            return neutral(match self.cell.struck_median(metric) {
                _ if self.cell.made() == 0 => words::NOT_MEASURED,
                None if self.cell.ranked() > 0 => words::NO_FIGURE,
                _ => words::NOT_RANKED,
            });
        }
        if self.is_control() {
            return neutral(words::CONTROL);
        }
        let Some(compared) = self.compared(metric) else {
            return neutral(self.why_not_compared(metric));
        };
        let less = match compared.verdict {
            Verdict::Tie => return neutral(words::TIE),
            Verdict::TooFew => return neutral(words::TOO_FEW),
            Verdict::Less => true,
            Verdict::More => false,
        };
        let (smaller, larger) = words::directions(metric);
        Cell::Verdict {
            word: if less { smaller } else { larger }.to_owned(),
            tone: if less == metric.smaller_is_better() {
                Tone::Better
            } else {
                Tone::Worse
            },
        }
    }
}
