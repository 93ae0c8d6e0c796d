//! What speaks for and against the numbers.

use crate::analysis::Analysis;
use crate::analysis::bootstrap::{MIN_TRIALS, coverage_bound};
use crate::analysis::cells::{Cell as TrialCell, Reason, SetAside, Taken};
use crate::analysis::comparison::out_of_reach;
use crate::analysis::distribution::Distribution;
use crate::analysis::metric::Metric;
use crate::experiments::level_name;
use crate::lab::cgroup::Account;
use crate::lab::record::{Arm, KernelEvidence, Outcome, Run, Trial};
use crate::lab::repeat::STOLEN_MOST;
use crate::language::Language;

use super::answer::title;
use super::numbers;
use super::view::{Cell, Section, Table};
use super::words;

/// Trials that were made again because others of the host's guests had the CPU.
fn repeated(trials: &[Trial], language: Language) -> Option<String> {
    let repeated = trials.iter().filter(|trial| trial.attempts > 1).count();
    let is_disturbed = |trial: &&Trial| trial.stolen_share.is_some_and(|it| it > STOLEN_MOST);
    let disturbed = trials.iter().filter(is_disturbed).count();
    let most = numbers::percent(STOLEN_MOST, language);
    (repeated + disturbed > 0).then(|| words::repeated(repeated, disturbed, &most, language))
}

/// The validity section, over all experiments.
pub(super) fn validity(
    run: &Run,
    trials: &[Trial],
    analyses: &[Analysis<'_>],
    language: Language,
) -> Section {
    let mut aside: Vec<SetAside<'_>> = analyses.iter().flat_map(|one| one.aside.clone()).collect();
    aside.extend(foreign(run, trials));
    aside.sort_by_key(|aside| aside.trial.position);
    let mut section = Section {
        title: language.of(words::VALIDITY).to_owned(),
        paragraphs: vec![trials_made(analyses, &aside, language)],
        ..Section::default()
    };
    let paragraphs = &mut section.paragraphs;
    paragraphs.extend(ceiling(analyses, language));
    paragraphs.extend(generator_bound(analyses, language));
    paragraphs.extend(remarks(analyses, language));
    paragraphs.push(match run.environment.steal_share {
        Some(share) => words::steal(&numbers::percent(share, language), language),
        None => language.of(words::NO_STEAL).to_owned(),
    });
    paragraphs.extend(repeated(trials, language));
    paragraphs.push(kernel(analyses, language));
    paragraphs.extend(accounts(analyses, language));
    for analysis in analyses {
        paragraphs.extend(unreadable(run, analysis, language));
    }
    let without: Vec<&str> = analyses
        .iter()
        .filter(|analysis| analysis.floors.is_empty())
        .map(|analysis| analysis.design.experiment.as_str())
        .collect();
    if !without.is_empty() {
        paragraphs.push(words::no_floor(&without, language));
    }
    if without.len() < analyses.len() {
        section.tables.push(floors(run, analyses, language));
    }
    let unranked: Vec<&SetAside<'_>> = aside
        .iter()
        .filter(|aside| !matches!(aside.reason, Reason::GeneratorBound))
        .collect();
    if !unranked.is_empty() {
        section.tables.push(set_aside(run, &unranked, language));
    }
    if !run.skipped.is_empty() {
        section.tables.push(skipped(run, language));
    }
    section
}

/// Trials of experiments that were not planned.
fn foreign<'t>(run: &Run, trials: &'t [Trial]) -> impl Iterator<Item = SetAside<'t>> {
    let planned = |trial: &Trial| {
        run.experiments
            .iter()
            .any(|design| design.experiment == trial.experiment)
    };
    let foreign: Vec<&Trial> = trials.iter().filter(|trial| !planned(trial)).collect();
    foreign.into_iter().map(|trial| SetAside {
        trial,
        reason: Reason::NotPlanned,
    })
}

fn trials_made(analyses: &[Analysis<'_>], aside: &[SetAside<'_>], language: Language) -> String {
    let ranked = cells(analyses).map(TrialCell::ranked).sum();
    let (mut invalid, mut failed, mut foreign) = (0, 0, 0);
    for aside in aside {
        match aside.reason {
            Reason::FailedChecks(_) | Reason::NothingAnswered => invalid += 1,
            Reason::Failed(_) => failed += 1,
            Reason::NotPlanned => foreign += 1,
            Reason::GeneratorBound => {}
        }
    }
    words::trials_made(ranked, invalid, failed, foreign, language)
}

fn cells<'b, 'a: 'b>(analyses: &'b [Analysis<'a>]) -> impl Iterator<Item = &'b TrialCell<'a>> {
    analyses.iter().flat_map(|analysis| &analysis.cells)
}

fn generator_bound(analyses: &[Analysis<'_>], language: Language) -> Option<String> {
    let bound: usize = cells(analyses).map(|cell| cell.bound.len()).sum();
    (bound > 0).then(|| words::generator_bound(bound, language))
}

/// The highest rates that the generator sent in any ranked trial: with a connection for each request, and with more.
fn ceiling(analyses: &[Analysis<'_>], language: Language) -> Option<String> {
    let highest = |is_new: bool| {
        let wanted = |analysis: &Analysis<'_>, cell: &TrialCell<'_>| {
            let level = analysis.design.level(cell.level);
            level.is_some_and(|level| (level.requests_per_connection == Some(1)) == is_new)
        };
        let rates = analyses.iter().flat_map(|analysis| {
            let cells = analysis
                .cells
                .iter()
                .filter(move |cell| wanted(analysis, cell));
            cells.flat_map(|cell| cell.valid.iter().chain(&cell.bound))
        });
        rates
            .filter_map(|taken| Metric::GoodPerS.of(taken.measured))
            .reduce(f64::max)
    };
    let written = |rate: Option<f64>| rate.map(|rate| numbers::plain(rate, language));
    words::ceiling(written(highest(true)), written(highest(false)), language)
}

/// Warnings about the numbers of trials; with several experiments, each once with the names of those it is about.
fn remarks(analyses: &[Analysis<'_>], language: Language) -> Vec<String> {
    if let [analysis] = analyses {
        return too_few(analysis, language);
    }
    let mut remarks: Vec<(String, Vec<&str>)> = Vec::new();
    for analysis in analyses {
        let name = analysis.design.experiment.as_str();
        for remark in too_few(analysis, language) {
            match remarks.iter_mut().find(|(text, _)| *text == remark) {
                Some((_, names)) => names.push(name),
                None => remarks.push((remark, vec![name])),
            }
        }
    }
    remarks
        .iter()
        .map(|(text, names)| words::about(&names.join(", "), text))
        .collect()
}

fn too_few(analysis: &Analysis<'_>, language: Language) -> Vec<String> {
    let Some(fewest) = analysis.fewest_trials() else {
        return Vec::new();
    };
    let bound = numbers::percent(coverage_bound(fewest), language);
    let mut warnings = vec![words::coverage(
        fewest,
        &bound,
        fewest >= MIN_TRIALS,
        language,
    )];
    let family = || analysis.comparisons_in(analysis.lead());
    let out_of_reach = out_of_reach(family());
    if out_of_reach > 0 {
        warnings.push(words::p_out_of_reach(
            out_of_reach,
            family().count(),
            language,
        ));
    }
    warnings
}

fn kernel(analyses: &[Analysis<'_>], language: Language) -> String {
    let mut sum = KernelEvidence::default();
    for taken in cells(analyses).flat_map(|cell| cell.valid.iter().chain(&cell.bound)) {
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
        language,
    )
}

/// Who counted what ranked trials cost; nothing where no record says so.
fn accounts(analyses: &[Analysis<'_>], language: Language) -> Option<String> {
    let (mut by_cgroup, mut by_getrusage) = (0, 0);
    for taken in cells(analyses).flat_map(|cell| cell.valid.iter().chain(&cell.bound)) {
        let server = taken.measured.server.as_ref();
        match server.and_then(|server| server.accounted_by) {
            Some(Account::Cgroup) => by_cgroup += 1,
            Some(Account::Getrusage) => by_getrusage += 1,
            None => {}
        }
    }
    (by_cgroup + by_getrusage > 0).then(|| words::accounts(by_cgroup, by_getrusage, language))
}

fn unreadable(run: &Run, analysis: &Analysis<'_>, language: Language) -> Vec<String> {
    let Some(level) = analysis.headline(Metric::ResponseP50Us) else {
        return Vec::new();
    };
    analysis
        .level(level)
        .filter_map(|cell| {
            let missing = match Distribution::of(cell) {
                Some(pooled) => pooled.unreadable,
                None if cell.is_generator_bound() => 0,
                None => recorded(cell),
            };
            (missing > 0)
                .then(|| words::unreadable(title(run, cell.model, language), missing, language))
        })
        .collect()
}

/// Valid trials with a histogram, readable or not.
fn recorded(cell: &TrialCell<'_>) -> usize {
    let has_one = |taken: &&Taken<'_>| taken.measured.response_histogram.is_some();
    cell.valid.iter().filter(has_one).count()
}

fn floors(run: &Run, analyses: &[Analysis<'_>], language: Language) -> Table {
    let mut table = Table::new(
        language.of(words::FLOOR_CAPTION),
        4,
        &[
            language.of(words::EXPERIMENT),
            language.of(words::LEVEL),
            language.of(words::MODEL),
            language.of(words::METRIC),
            language.of(words::AGAIN),
            language.of(words::FLOOR),
        ],
    );
    for analysis in analyses {
        for floor in &analysis.floors {
            table.push(vec![
                analysis.design.experiment.as_str().into(),
                level_name(floor.level, language).into_owned().into(),
                title(run, floor.model, language).into(),
                words::metric(floor.metric, language).into(),
                numbers::times_with_interval(&floor.ratio, language).into(),
                numbers::times(floor.factor, language).into(),
            ]);
        }
    }
    table
}

fn set_aside(run: &Run, aside: &[&SetAside<'_>], language: Language) -> Table {
    let mut table = Table::new(
        language.of(words::ASIDE_CAPTION),
        3,
        &[
            language.of(words::EXPERIMENT),
            language.of(words::LEVEL),
            language.of(words::MODEL),
            language.of(words::ROUND),
            language.of(words::CPU),
            language.of(words::GOOD),
            language.of(words::REASON),
        ],
    );
    table.columns[6].numeric = false;
    for SetAside { trial, reason } in aside {
        let figure = |metric: Metric| -> Cell {
            let value = match &trial.outcome {
                Outcome::Measured(measured) => metric.of(measured),
                Outcome::Failed(_) => None,
            };
            value.map_or_else(
                || numbers::NONE.into(),
                |value| numbers::plain(value, language).into(),
            )
        };
        let model = title(run, &trial.model, language);
        table.push_struck(vec![
            trial.experiment.as_str().into(),
            level_name(&trial.level, language).into_owned().into(),
            match trial.arm {
                Arm::Model => model.into(),
                Arm::Again => words::second_copy(model, language).into(),
            },
            // People count rounds from one.
            numbers::count(u64::from(trial.round) + 1).into(),
            figure(Metric::CpuUsPerRequest),
            figure(Metric::GoodPerS),
            why(reason, language).into(),
        ]);
    }
    table
}

/// What was left out of the run, or of one of its experiments.
fn skipped(run: &Run, language: Language) -> Table {
    let columns = [words::MODEL, words::EXPERIMENT, words::WHY].map(|text| language.of(text));
    let mut table = Table::new(language.of(words::SKIPPED_CAPTION), columns.len(), &columns);
    for one in &run.skipped {
        let experiment = one.experiment.as_deref();
        table.push(vec![
            title(run, &one.model, language).into(),
            experiment
                .unwrap_or(language.of(words::EVERY_EXPERIMENT))
                .into(),
            one.reason.as_str().into(),
        ]);
    }
    table
}

fn why(reason: &Reason<'_>, language: Language) -> String {
    match reason {
        Reason::Failed(why) => words::failed(why, language),
        Reason::FailedChecks(checks) => {
            let written: Vec<String> = checks
                .iter()
                .map(|(check, detail)| words::failed_check(check, detail))
                .collect();
            written.join("; ")
        }
        Reason::GeneratorBound => language.of(words::GENERATOR_BOUND).to_owned(),
        Reason::NothingAnswered => language.of(words::NOTHING_ANSWERED).to_owned(),
        Reason::NotPlanned => language.of(words::NOT_PLANNED).to_owned(),
    }
}
