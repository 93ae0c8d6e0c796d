//! Every trial of every model, at the headline level.

use crate::analysis::metric::Metric;
use crate::analysis::sample::values;
use crate::report::answer::load;
use crate::report::charts::{self, DotChart, DotRow, Name, SMALL};
use crate::report::view::{Cell, Chart, Table};
use crate::report::{numbers, words};

use super::{Around, Sketch};

/// A row per model, a dot per trial.
pub(super) fn dots(sketch: &Sketch<'_, '_>, metric: Metric) -> Option<Chart> {
    let Sketch {
        analysis, language, ..
    } = *sketch;
    let level = analysis.headline(metric)?;
    let figure = words::metric(metric, language);
    let columns = [
        language.of(words::MODEL),
        figure,
        language.of(words::TRIAL_BY_TRIAL),
    ];
    let mut table = Table::new(language.of(words::NUMBERS_BEHIND), 1, &columns);
    let mut rows = Vec::new();
    for cell in analysis.level(level) {
        let Some(estimate) = cell.estimate(metric, analysis.seed) else {
            continue;
        };
        let title = sketch.title(cell.model);
        let label = numbers::estimate(metric, &estimate, language);
        let write = |value| numbers::figure(metric, value, language);
        let trials = values(&cell.observations(metric));
        let between = format!("{} ", language.between_numbers());
        let written: Vec<String> = trials.iter().copied().map(write).collect();
        table.push(vec![
            title.as_str().into(),
            Cell::Figure {
                written: label.clone(),
                value: estimate.value,
            },
            written.join(&between).into(),
        ]);
        rows.push(DotRow {
            say: format!("{title}: {label}; {}", written.join(&between)),
            title,
            trials,
            median: estimate.value,
            interval: estimate.interval,
            label,
        });
    }
    let around = Around {
        id: sketch.id("trials"),
        title: words::dots_title(figure, language),
        caption: words::dots_caption(&load(analysis, level, language), language),
        summary: Vec::new(),
        table,
    };
    let (id, title, description) = (
        around.id.clone(),
        around.title.clone(),
        around.description(),
    );
    let write = |value| numbers::axis(metric, value, language);
    around.chart_in(&[SMALL], |frame| {
        let drawing = DotChart {
            name: Name {
                id: &id,
                title: &title,
                description: &description,
            },
            figure_title: figure,
            write: &write,
            signs: [words::COST_TRIAL, words::MEDIAN, words::COST_INTERVAL]
                .map(|text| language.of(text)),
            rows: &rows,
        };
        (!rows.is_empty()).then(|| charts::dots(frame, &drawing))
    })
}
