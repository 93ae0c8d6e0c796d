//! From the records of a run to the evidence it gives, and to a decision on every claim.

use crate::analysis::cells::{self, Reason, SetAside};
use crate::analysis::comparison::noise_floors;
use crate::analysis::metric::Metric;
use crate::analysis::{self, Analysis};
use crate::lab::record::{Arm, Run, Trial};

use super::decide::{Decision, decide};
use super::evidence::{Cell, Evidence, Gap};
use super::names::FIGURES;

/// What [`idle`](crate::lab::procedures::idle) says when the climb ended before the server did.
const LIMITS_OF_THE_HOST: &[&str] = &["this host's", "time:", "none:"];

/// Decides every claim by what a run measured.
pub fn decisions(run: &Run, trials: &[Trial]) -> Vec<Decision> {
    decisions_of(run, &analysis::of_run(run, trials))
}

/// The same, of a run that is analysed already.
pub fn decisions_of(run: &Run, analyses: &[Analysis<'_>]) -> Vec<Decision> {
    let evidence = evidence(run, analyses);
    super::all().map(|claim| decide(claim, &evidence)).collect()
}

/// What a run's analysed experiments say of the figures that rules name.
pub fn evidence(run: &Run, analyses: &[Analysis<'_>]) -> Evidence {
    let mut evidence = Evidence::new(run.seed);
    for skipped in run.skipped.iter().filter(|one| one.experiment.is_none()) {
        evidence.skipped(&skipped.model, &skipped.reason);
    }
    for analysis in analyses {
        enter(run, analysis, &mut evidence);
    }
    evidence
}

fn enter(run: &Run, analysis: &Analysis<'_>, evidence: &mut Evidence) {
    let design = analysis.design;
    let levels: Vec<&str> = design.levels.iter().map(|one| one.name.as_str()).collect();
    let models: Vec<&str> = design.models.iter().map(String::as_str).collect();
    evidence.plan(&design.experiment, &levels, &models);
    let metrics: Vec<Metric> = FIGURES
        .iter()
        .filter_map(|figure| Metric::named(figure.name))
        .collect();
    for cell in analysis.cells.iter().filter(|cell| cell.arm == Arm::Model) {
        for &metric in &metrics {
            enter_figure(analysis, cell, metric, evidence);
        }
    }
    for (level, model) in left_out(analysis) {
        let why = reason_left_out(run, &design.experiment, model);
        for metric in &metrics {
            let gap = Gap::Skipped(model.to_owned(), why.to_owned());
            let cell = Cell::new(&design.experiment, level, model);
            evidence.missing(cell, metric.name(), gap);
        }
    }
    for floor in noise_floors(&analysis.cells, &metrics, analysis.seed) {
        let figure = floor.metric.name();
        evidence.floor(&design.experiment, floor.level, figure, floor.factor);
    }
}

fn enter_figure(
    analysis: &Analysis<'_>,
    cell: &cells::Cell<'_>,
    metric: Metric,
    evidence: &mut Evidence,
) {
    let place = Cell::new(&analysis.design.experiment, cell.level, cell.model);
    let observations = cell.observations(metric);
    if observations.is_empty() {
        if let Some(gap) = gap(analysis, cell, metric) {
            evidence.missing(place, metric.name(), gap);
        }
        return;
    }
    if cell.is_censored(metric) || (metric.name() == "clients_most" && ended_by_host(cell)) {
        evidence.lower_bound(place.clone(), metric.name());
    }
    evidence.observe(place, metric.name(), observations);
}

/// Why a cell has no value of a figure; `None` where nothing speaks against its trials, which then are too few.
fn gap(analysis: &Analysis<'_>, cell: &cells::Cell<'_>, metric: Metric) -> Option<Gap> {
    if cell.is_paced(metric) && cell.is_generator_bound() {
        return Some(Gap::GeneratorBound);
    }
    let of_cell = |aside: &&SetAside<'_>| {
        aside.trial.model == cell.model
            && aside.trial.level == cell.level
            && aside.trial.arm == Arm::Model
    };
    let first = analysis.aside.iter().find(of_cell)?;
    Some(match &first.reason {
        Reason::GeneratorBound => Gap::GeneratorBound,
        Reason::Failed(why) => Gap::NoRankedTrial((*why).to_owned()),
        Reason::FailedChecks(checks) => {
            let (check, detail) = checks.first()?;
            Gap::NoRankedTrial(format!("{check}: {detail}"))
        }
        Reason::NothingAnswered => Gap::NoRankedTrial("nothing was answered".into()),
        Reason::NotPlanned => return None,
    })
}

/// Whether the clients that a cell held were bounded by the host and not by the server: then they are "at least".
fn ended_by_host(cell: &cells::Cell<'_>) -> bool {
    let limits = cell
        .valid
        .iter()
        .filter_map(|taken| taken.measured.remarks.get("limit"));
    limits.into_iter().any(|limit| {
        LIMITS_OF_THE_HOST
            .iter()
            .any(|start| limit.starts_with(start))
    })
}

/// Models of the experiment that are not measured at a level of it.
fn left_out<'a>(analysis: &Analysis<'a>) -> Vec<(&'a str, &'a str)> {
    let design = analysis.design;
    let mut pairs = Vec::new();
    for level in &design.levels {
        let measured: Vec<&str> = design.models_at(level).collect();
        for model in &design.models {
            if !measured.contains(&model.as_str()) {
                pairs.push((level.name.as_str(), model.as_str()));
            }
        }
    }
    pairs
}

fn reason_left_out<'r>(run: &'r Run, experiment: &str, model: &str) -> &'r str {
    let skipped = run
        .skipped
        .iter()
        .find(|one| one.model == model && one.experiment.as_deref() == Some(experiment));
    skipped.map_or("it does not take part at this level", |one| &one.reason)
}
