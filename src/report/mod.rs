//! Reports, rebuilt from what a run recorded: the same records give the same bytes.
//!
//! `view` holds a report free of any format, with every number already written by `numbers` and every sentence by
//! `words`; `markdown`, `html` and `csv` only lay it out.
mod answer;
mod charts;
mod csv;
mod evidence;
mod html;
mod markdown;
mod method;
pub mod numbers;
mod pictures;
mod tables;
pub mod view;
mod words;

use crate::analysis::Analysis;
use crate::lab::record::{Run, SCHEMA_VERSION, Trial};

use view::Report;

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
    let analysis = Analysis::new(run, trials);
    let answer = answer::sentences(run, &analysis).join(" ");
    let mut blocks = vec![markdown::escape(&answer)];
    blocks.extend(tables::compact(run, &analysis).map(|table| markdown::table(&table)));
    let source = words::readme_source(&run.name, &method::version(run));
    blocks.push(format!("*{}*", markdown::escape(&source)));
    blocks.join("\n\n") + "\n"
}

/// Everything a report shows, free of any format.
pub fn report(run: &Run, trials: &[Trial]) -> Report {
    let analysis = Analysis::new(run, trials);
    Report {
        title: words::title(run),
        question: run.design.question.clone(),
        warnings: warnings(run, trials),
        answer: answer::sentences(run, &analysis),
        headline: tables::headline(run, &analysis),
        charts: pictures::charts(run, &analysis),
        levels: tables::levels(run, &analysis),
        validity: evidence::validity(run, &analysis),
        reading: method::reading(trials),
        method: method::method(run, trials),
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
