//! The compared figures of an experiment as CSV in long form: a row per level, model and figure, in full precision.

use crate::analysis::Analysis;
use crate::analysis::bootstrap::Estimate;
use crate::analysis::cells::Cell;
use crate::analysis::comparison::Verdict;
use crate::analysis::metric::Metric;
use crate::analysis::standing::Standing;
use crate::lab::record::{Arm, Run};
use crate::report::csv::line;

/// What the columns mean stands in `results/README.md`.
const COLUMNS: [&str; 22] = [
    "run",
    "experiment",
    "level",
    "model",
    "control",
    "figure",
    "smaller_is_better",
    "trials_made",
    "trials_ranked",
    "median",
    "median_low",
    "median_high",
    "at_least",
    "ratio",
    "ratio_low",
    "ratio_high",
    "shift",
    "cliffs_delta",
    "p",
    "p_holm",
    "noise_floor",
    "verdict",
];

/// The names of the columns.
pub(super) fn header() -> String {
    line(COLUMNS.map(str::to_owned))
}

/// A row per level, model and figure; what a cell has not is empty.
pub(super) fn rows(run: &Run, analysis: &Analysis<'_>) -> String {
    let models = analysis.cells.iter().filter(|cell| cell.arm == Arm::Model);
    let row = |cell| {
        let row = move |&metric| line(fields(run, analysis, cell, metric));
        analysis.metrics.iter().map(row)
    };
    models.flat_map(row).collect()
}

fn fields(
    run: &Run,
    analysis: &Analysis<'_>,
    cell: &Cell<'_>,
    metric: Metric,
) -> [String; COLUMNS.len()] {
    let design = analysis.design;
    let [median, median_low, median_high] = estimate(cell.estimate(metric, analysis.seed));
    let compared = analysis.comparison(cell.model, cell.level, metric);
    let [ratio, ratio_low, ratio_high] = estimate(compared.map(|one| one.ratio));
    [
        run.name.clone(),
        design.experiment.clone(),
        cell.level.to_owned(),
        cell.model.to_owned(),
        design.control.clone(),
        metric.name().to_owned(),
        metric.smaller_is_better().to_string(),
        cell.made().to_string(),
        cell.observations(metric).len().to_string(),
        median,
        median_low,
        median_high,
        cell.is_censored(metric).to_string(),
        ratio,
        ratio_low,
        ratio_high,
        figure(compared.map(|one| one.shift)),
        figure(compared.map(|one| one.delta)),
        figure(compared.map(|one| one.p)),
        figure(compared.map(|one| one.p_holm)),
        figure(analysis.floor(cell.level, metric)),
        word(analysis.standing(cell, metric)).to_owned(),
    ]
}

/// A figure and the ends of its interval.
fn estimate(estimate: Option<Estimate>) -> [String; 3] {
    let interval = estimate.and_then(|one| one.interval);
    [
        estimate.map(|one| one.value),
        interval.map(|ends| ends.low),
        interval.map(|ends| ends.high),
    ]
    .map(figure)
}

/// As many digits as it takes to read the same number back.
fn figure(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// The word for a verdict: one of ten, whatever the figure.
pub(super) fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Compared(Verdict::Less) => "less",
        Standing::Compared(Verdict::More) => "more",
        Standing::Compared(Verdict::Tie) => "tie",
        Standing::Compared(Verdict::TooFew) => "too_few",
        Standing::Control => "control",
        Standing::NoControl => "no_control",
        Standing::NoRatio => "no_ratio",
        Standing::NoFigure => "no_figure",
        Standing::NotRanked => "not_ranked",
        Standing::NotMeasured => "not_measured",
    }
}
