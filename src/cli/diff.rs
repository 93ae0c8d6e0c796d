//! `hola diff`: compares two runs; its exit code tells whether something became worse.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, ValueEnum};
use hola_base::output::print;
use hola_lab::metric::Metric;
use hola_lab::record::{Block, Run};
use hola_lab::store;
use hola_report::difference::{self, ComparedRuns};
use hola_verdict::difference::{ChangeVerdict, Difference, RecordedRun, Selection};

use super::{Arguments, Lang, REGRESSION};

/// Arguments of `diff`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola diff results/2026-11-21T101502Z-quick results/2026-11-22T093011Z-quick
  hola diff BASE CANDIDATE --experiments equal-load --metrics cpu_us_per_request
  hola diff BASE CANDIDATE --format markdown --no-fail   for a comment on a change
  hola diff BASE CANDIDATE --format json                 every cell, as data

A cell is one metric of one participant at one level. A change that all participants of a level
share is subtracted from each cell and printed once. A cell is worse only if the rest of its
change is significant after the correction for multiple comparisons, and its interval is not
entirely within the metric's margin.

Exit codes: 0 nothing became worse, 1 the runs cannot be read, or have nothing in common, 2 usage,
99 something became worse.")]
pub(super) struct DiffArgs {
    /// Folder of the run to compare with
    #[arg(value_name = "BASE")]
    base: PathBuf,
    /// Folder of the run to judge
    #[arg(value_name = "CANDIDATE")]
    candidate: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Compare only these experiments
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    experiments: Vec<String>,
    /// Compare only these metrics, such as `cpu_us_per_request`
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = metric_named)]
    metrics: Vec<Metric>,
    /// Language of what is printed; JSON has none
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// Exit with 0 even if something became worse
    #[arg(long)]
    no_fail: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
}

fn metric_named(name: &str) -> Result<Metric, String> {
    Metric::named(name).ok_or_else(|| {
        let names: Vec<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        format!("no such metric; there are {}", names.join(", "))
    })
}

/// Compares and prints.
pub(super) fn run(args: &DiffArgs) -> Result<ExitCode> {
    let base = store::read(&args.base)?;
    let candidate = store::read(&args.candidate)?;
    require_known(args, [&base.0, &candidate.0]);
    let selection = Selection {
        experiments: args.experiments.clone(),
        metrics: args.metrics.clone(),
    };
    let difference = Difference::new(recorded(&base), recorded(&candidate), &selection);
    ensure!(
        !difference.cells.is_empty(),
        "{} and {} have nothing in common that can be compared",
        args.base.display(),
        args.candidate.display()
    );
    let sides = ComparedRuns {
        base: &base.0,
        candidate: &candidate.0,
    };
    print(match args.format {
        Format::Text => difference::text(&difference, sides, args.lang.into()),
        Format::Markdown => difference::markdown(&difference, sides, args.lang.into()),
        Format::Json => difference::json(&difference, sides),
    })?;
    let is_worse = difference.count(ChangeVerdict::Worse) > 0;
    Ok(match is_worse && !args.no_fail {
        true => ExitCode::from(REGRESSION),
        false => ExitCode::SUCCESS,
    })
}

fn recorded((run, blocks): &(Run, Vec<Block>)) -> RecordedRun<'_> {
    RecordedRun { run, blocks }
}

/// Exits with a usage error if neither run has a named experiment: a misspelt name must not go unnoticed.
fn require_known(args: &DiffArgs, runs: [&Run; 2]) {
    let mut known: Vec<&str> = Vec::new();
    for design in runs.into_iter().flat_map(|run| &run.designs) {
        if !known.contains(&design.experiment.as_str()) {
            known.push(&design.experiment);
        }
    }
    if let Some(unknown) = args
        .experiments
        .iter()
        .find(|one| !known.contains(&one.as_str()))
    {
        let message = format!(
            "neither run has the experiment '{unknown}'; there are: {}",
            known.join(", ")
        );
        Arguments::command()
            .error(ErrorKind::InvalidValue, message)
            .exit();
    }
}
