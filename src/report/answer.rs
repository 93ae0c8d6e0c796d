//! The answer in plain sentences, from what the analysis concluded and nothing else.

use crate::analysis::Analysis;
use crate::analysis::comparison::{Comparison, Verdict};
use crate::analysis::metric::Metric;
use crate::lab::record::Run;

use super::numbers;
use super::words::{self, Parts};

/// Models named in one sentence; beyond it, those at both ends are, for a list of twelve ratios is a table.
const NAMED: usize = 6;

/// Three sentences at most: the cost, the rate, and what is missing.
pub(super) fn sentences(run: &Run, analysis: &Analysis<'_>) -> Vec<String> {
    let Some(clients) = analysis.headline else {
        return vec![words::NOTHING_RANKED.to_owned()];
    };
    let workload = words::workload(run.design.requests_per_connection, clients);
    let control = title(run, &run.design.control);
    let mut sentences = Vec::new();
    let mut missing = Vec::new();
    for cell in analysis.level(clients).filter(|cell| cell.valid.is_empty()) {
        if cell.model == run.design.control {
            sentences.push(words::no_control_answer(&workload, control));
        } else {
            missing.push(title(run, cell.model));
        }
    }
    if sentences.is_empty() {
        let parts = |metric| parts(run, analysis, clients, metric);
        sentences.push(words::cost_answer(
            &workload,
            control,
            &parts(Metric::CpuUsPerRequest),
        ));
        sentences.push(words::rate_answer(control, &parts(Metric::GoodPerS)));
    }
    if !missing.is_empty() {
        sentences.push(words::missing_answer(&missing));
    }
    sentences
}

/// Title of a model, or its name where the run has no card for it.
pub(super) fn title<'r>(run: &'r Run, name: &'r str) -> &'r str {
    run.models
        .iter()
        .find(|card| card.name == name)
        .map_or(name, words::title_of)
}

fn parts(run: &Run, analysis: &Analysis<'_>, clients: u32, metric: Metric) -> Parts {
    let mut compared: Vec<&Comparison<'_>> = analysis
        .comparisons
        .iter()
        .filter(|one| one.clients == clients && one.metric == metric)
        .collect();
    compared.sort_by(|a, b| b.ratio.value.total_cmp(&a.ratio.value));
    let mut parts = Parts::default();
    for one in compared {
        let ratio = numbers::times_with_interval(&one.ratio);
        let written = (title(run, one.model).to_owned(), ratio);
        match one.verdict {
            Verdict::Less | Verdict::More => parts.differ.push(written),
            Verdict::Tie => parts.tie.push(written),
            Verdict::TooFew => parts.open.push(written),
        }
    }
    if parts.differ.len() > NAMED {
        parts.between = parts.differ.len() - NAMED;
        parts.differ.drain(NAMED / 2..NAMED / 2 + parts.between);
    }
    parts
}
