//! `hola report`: writes the reports again from stored records; it measures nothing.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use hola_base::output::print;
use hola_lab::store;
use hola_verdict::RULES_VERSION;

use super::Lang;
use super::compare::write_reports;

/// Arguments of `report`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola report results/2026-11-21T101502Z-quick
  hola report results/2026-11-21T101502Z-quick --summary --lang es
  hola report results/2026-11-21T101502Z-quick --format markdown
  hola report results/2026-11-21T101502Z-quick --format cells > cells.csv

Nothing is measured again. A run stores the version of the rules that applied when it was made; a
program with other rules says so, in its messages and in the reports.

Exit codes: 0 ok, 1 the run cannot be read or a report not be written, 2 usage.")]
pub(super) struct ReportArgs {
    /// Folder of a run
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print one format instead of writing all of them into the folder
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Print the first screen of the report as text
    #[arg(long, conflicts_with = "format")]
    summary: bool,
    /// Language of what is printed; the folder gets both
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The page, in both languages
    Html,
    /// The report in one language
    Markdown,
    /// Every estimate: a row per experiment, level, participant and metric, as CSV
    Cells,
    /// Every slice and every procedure: a row each, as CSV
    Blocks,
}

/// Writes or prints the reports.
pub(super) fn run(args: &ReportArgs) -> Result<ExitCode> {
    let (run, blocks) = store::read(&args.folder)?;
    if run.rules_version != RULES_VERSION {
        hola_base::output::say(format_args!(
            "this run was made under version {} of the rules, and this program judges by version {RULES_VERSION}: measure \
             again before you compare verdicts",
            run.rules_version
        ));
    }
    if args.summary {
        print(hola_report::summary(&run, &blocks, args.lang.into()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(format) = args.format else {
        write_reports(&args.folder, &run, &blocks)?;
        print(format!(
            "report: {}\n",
            args.folder.join("report.html").display()
        ))?;
        return Ok(ExitCode::SUCCESS);
    };
    let name = match (format, args.lang) {
        (Format::Html, _) => "report.html",
        (Format::Markdown, Lang::En) => "report.md",
        (Format::Markdown, Lang::Es) => "report.es.md",
        (Format::Cells, _) => "cells.csv",
        (Format::Blocks, _) => "blocks.csv",
    };
    let files = hola_report::files(&run, &blocks);
    let file = files.into_iter().find(|(file, _)| file == name);
    let (_, text) = file.with_context(|| format!("this run has no {name}"))?;
    print(text)?;
    Ok(ExitCode::SUCCESS)
}
