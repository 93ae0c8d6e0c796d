//! `hola report`: the reports again, from stored data; nothing is measured.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::Lang;
use super::compare::write_reports;
use crate::lab::store;
use crate::language::Language;
use crate::output::print;
use crate::report::{Reports, exports};

/// Arguments of `report`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola report results/2026-11-21T101502Z-quick
  hola report results/2026-11-21T101502Z-quick --format markdown
  hola report results/2026-11-21T101502Z-quick --format table --lang es
  hola report results/2026-11-21T101502Z-quick --format cells > cells.csv
  hola report results/2026-11-21T101502Z-quick --format hyperfine > costs.json")]
pub(super) struct ReportArgs {
    /// Folder of a run
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print one format on stdout instead of writing all of them into the folder
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Language of what is printed; the folder gets all of them
    #[arg(long, value_enum, default_value_t = Lang::En, requires = "format")]
    lang: Lang,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The page, in both languages
    Html,
    /// The whole report
    Markdown,
    /// A row for each trial
    Csv,
    /// A row per level, model and compared figure of every experiment, as CSV
    Cells,
    /// CPU time per request in the shape of hyperfine's JSON export
    Hyperfine,
    /// CPU time per request as github-action-benchmark's customSmallerIsBetter takes it
    GithubActionBenchmark,
    /// The answer table alone, as the README shows it
    Table,
}

/// Writes or prints the reports.
pub(super) fn run(args: &ReportArgs) -> Result<ExitCode> {
    let Some(format) = args.format else {
        write_reports(&args.folder)?;
        let page = args.folder.join("report.html");
        print(&format!("report: {}\n", page.display()))?;
        return Ok(ExitCode::SUCCESS);
    };
    let (run, trials) = store::read(&args.folder)?;
    let reports = Reports::of(&run, &trials);
    let language = Language::from(args.lang);
    print(&match format {
        Format::Html => reports.html(),
        Format::Markdown => reports.markdown(language),
        Format::Csv => reports.csv(),
        Format::Cells => exports::cells(&run, &trials),
        Format::Hyperfine => exports::hyperfine(&run, &trials),
        Format::GithubActionBenchmark => exports::github_action(&run, &trials),
        Format::Table => reports.readme_table(language),
    })?;
    Ok(ExitCode::SUCCESS)
}
