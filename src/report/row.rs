//! One model at one level, as tables show it.

use crate::analysis::Analysis;
use crate::analysis::cells::Cell as TrialCell;
use crate::analysis::comparison::{Comparison, Verdict};
use crate::analysis::metric::Metric;
use crate::analysis::standing::Standing;
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

    pub(super) fn verdict(&self, metric: Metric) -> Cell {
        let (smaller, larger) = words::directions(metric, self.language);
        let of = |text| self.language.of(text);
        let (word, is_less) = match self.analysis.standing(self.cell, metric) {
            Standing::Compared(Verdict::Less) => (smaller, Some(true)),
            Standing::Compared(Verdict::More) => (larger, Some(false)),
            Standing::Compared(Verdict::Tie) => (of(words::TIE), None),
            Standing::Compared(Verdict::TooFew) => (of(words::TOO_FEW), None),
            Standing::Control => (of(words::CONTROL), None),
            Standing::NotMeasured => (of(words::NOT_MEASURED), None),
            Standing::NotRanked => (of(words::NOT_RANKED), None),
            Standing::NoFigure => (of(words::NO_FIGURE), None),
            Standing::NoControl => (of(words::NO_CONTROL), None),
            Standing::NoRatio => (of(words::NO_RATIO), None),
        };
        Cell::Verdict {
            word: word.to_owned(),
            tone: match is_less {
                None => Tone::Neutral,
                Some(is_less) if is_less == metric.smaller_is_better() => Tone::Better,
                Some(_) => Tone::Worse,
            },
        }
    }
}
