//! Reports, rebuilt from what a run recorded: the same records give the same bytes.
//!
//! `view` holds a report free of any format, with every number already written by `numbers` and every sentence by
//! `words`; `markdown`, `html`, `csv` and `plain` only lay it out.
mod answer;
mod charts;
mod csv;
pub mod difference;
mod evidence;
mod html;
mod markdown;
mod method;
pub mod numbers;
mod pictures;
mod plain;
mod tables;
mod verdicts;
pub mod view;
mod words;

use crate::analysis::{self, Analysis};
use crate::claims::of_run;
use crate::lab::record::{Run, SCHEMA_VERSION, Trial};

use view::{Part, Report};

/// The report as Markdown: `report.md`.
pub fn markdown(run: &Run, trials: &[Trial]) -> String {
    markdown::page(&report(run, trials))
}

/// The report as one self-contained HTML page without scripts: `report.html`.
pub fn html(run: &Run, trials: &[Trial]) -> String {
    html::page(&report(run, trials))
}

/// Every trial as a row of CSV, figures in full precision: `trials.csv`.
pub fn csv(run: &Run, trials: &[Trial]) -> String {
    csv::rows(run, trials)
}

/// The answer and its table in Markdown, naming the results folder and the commit: what README shows.
pub fn readme_table(run: &Run, trials: &[Trial]) -> String {
    let mut blocks = Vec::new();
    // The first experiment is the one the project is about.
    if let Some(analysis) = analysis::of_run(run, trials).first() {
        let answer = answer::sentences(run, analysis).join(" ");
        blocks.push(markdown::escape(&answer));
        blocks.extend(tables::compact(run, analysis).map(|table| markdown::table(&table)));
    }
    let source = words::readme_source(&run.name, &method::version(run));
    blocks.push(format!("*{}*", markdown::escape(&source)));
    blocks.join("\n\n") + "\n"
}

/// Everything a report shows, free of any format.
pub fn report(run: &Run, trials: &[Trial]) -> Report {
    let analyses = analysis::of_run(run, trials);
    let first = analyses.first();
    Report {
        title: words::title(run),
        question: words::question(run),
        warnings: warnings(run, trials),
        answer: first.map_or_else(
            || vec![words::NOTHING_RANKED.to_owned()],
            |first| answer::sentences(run, first),
        ),
        verdicts: verdicts::verdicts(&of_run::decisions_of(run, &analyses)),
        experiments: analyses
            .iter()
            .enumerate()
            .map(|(place, one)| part(run, one, place))
            .collect(),
        validity: evidence::validity(run, trials, &analyses),
        reading: method::reading(run),
        method: method::method(run),
    }
}

fn part(run: &Run, analysis: &Analysis<'_>, place: usize) -> Part {
    let design = analysis.design;
    Part {
        name: design.experiment.clone(),
        question: design.question.en.clone(),
        answer: match place {
            0 => Vec::new(),
            _ => answer::sentences(run, analysis),
        },
        headline: tables::headline(run, analysis),
        charts: pictures::charts(run, analysis),
        levels: tables::levels(run, analysis),
        turning_points: verdicts::turning_points(run, analysis),
        changes_mind: words::changes_mind(&design.changes_mind.en),
    }
}

fn warnings(run: &Run, trials: &[Trial]) -> Vec<String> {
    let mut warnings = Vec::new();
    if run.schema_version > SCHEMA_VERSION {
        warnings.push(words::newer_schema(run.schema_version, SCHEMA_VERSION));
    }
    warnings.extend(words::status_warning(run.status, trials.len()));
    if run.environment.build == "debug" {
        warnings.push(words::DEBUG_BUILD.to_owned());
    }
    if run.environment.dirty == Some(true) {
        warnings.push(words::DIRTY_BUILD.to_owned());
    }
    warnings
}
