//! The tables of models: side by side at the headline level, and at every level.

use crate::analysis::Analysis;
use crate::analysis::cells::Cell as TrialCell;
use crate::analysis::comparison::{Comparison, Verdict};
use crate::analysis::metric::Metric;
use crate::lab::record::Run;

use super::answer::title;
use super::numbers;
use super::view::{Cell, Section, Table, Tone};
use super::words;

/// The models side by side at the headline level.
pub(super) fn headline(run: &Run, analysis: &Analysis<'_>) -> Section {
    let mut section = Section {
        title: words::HEADLINE.to_owned(),
        ..Section::default()
    };
    let Some(clients) = analysis.headline(Metric::CpuUsPerRequest) else {
        section.paragraphs.push(words::NOTHING_RANKED.to_owned());
        return section;
    };
    let caption = words::headline_caption(
        &words::workload(run.design.requests_per_connection, clients),
        run.design.trials_per_cell,
        analysis.level(clients).all(|cell| cell.ranked() > 0),
    );
    let mut table = Table::new(
        caption,
        1,
        &[
            words::MODEL,
            words::CPU,
            words::TIMES_CONTROL,
            words::GOOD,
            words::P50,
            words::P99,
            words::MEMORY,
            words::PEAKS,
            words::VERDICT,
        ],
    );
    table.columns[8].numeric = false;
    for cell in analysis.level(clients) {
        let row = ModelRow {
            run,
            analysis,
            cell,
        };
        row.push_to(
            &mut table,
            vec![
                row.model(),
                row.estimate(Metric::CpuUsPerRequest),
                row.ratio(Metric::CpuUsPerRequest),
                row.estimate(Metric::GoodPerS),
                row.figure(Metric::ResponseP50Us),
                row.figure(Metric::ResponseP99Us),
                row.figure(Metric::PssPeakKib),
                row.peaks(),
                row.verdict(Metric::CpuUsPerRequest),
            ],
        );
    }
    section.tables.push(table);
    section
}

/// The models at every level, with the statistics behind each verdict.
pub(super) fn levels(run: &Run, analysis: &Analysis<'_>) -> Section {
    let mut table = Table::new(
        words::LEVELS_CAPTION,
        0,
        &[
            words::MODEL,
            words::CLIENTS,
            words::TRIALS,
            words::CPU,
            words::TIMES_CONTROL,
            words::SHIFT,
            words::DELTA,
            words::P_HOLM,
            words::GOOD,
            words::TIMES_CONTROL,
            words::VERDICT_RATE,
            words::P50,
            words::P99,
            words::SWITCHES,
            words::VERDICT,
        ],
    );
    for wordy in [0, 10, 14] {
        table.columns[wordy].numeric = false;
    }
    for &clients in &analysis.levels {
        for cell in analysis.level(clients) {
            let row = ModelRow {
                run,
                analysis,
                cell,
            };
            let statistic = |write: fn(&Comparison<'_>) -> String| {
                let compared = row.compared(Metric::CpuUsPerRequest);
                Cell::from(compared.map_or_else(|| numbers::NONE.to_owned(), write))
            };
            row.push_to(
                &mut table,
                vec![
                    row.model(),
                    numbers::count(clients).into(),
                    words::trials_of(cell.ranked(), cell.made()).into(),
                    row.estimate(Metric::CpuUsPerRequest),
                    row.ratio(Metric::CpuUsPerRequest),
                    statistic(|one| numbers::signed(one.shift)),
                    statistic(|one| numbers::delta(one.delta)),
                    statistic(|one| numbers::p(one.p_holm)),
                    row.estimate(Metric::GoodPerS),
                    row.ratio(Metric::GoodPerS),
                    row.verdict(Metric::GoodPerS),
                    row.figure(Metric::ResponseP50Us),
                    row.figure(Metric::ResponseP99Us),
                    row.figure(Metric::SwitchesPerRequest),
                    row.verdict(Metric::CpuUsPerRequest),
                ],
            );
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
    let clients = analysis.headline(Metric::CpuUsPerRequest)?;
    let workload = words::workload(run.design.requests_per_connection, clients);
    let mut table = Table::new(
        workload,
        1,
        &[
            words::MODEL,
            words::CPU,
            words::TIMES_CONTROL,
            words::GOOD,
            words::P99,
            words::MEMORY,
            words::VERDICT,
        ],
    );
    table.columns[6].numeric = false;
    for cell in analysis.level(clients) {
        let row = ModelRow {
            run,
            analysis,
            cell,
        };
        row.push_to(
            &mut table,
            vec![
                row.model(),
                row.estimate(Metric::CpuUsPerRequest),
                row.ratio(Metric::CpuUsPerRequest),
                row.estimate(Metric::GoodPerS),
                row.figure(Metric::ResponseP99Us),
                row.figure(Metric::PssPeakKib),
                row.verdict(Metric::CpuUsPerRequest),
            ],
        );
    }
    Some(table)
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
        self.cell.model == self.run.design.control
    }

    fn model(&self) -> Cell {
        Cell::Model {
            title: title(self.run, self.cell.model).to_owned(),
            name: self.cell.model.to_owned(),
        }
    }

    fn estimate(&self, metric: Metric) -> Cell {
        match self.cell.estimate(metric, self.analysis.seed) {
            Some(estimate) => numbers::estimate(&estimate).into(),
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
            .comparison(self.cell.model, self.cell.clients, metric)
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

    fn verdict(&self, metric: Metric) -> Cell {
        let neutral = |word: &str| Cell::Verdict {
            word: word.to_owned(),
            tone: Tone::Neutral,
        };
        if self.cell.median(metric).is_none() {
            return neutral(if self.cell.made() > 0 {
                words::NOT_RANKED
            } else {
                words::NOT_MEASURED
            });
        }
        if self.is_control() {
            return neutral(words::CONTROL);
        }
        let Some(compared) = self.compared(metric) else {
            return neutral(words::NO_CONTROL);
        };
        let less = match compared.verdict {
            Verdict::Tie => return neutral(words::TIE),
            Verdict::TooFew => return neutral(words::TOO_FEW),
            Verdict::Less => true,
            Verdict::More => false,
        };
        let (smaller, larger) = match metric {
            Metric::GoodPerS => (words::SLOWER, words::FASTER),
            _ => (words::CHEAPER, words::DEARER),
        };
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
