//! Costs as the tool `customSmallerIsBetter` of github-action-benchmark takes them, which follows them from commit to
//! commit.

use serde::Serialize;

use crate::analysis::Analysis;
use crate::analysis::cells::Cell;
use crate::lab::record::Run;

use super::cells::word;
use super::{COST, costs, place, pretty};

#[derive(Serialize)]
struct Entry {
    /// What a value of the next commit is compared by.
    name: String,
    unit: &'static str,
    value: f64,
    /// As far as the interval's farther end is from the median: the tool knows symmetric ranges only.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    /// Shown beside the value, a line each.
    extra: String,
}

/// Every cell with a cost.
pub(super) fn json(run: &Run, analyses: &[Analysis<'_>]) -> String {
    let entries = costs(analyses).filter_map(|(analysis, cell)| entry(run, analysis, cell));
    pretty(&entries.collect::<Vec<Entry>>())
}

fn entry(run: &Run, analysis: &Analysis<'_>, cell: &Cell<'_>) -> Option<Entry> {
    let median = cell.estimate(COST, analysis.seed)?;
    let range = median.interval.map(|ends| {
        let farther = (ends.high - median.value).max(median.value - ends.low);
        format!("± {farther}")
    });
    Some(Entry {
        name: place(analysis, cell).join("/"),
        unit: "µs/request",
        value: median.value,
        range,
        extra: extra(run, analysis, cell),
    })
}

fn extra(run: &Run, analysis: &Analysis<'_>, cell: &Cell<'_>) -> String {
    let ranked = cell.observations(COST).len();
    let mut lines = vec![
        format!("run: {}", run.name),
        format!("trials: {ranked} of {}", cell.made()),
    ];
    if let Some(compared) = analysis.comparison(cell.model, cell.level, COST) {
        let control = &analysis.design.control;
        lines.push(format!("ratio to {control}: {}", compared.ratio.value));
    }
    lines.push(format!("verdict: {}", word(analysis.standing(cell, COST))));
    lines.join("\n")
}
