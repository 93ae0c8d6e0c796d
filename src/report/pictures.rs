//! The charts of a report, each with the numbers it is drawn from: what to draw, and in which words.

mod findings;
mod headline;
mod levels;
mod loads;
mod trials;

use crate::analysis::Analysis;
use crate::analysis::metric::Metric;
use crate::lab::record::Run;
use crate::language::Language;

use super::charts::{Frame, NARROW, SMALL, WIDE};
use super::view::{Chart, Table};
use super::words;

pub(super) use findings::findings;
pub(super) use loads::map;

/// What a request costs the server under the first load of an experiment, large: the picture of the answer.
pub(super) fn answer(run: &Run, analysis: &Analysis<'_>, language: Language) -> Option<Chart> {
    let sketch = Sketch {
        run,
        analysis,
        language,
    };
    let is_cost = analysis.lead() == Metric::CpuUsPerRequest;
    let chart = is_cost.then(|| headline::cost(&sketch, &[WIDE, NARROW]));
    chart.flatten()
}

/// Charts of an experiment that have something to show, all of one size: they stand side by side where there is room.
pub(super) fn charts(run: &Run, analysis: &Analysis<'_>, language: Language) -> Vec<Chart> {
    let sketch = Sketch {
        run,
        analysis,
        language,
    };
    let mut charts = Vec::new();
    // A cost is shown with its parts; any other figure trial by trial.
    match analysis.lead() {
        Metric::CpuUsPerRequest => {
            charts.extend(headline::cost(&sketch, &[SMALL]));
            charts.extend(headline::curve(&sketch));
        }
        lead => charts.extend(trials::dots(&sketch, lead)),
    }
    charts.extend(levels::lines(&sketch));
    charts
}

/// What a chart of an experiment is drawn from.
#[derive(Clone, Copy)]
struct Sketch<'r, 'a> {
    run: &'r Run,
    analysis: &'r Analysis<'a>,
    language: Language,
}

impl Sketch<'_, '_> {
    /// An identifier of the chart, unique in the page.
    fn id(&self, kind: &str) -> String {
        let experiment = &self.analysis.design.experiment;
        format!("{}-{experiment}-{kind}", self.language.tag())
    }

    fn title(&self, model: &str) -> String {
        super::answer::title(self.run, model, self.language).to_owned()
    }
}

/// The words around a drawing.
struct Around {
    id: String,
    title: String,
    caption: String,
    /// Its figures, to be read aloud; none where there are more than anybody would listen to, and a table beside it.
    summary: Vec<String>,
    table: Table,
}

impl Around {
    fn description(&self) -> String {
        match self.summary.is_empty() {
            true => self.caption.clone(),
            false => words::chart_description(&self.caption, &self.summary),
        }
    }

    /// The chart, drawn for both widths; `None` where there is nothing to draw.
    fn chart(self, draw: impl Fn(Frame) -> Option<String>) -> Option<Chart> {
        self.chart_in(&[WIDE, NARROW], draw)
    }

    /// The same, drawn for those frames.
    fn chart_in(self, frames: &[Frame], draw: impl Fn(Frame) -> Option<String>) -> Option<Chart> {
        let drawings: Option<Vec<String>> = frames.iter().map(|frame| draw(*frame)).collect();
        Some(Chart {
            drawings: drawings?,
            id: self.id,
            title: self.title,
            caption: self.caption,
            table: self.table,
        })
    }
}
