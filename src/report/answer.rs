//! The answer in plain sentences, from what the analysis concluded and nothing else.

use crate::analysis::Analysis;
use crate::analysis::comparison::{Comparison, Verdict};
use crate::analysis::metric::Metric;
use crate::lab::record::Run;
use crate::language::Language;

use super::numbers;
use super::words::{self, Parts};

/// Models named in one sentence; beyond it, those at both ends are, for a list of twelve ratios is a table.
const NAMED: usize = 6;

/// Three sentences at most: the figure that headlines, the next one, and what is missing.
pub(super) fn sentences(run: &Run, analysis: &Analysis<'_>, language: Language) -> Vec<String> {
    let lead = analysis.lead();
    let Some(level) = analysis.headline(lead) else {
        return vec![language.of(words::NOTHING_RANKED).to_owned()];
    };
    let load = load(analysis, level, language);
    let control = title(run, &analysis.design.control, language);
    let (mut missing, mut has_control) = (Vec::new(), true);
    for cell in analysis.level(level).filter(|cell| cell.ranked() == 0) {
        if cell.model == analysis.design.control {
            has_control = false;
        } else {
            missing.push(title(run, cell.model, language));
        }
    }
    let mut sentences = Vec::new();
    if has_control {
        let parts = parts(run, analysis, level, lead, language);
        sentences.push(words::answer(&load, control, lead, &parts, language));
        sentences.extend(second_sentence(run, analysis, control, language));
    } else {
        sentences.push(words::no_control_answer(&load, control, language));
    }
    if !missing.is_empty() {
        sentences.push(words::missing_answer(&missing, language));
    }
    sentences
}

/// The next figure at its own level: where the generator sets the pace, rates say nothing of the servers.
fn second_sentence(
    run: &Run,
    analysis: &Analysis<'_>,
    control: &str,
    language: Language,
) -> Option<String> {
    let metric = *analysis.metrics.get(1)?;
    let level = analysis.headline(metric)?;
    let parts = parts(run, analysis, level, metric, language);
    let nothing = parts.differ.is_empty() && parts.tie.is_empty() && parts.open.is_empty();
    let load = load(analysis, level, language);
    (!nothing).then(|| words::answer(&load, control, metric, &parts, language))
}

/// The load of a level, in words.
pub(super) fn load(analysis: &Analysis<'_>, level: &str, language: Language) -> String {
    let level = analysis.design.level(level);
    level.map_or_else(String::new, |level| words::load(level, language))
}

/// Title of a model, or its name where the run has no card for it.
pub(super) fn title<'r>(run: &'r Run, name: &'r str, language: Language) -> &'r str {
    run.models
        .iter()
        .find(|card| card.name == name)
        .map_or(name, |card| words::title_of(card, language))
}

fn parts(
    run: &Run,
    analysis: &Analysis<'_>,
    level: &str,
    metric: Metric,
    language: Language,
) -> Parts {
    let mut compared: Vec<&Comparison<'_>> = analysis
        .comparisons
        .iter()
        .filter(|one| one.level == level && one.metric == metric)
        .collect();
    compared.sort_by(|a, b| b.ratio.value.total_cmp(&a.ratio.value));
    let mut parts = Parts::default();
    for one in compared {
        let ratio = numbers::times_with_interval(&one.ratio, language);
        let written = (title(run, one.model, language).to_owned(), ratio);
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
