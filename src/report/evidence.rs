//! What speaks for and against the numbers.

use crate::analysis::Analysis;
use crate::analysis::bootstrap::{MIN_TRIALS, coverage_bound};
use crate::analysis::cells::{Cell as TrialCell, Reason, SetAside};
use crate::analysis::comparison::out_of_reach;
use crate::analysis::distribution::Distribution;
use crate::analysis::metric::Metric;
use crate::lab::record::{Arm, KernelEvidence, Outcome, Run};

use super::answer::title;
use super::numbers;
use super::view::{Cell, Section, Table};
use super::words;

/// The validity section.
pub(super) fn validity(run: &Run, analysis: &Analysis<'_>) -> Section {
    let mut section = Section {
        title: words::VALIDITY.to_owned(),
        paragraphs: vec![trials_made(analysis)],
        ..Section::default()
    };
    let paragraphs = &mut section.paragraphs;
    paragraphs.extend(generator_bound(analysis));
    paragraphs.extend(too_few(analysis));
    paragraphs.push(match run.environment.steal_share {
        Some(share) => words::steal(&numbers::percent(share)),
        None => words::NO_STEAL.to_owned(),
    });
    paragraphs.push(kernel(analysis));
    for skipped in &run.skipped {
        paragraphs.push(words::skipped(title(run, &skipped.model), &skipped.reason));
    }
    paragraphs.extend(unreadable(run, analysis));
    if analysis.floors.is_empty() {
        paragraphs.push(words::NO_FLOOR.to_owned());
    } else {
        section.tables.push(floors(run, analysis));
    }
    let unranked: Vec<&SetAside<'_>> = analysis
        .aside
        .iter()
        .filter(|aside| !matches!(aside.reason, Reason::GeneratorBound))
        .collect();
    if !unranked.is_empty() {
        section.tables.push(aside(run, &unranked));
    }
    section
}

fn trials_made(analysis: &Analysis<'_>) -> String {
    let ranked = analysis.cells.iter().map(TrialCell::ranked).sum();
    let (mut invalid, mut failed, mut foreign) = (0, 0, 0);
    for aside in &analysis.aside {
        match aside.reason {
            Reason::FailedChecks(_) | Reason::NothingAnswered => invalid += 1,
            Reason::Failed(_) => failed += 1,
            Reason::NotPlanned => foreign += 1,
            Reason::GeneratorBound => {}
        }
    }
    words::trials_made(ranked, invalid, failed, foreign)
}

fn generator_bound(analysis: &Analysis<'_>) -> Option<String> {
    let bound: usize = analysis.cells.iter().map(|cell| cell.bound.len()).sum();
    (bound > 0).then(|| words::generator_bound(bound))
}

fn too_few(analysis: &Analysis<'_>) -> Vec<String> {
    let Some(fewest) = analysis.fewest_trials() else {
        return Vec::new();
    };
    let bound = numbers::percent(coverage_bound(fewest));
    let mut warnings = vec![words::coverage(fewest, &bound, fewest >= MIN_TRIALS)];
    let family = || analysis.comparisons_in(Metric::CpuUsPerRequest);
    let out_of_reach = out_of_reach(family());
    if out_of_reach > 0 {
        warnings.push(words::p_out_of_reach(out_of_reach, family().count()));
    }
    warnings
}

fn kernel(analysis: &Analysis<'_>) -> String {
    let mut sum = KernelEvidence::default();
    for taken in analysis
        .cells
        .iter()
        .flat_map(|cell| cell.valid.iter().chain(&cell.bound))
    {
        let seen = &taken.measured.kernel;
        sum.listen_overflows = sum.listen_overflows.saturating_add(seen.listen_overflows);
        sum.listen_drops = sum.listen_drops.saturating_add(seen.listen_drops);
        sum.syn_retransmissions = sum
            .syn_retransmissions
            .saturating_add(seen.syn_retransmissions);
    }
    words::kernel(
        &numbers::count(sum.listen_overflows),
        &numbers::count(sum.listen_drops),
        &numbers::count(sum.syn_retransmissions),
    )
}

fn unreadable(run: &Run, analysis: &Analysis<'_>) -> Vec<String> {
    let Some(clients) = analysis.headline(Metric::ResponseP50Us) else {
        return Vec::new();
    };
    analysis
        .level(clients)
        .filter_map(|cell| {
            let missing = match Distribution::of(cell) {
                Some(pooled) => pooled.unreadable,
                None if cell.is_generator_bound() => 0,
                None => cell.valid.len(),
            };
            (missing > 0).then(|| words::unreadable(title(run, cell.model), missing))
        })
        .collect()
}

fn floors(run: &Run, analysis: &Analysis<'_>) -> Table {
    let mut table = Table::new(
        words::FLOOR_CAPTION,
        3,
        &[
            words::CLIENTS,
            words::MODEL,
            words::METRIC,
            words::AGAIN,
            words::FLOOR,
        ],
    );
    table.columns[0].numeric = true;
    for floor in &analysis.floors {
        let metric = match floor.metric {
            Metric::GoodPerS => words::GOOD,
            _ => words::CPU,
        };
        table.push(vec![
            numbers::count(floor.clients).into(),
            title(run, floor.model).into(),
            metric.into(),
            numbers::times_with_interval(&floor.ratio).into(),
            numbers::times(floor.factor).into(),
        ]);
    }
    table
}

fn aside(run: &Run, aside: &[&SetAside<'_>]) -> Table {
    let mut table = Table::new(
        words::ASIDE_CAPTION,
        0,
        &[
            words::CLIENTS,
            words::MODEL,
            words::ROUND,
            words::CPU,
            words::GOOD,
            words::REASON,
        ],
    );
    for wordy in [1, 5] {
        table.columns[wordy].numeric = false;
    }
    for SetAside { trial, reason } in aside {
        let figure = |metric: Metric| -> Cell {
            let value = match &trial.outcome {
                Outcome::Measured(measured) => metric.of(measured),
                Outcome::Failed(_) => None,
            };
            value.map_or_else(
                || numbers::NONE.into(),
                |value| numbers::plain(value).into(),
            )
        };
        let model = title(run, &trial.model);
        table.push_struck(vec![
            numbers::count(trial.clients).into(),
            match trial.arm {
                Arm::Model => model.into(),
                Arm::Again => words::second_copy(model).into(),
            },
            // People count rounds from one.
            numbers::count(u64::from(trial.round) + 1).into(),
            figure(Metric::CpuUsPerRequest),
            figure(Metric::GoodPerS),
            why(reason).into(),
        ]);
    }
    table
}

fn why(reason: &Reason<'_>) -> String {
    match reason {
        Reason::Failed(why) => words::failed(why),
        Reason::FailedChecks(checks) => {
            let written: Vec<String> = checks
                .iter()
                .map(|(check, detail)| words::failed_check(check, detail))
                .collect();
            written.join("; ")
        }
        Reason::GeneratorBound => words::GENERATOR_BOUND.to_owned(),
        Reason::NothingAnswered => words::NOTHING_ANSWERED.to_owned(),
        Reason::NotPlanned => words::NOT_PLANNED.to_owned(),
    }
}
