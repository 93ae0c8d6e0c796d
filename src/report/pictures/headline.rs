//! What a request costs, and how long the slowest take, at the headline level.

use hola_servers::models;

use crate::analysis::cells::Cell as TrialCell;
use crate::analysis::distribution::Distribution;
use crate::analysis::metric::Metric;
use crate::analysis::sample::values;
use crate::report::answer::load;
use crate::report::charts::{self, CostBar, Frame, SMALL, Series};
use crate::report::view::{Cell, Chart, Table};
use crate::report::{numbers, words};

use super::{Around, Sketch};

/// Percentiles of the curve's table.
const PERCENTILES: [(&str, f64); 5] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
];

/// A bar per model: its cost, user and system time apart.
pub(super) fn cost(sketch: &Sketch<'_, '_>, frames: &[Frame]) -> Option<Chart> {
    let Sketch {
        analysis, language, ..
    } = *sketch;
    let level = analysis.headline(Metric::CpuUsPerRequest)?;
    // A reference target may cost a hundred times as much as any model, and would press them all to the left.
    let is_model = |cell: &&TrialCell<'_>| models::find(cell.model).is_some();
    let bars: Vec<CostBar> = analysis
        .level(level)
        .filter(is_model)
        .filter_map(|cell| bar(sketch, cell))
        .collect();
    let columns = [
        words::MODEL,
        words::CPU,
        words::USER,
        words::SYSTEM,
        words::EACH_TRIAL,
    ]
    .map(|text| language.of(text));
    let mut table = Table::new(language.of(words::NUMBERS_BEHIND), 1, &columns);
    for bar in &bars {
        let part = |share: Option<f64>| match share {
            None => Cell::from(numbers::NONE),
            Some(share) => Cell::Figure {
                written: numbers::plain(share * bar.median, language),
                value: share * bar.median,
            },
        };
        let trials: Vec<String> = bar
            .trials
            .iter()
            .map(|value| numbers::plain(*value, language))
            .collect();
        table.push(vec![
            bar.title.as_str().into(),
            Cell::Figure {
                written: bar.label.clone(),
                value: bar.median,
            },
            part(bar.user_share),
            part(bar.user_share.map(|share| 1.0 - share)),
            trials
                .join(&format!("{} ", language.between_numbers()))
                .into(),
        ]);
    }
    let around = Around {
        id: sketch.id(if frames.len() > 1 { "answer" } else { "cost" }),
        title: language.of(words::COST_CHART).to_owned(),
        caption: words::cost_caption(&load(analysis, level, language), language),
        summary: match frames.len() {
            1 => Vec::new(),
            _ => bars
                .iter()
                .map(|bar| format!("{} {}", bar.title, bar.label))
                .collect(),
        },
        table,
    };
    let (id, description) = (around.id.clone(), around.description());
    around.chart_in(frames, |frame| {
        (!bars.is_empty()).then(|| charts::cost(frame, &id, &bars, &description, language))
    })
}

fn bar(sketch: &Sketch<'_, '_>, cell: &TrialCell<'_>) -> Option<CostBar> {
    let metric = Metric::CpuUsPerRequest;
    let estimate = cell.estimate(metric, sketch.analysis.seed)?;
    Some(CostBar {
        title: sketch.title(cell.model),
        median: estimate.value,
        interval: estimate.interval,
        user_share: cell.user_share(),
        trials: values(&cell.observations(metric)),
        label: numbers::estimate(metric, &estimate, sketch.language),
    })
}

/// A line per model: its response-time percentiles, all trials added up.
pub(super) fn curve(sketch: &Sketch<'_, '_>) -> Option<Chart> {
    let Sketch {
        analysis, language, ..
    } = *sketch;
    let level = analysis.headline(Metric::ResponseP50Us)?;
    let mut columns = vec![language.of(words::MODEL), language.of(words::SAMPLES)];
    columns.extend(PERCENTILES.map(|(name, _)| name));
    let mut table = Table::new(language.of(words::NUMBERS_BEHIND), 1, &columns);
    let mut series = Vec::new();
    for cell in analysis.level(level) {
        let Some(pooled) = Distribution::of(cell) else {
            continue;
        };
        let title = sketch.title(cell.model);
        let percentiles = PERCENTILES.map(|(_, share)| match pooled.quantile_us(share) {
            None => Cell::from(numbers::NONE),
            Some(time) => Cell::Figure {
                written: numbers::duration_us(time, language),
                value: time,
            },
        });
        let mut row = vec![title.as_str().into(), numbers::count(pooled.count()).into()];
        row.extend(percentiles);
        table.push(row);
        series.push(Series {
            title,
            points: pooled.curve(),
        });
    }
    let around = Around {
        id: sketch.id("curve"),
        title: language.of(words::CURVE_CHART).to_owned(),
        caption: words::curve_caption(&load(analysis, level, language), language),
        summary: Vec::new(),
        table,
    };
    let (id, description) = (around.id.clone(), around.description());
    around.chart_in(&[SMALL], |frame| {
        charts::curve(frame, &id, &series, &description, language)
    })
}
