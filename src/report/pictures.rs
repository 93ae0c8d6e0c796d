//! The charts of the headline level, with the numbers each is drawn from.

use crate::analysis::Analysis;
use crate::analysis::cells::Cell as TrialCell;
use crate::analysis::distribution::Distribution;
use crate::analysis::metric::Metric;
use crate::analysis::sample::values;
use crate::lab::record::Run;

use super::answer::{load, title};
use super::charts::{self, CostBar, NARROW, Series, WIDE};
use super::numbers;
use super::view::{Cell, Chart, Table};
use super::words;

/// Percentiles of the curve's table.
const PERCENTILES: [(&str, f64); 5] = [
    ("p50", 0.5),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
];

/// Charts that have something to show.
pub(super) fn charts(run: &Run, analysis: &Analysis<'_>) -> Vec<Chart> {
    // Both charts are about costs and times of a load; an experiment about something else has none.
    if analysis.lead() != Metric::CpuUsPerRequest {
        return Vec::new();
    }
    let at_headline =
        |metric, draw: fn(&Run, &Analysis<'_>, &[&TrialCell<'_>], &str) -> Option<Chart>| {
            let level = analysis.headline(metric)?;
            let workload = load(analysis, level);
            let cells: Vec<&TrialCell<'_>> = analysis.level(level).collect();
            draw(run, analysis, &cells, &workload)
        };
    [
        at_headline(Metric::CpuUsPerRequest, cost),
        at_headline(Metric::ResponseP50Us, curve),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn cost(
    run: &Run,
    analysis: &Analysis<'_>,
    cells: &[&TrialCell<'_>],
    workload: &str,
) -> Option<Chart> {
    let bars: Vec<CostBar> = cells
        .iter()
        .filter_map(|cell| {
            let estimate = cell.estimate(Metric::CpuUsPerRequest, analysis.seed)?;
            Some(CostBar {
                title: title(run, cell.model).to_owned(),
                median: estimate.value,
                interval: estimate.interval,
                user_share: cell.user_share(),
                trials: values(&cell.observations(Metric::CpuUsPerRequest)),
                label: numbers::estimate(Metric::CpuUsPerRequest, &estimate),
            })
        })
        .collect();
    if bars.is_empty() {
        return None;
    }
    let columns = [
        words::MODEL,
        words::CPU,
        words::USER,
        words::SYSTEM,
        words::EACH_TRIAL,
    ];
    let mut table = Table::new(words::NUMBERS_BEHIND, 1, &columns);
    for bar in &bars {
        let part = |share: Option<f64>| -> Cell {
            share
                .map_or_else(
                    || numbers::NONE.to_owned(),
                    |share| numbers::plain(share * bar.median),
                )
                .into()
        };
        let trials: Vec<String> = bar.trials.iter().copied().map(numbers::plain).collect();
        table.push(vec![
            bar.title.as_str().into(),
            bar.label.as_str().into(),
            part(bar.user_share),
            part(bar.user_share.map(|share| 1.0 - share)),
            trials.join(", ").into(),
        ]);
    }
    let caption = words::cost_caption(workload);
    let summary: Vec<String> = bars
        .iter()
        .map(|bar| format!("{} {}", bar.title, bar.label))
        .collect();
    let description = words::chart_description(&caption, &summary);
    let id = format!("{}-cost", analysis.design.experiment);
    Some(Chart {
        title: words::COST_CHART.to_owned(),
        wide_svg: charts::cost(WIDE, &id, &bars, &description),
        narrow_svg: charts::cost(NARROW, &id, &bars, &description),
        caption,
        table,
    })
}

fn curve(
    run: &Run,
    analysis: &Analysis<'_>,
    cells: &[&TrialCell<'_>],
    workload: &str,
) -> Option<Chart> {
    let mut columns = vec![words::MODEL, words::SAMPLES];
    columns.extend(PERCENTILES.map(|(name, _)| name));
    let mut table = Table::new(words::NUMBERS_BEHIND, 1, &columns);
    let mut series = Vec::new();
    let mut summary = Vec::new();
    for cell in cells {
        let Some(pooled) = Distribution::of(cell) else {
            continue;
        };
        let title = title(run, cell.model);
        let written = PERCENTILES.map(|(_, share)| {
            let time = pooled.quantile_us(share);
            time.map_or_else(|| numbers::NONE.to_owned(), numbers::duration_us)
        });
        summary.push(format!("{title} p50 {}, p99 {}", written[0], written[2]));
        let mut row = vec![title.into(), numbers::count(pooled.count()).into()];
        row.extend(written.map(Cell::from));
        table.push(row);
        series.push(Series {
            title: title.to_owned(),
            points: pooled.curve(),
        });
    }
    let caption = words::curve_caption(workload);
    let description = words::chart_description(&caption, &summary);
    let id = format!("{}-curve", analysis.design.experiment);
    Some(Chart {
        title: words::CURVE_CHART.to_owned(),
        wide_svg: charts::curve(WIDE, &id, &series, &description)?,
        narrow_svg: charts::curve(NARROW, &id, &series, &description)?,
        caption,
        table,
    })
}
