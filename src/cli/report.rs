//! `hola report`: the reports again, from stored data; nothing is measured.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::compare::write_reports;
use crate::lab::store;
use crate::report;

/// Arguments of `report`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola report results/2026-11-21T101502Z-quick
  hola report results/2026-11-21T101502Z-quick --format markdown")]
pub(super) struct ReportArgs {
    /// Folder of a run
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print one format on stdout instead of writing all of them into the folder
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Html,
    Markdown,
    Csv,
    /// The answer table alone, as the README shows it
    Table,
}

/// Writes or prints the reports.
pub(super) fn run(args: &ReportArgs) -> Result<ExitCode> {
    let Some(format) = args.format else {
        write_reports(&args.folder)?;
        println!("report: {}", args.folder.join("report.html").display());
        return Ok(ExitCode::SUCCESS);
    };
    let (run, trials) = store::read(&args.folder)?;
    match format {
        Format::Html => print!("{}", report::html(&run, &trials)),
        Format::Markdown => print!("{}", report::markdown(&run, &trials)),
        Format::Csv => print!("{}", report::csv(&run, &trials)),
        Format::Table => print!("{}", report::readme_table(&run, &trials)),
    }
    Ok(ExitCode::SUCCESS)
}
