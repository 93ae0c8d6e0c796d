//! Data beside the report, for the tools that others wrote: compared figures as CSV, response times as interval logs,
//! costs in the shapes of two benchmark tools.
//!
//! A file is a function of `run.json` and `trials.jsonl`, like the report itself, and its name one of names that nothing
//! else in a run's folder has.

mod cells;
mod github_action;
mod histogram_log;
mod hyperfine;
mod names;

use crate::analysis::cells::Cell;
use crate::analysis::metric::Metric;
use crate::analysis::{self, Analysis};
use crate::lab::record::{Arm, Run, Trial};
use crate::visible;

use names::{Paths, is_safe, safe};

/// Folders of a run that hold nothing but exports.
pub const FOLDERS: [&str; 3] = ["csv", "hlog", "exports"];

const HYPERFINE: &str = "hyperfine.json";
const GITHUB_ACTION: &str = "github-action-benchmark.json";

/// The figure that the benchmark tools are told.
const COST: Metric = Metric::CpuUsPerRequest;

/// A file to be written.
#[derive(Clone, Debug)]
pub struct Export {
    /// Where, below the run's folder: lower-case letters, digits and `-`, with one ending.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// Every export of a run; those that would hold nothing are not there.
pub fn of_run(run: &Run, trials: &[Trial]) -> Vec<Export> {
    of_analyses(run, &analysis::of_run(run, trials))
}

/// The same of what has been analysed.
pub(super) fn of_analyses(run: &Run, analyses: &[Analysis<'_>]) -> Vec<Export> {
    let mut paths = Paths::default();
    let mut exports = Vec::new();
    for analysis in analyses {
        let stem = format!("csv/{}", safe(&analysis.design.experiment));
        exports.push(Export {
            path: paths.claim(&stem, "csv"),
            text: cells::header() + &cells::rows(run, analysis),
        });
    }
    for (analysis, cell) in models(analyses) {
        let Some(text) = histogram_log::text(run, analysis, cell) else {
            continue;
        };
        let [experiment, level, model] = place(analysis, cell).map(safe);
        let stem = format!("hlog/{experiment}/{level}--{model}");
        exports.push(Export {
            path: paths.claim(&stem, "hlog"),
            text,
        });
    }
    if costs(analyses).next().is_some() {
        for (name, text) in [
            (HYPERFINE, hyperfine::json(analyses)),
            (GITHUB_ACTION, github_action::json(run, analyses)),
        ] {
            let path = format!("exports/{name}");
            exports.push(Export { path, text });
        }
    }
    exports
}

/// Every cell and figure of all experiments, as `csv/` holds them one experiment at a time.
pub fn cells(run: &Run, trials: &[Trial]) -> String {
    let analyses = analysis::of_run(run, trials);
    let rows = analyses.iter().map(|analysis| cells::rows(run, analysis));
    cells::header() + &rows.collect::<String>()
}

/// Costs as hyperfine exports times: `exports/hyperfine.json`.
pub fn hyperfine(run: &Run, trials: &[Trial]) -> String {
    hyperfine::json(&analysis::of_run(run, trials))
}

/// Costs as github-action-benchmark takes them: `exports/github-action-benchmark.json`.
pub fn github_action(run: &Run, trials: &[Trial]) -> String {
    github_action::json(run, &analysis::of_run(run, trials))
}

/// Whether a path below a run's folder is one that an export can have, of this run or of another.
pub fn is_export(path: &str) -> bool {
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["csv", file] => file.strip_suffix(".csv").is_some_and(is_safe),
        ["hlog", experiment, file] => {
            let stem = file.strip_suffix(".hlog");
            let parts = stem.and_then(|stem| stem.split_once("--"));
            is_safe(experiment)
                && parts.is_some_and(|(level, model)| is_safe(level) && is_safe(model))
        }
        ["exports", file] => [HYPERFINE, GITHUB_ACTION].contains(file),
        _ => false,
    }
}

/// Every cell with its analysis; second copies are for the noise floor alone.
fn models<'b, 'a>(
    analyses: &'b [Analysis<'a>],
) -> impl Iterator<Item = (&'b Analysis<'a>, &'b Cell<'a>)> {
    analyses.iter().flat_map(|analysis| {
        let cells = analysis.cells.iter();
        cells
            .filter(|cell| cell.arm == Arm::Model)
            .map(move |cell| (analysis, cell))
    })
}

/// The cells with a cost, of experiments that compare it.
fn costs<'b, 'a>(
    analyses: &'b [Analysis<'a>],
) -> impl Iterator<Item = (&'b Analysis<'a>, &'b Cell<'a>)> {
    models(analyses)
        .filter(|(analysis, cell)| analysis.metrics.contains(&COST) && cell.median(COST).is_some())
}

/// Experiment, level and model of a cell.
fn place<'a>(analysis: &Analysis<'a>, cell: &Cell<'a>) -> [&'a str; 3] {
    [&analysis.design.experiment, cell.level, cell.model]
}

/// JSON as the other files of a run have it.
fn pretty(data: &impl serde::Serialize) -> String {
    let json = serde_json::to_string_pretty(data);
    let json =
        json.unwrap_or_else(|error| unreachable!("figures and texts are always JSON: {error}"));
    visible::json(&json).into_owned() + "\n"
}
