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
    let Some(clients) = analysis.headline(Metric::CpuUsPerRequest) else {
        return vec![words::NOTHING_RANKED.to_owned()];
    };
    let workload = words::workload(run.design.requests_per_connection, clients);
    let control = title(run, &run.design.control);
    let (mut missing, mut has_control) = (Vec::new(), true);
    for cell in analysis.level(clients).filter(|cell| cell.ranked() == 0) {
        if cell.model == run.design.control {
            has_control = false;
        } else {
            missing.push(title(run, cell.model));
        }
    }
    let mut sentences = Vec::new();
    if has_control {
        let parts = parts(run, analysis, clients, Metric::CpuUsPerRequest);
        sentences.push(words::cost_answer(&workload, control, &parts));
        sentences.extend(rate_sentence(run, analysis, control));
    } else {
        sentences.push(words::no_control_answer(&workload, control));
    }
    if !missing.is_empty() {
        sentences.push(words::missing_answer(&missing));
    }
    sentences
}

/// The rate at its own level: where the generator sets the pace, rates say nothing of the servers.
fn rate_sentence(run: &Run, analysis: &Analysis<'_>, control: &str) -> Option<String> {
    let clients = analysis.headline(Metric::GoodPerS)?;
    let parts = parts(run, analysis, clients, Metric::GoodPerS);
    let nothing = parts.differ.is_empty() && parts.tie.is_empty() && parts.open.is_empty();
    (!nothing).then(|| words::rate_answer(&words::clients(clients), control, &parts))
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
