//! One model at one level, as tables show it.

use crate::analysis::Analysis;
use crate::analysis::cells::Cell as TrialCell;
use crate::analysis::comparison::{Comparison, Verdict};
use crate::analysis::metric::Metric;
use crate::lab::record::Run;
use crate::language::Language;

use super::answer::title;
use super::numbers;
use super::view::{Cell, Table, Tone};
use super::words;

/// One model at one level, a cell of a table at a time.
#[derive(Clone, Copy)]
pub(super) struct ModelRow<'r, 'a> {
    pub(super) run: &'r Run,
    pub(super) analysis: &'r Analysis<'a>,
    pub(super) cell: &'r TrialCell<'a>,
    pub(super) language: Language,
}

impl<'a> ModelRow<'_, 'a> {
    /// Struck through when trials were made and none of them is ranked.
    pub(super) fn push_to(&self, table: &mut Table, cells: Vec<Cell>) {
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

    pub(super) fn model(&self) -> Cell {
        Cell::Model {
            title: title(self.run, self.cell.model, self.language).to_owned(),
            name: self.cell.model.to_owned(),
        }
    }

    pub(super) fn estimate(&self, metric: Metric) -> Cell {
        match self.cell.estimate(metric, self.analysis.seed) {
            Some(estimate) => Cell::Figure {
                written: numbers::estimate(metric, &estimate, self.language),
                value: estimate.value,
            },
            None => self.figure(metric),
        }
    }

    /// The median alone; of the trials that are not ranked when there are no others, struck through.
    pub(super) fn figure(&self, metric: Metric) -> Cell {
        let written = self.written(metric);
        match (self.cell.median(metric), self.cell.struck_median(metric)) {
            (Some(value), _) => Cell::Figure { written, value },
            // A row that is struck through whole need not say so in each cell.
            (None, Some(value)) if self.is_struck() => Cell::Figure { written, value },
            (None, Some(value)) => Cell::Struck { written, value },
            (None, None) => written.into(),
        }
    }

    fn written(&self, metric: Metric) -> String {
        let median = self
            .cell
            .median(metric)
            .or_else(|| self.cell.struck_median(metric));
        let written = median.map_or_else(
            || numbers::NONE.to_owned(),
            |value| numbers::figure(metric, value, self.language),
        );
        if median.is_some() && self.cell.is_censored(metric) {
            words::at_least(&written)
        } else {
            written
        }
    }

    pub(super) fn peaks(&self) -> Cell {
        let threads = self.written(Metric::ThreadsPeak);
        let processes = self.written(Metric::ProcessesPeak);
        format!("{threads} / {processes}").into()
    }

    pub(super) fn compared(&self, metric: Metric) -> Option<&Comparison<'a>> {
        self.analysis
            .comparison(self.cell.model, self.cell.level, metric)
    }

    pub(super) fn ratio(&self, metric: Metric) -> Cell {
        match self.compared(metric) {
            Some(compared) => Cell::Figure {
                written: numbers::times_with_interval(&compared.ratio, self.language),
                value: compared.ratio.value,
            },
            None if self.is_control() && self.cell.median(metric).is_some() => Cell::Figure {
                written: numbers::times(1.0, self.language),
                value: 1.0,
            },
            None => numbers::NONE.into(),
        }
    }

    /// Why a model with a figure has no ratio to the control.
    fn why_not_compared(&self, metric: Metric) -> &'static str {
        let control = &self.analysis.design.control;
        let mut cells = self.analysis.level(self.cell.level);
        match cells.find(|cell| cell.model == control) {
            Some(cell) if cell.median(metric).is_some() => self.language.of(words::NO_RATIO),
            _ => self.language.of(words::NO_CONTROL),
        }
    }

    pub(super) fn verdict(&self, metric: Metric) -> Cell {
        let neutral = |word: &str| Cell::Verdict {
            word: word.to_owned(),
            tone: Tone::Neutral,
        };
        if self.cell.median(metric).is_none() {
            return neutral(match self.cell.struck_median(metric) {
                _ if self.cell.made() == 0 => self.language.of(words::NOT_MEASURED),
                None if self.cell.ranked() > 0 => self.language.of(words::NO_FIGURE),
                _ => self.language.of(words::NOT_RANKED),
            });
        }
        if self.is_control() {
            return neutral(self.language.of(words::CONTROL));
        }
        let Some(compared) = self.compared(metric) else {
            return neutral(self.why_not_compared(metric));
        };
        let less = match compared.verdict {
            Verdict::Tie => return neutral(self.language.of(words::TIE)),
            Verdict::TooFew => return neutral(self.language.of(words::TOO_FEW)),
            Verdict::Less => true,
            Verdict::More => false,
        };
        let (smaller, larger) = words::directions(metric, self.language);
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
