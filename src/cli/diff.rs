//! `hola diff`: compares two runs, or two servers of one run; its exit code tells whether something is worse.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, ValueEnum};
use hola_base::output::print;
use hola_lab::metric::Metric;
use hola_lab::record::{Block, Run};
use hola_lab::store;
use hola_report::difference::{self, ComparedSides};
use hola_verdict::difference::{Difference, RecordedRun, Selection};

use super::{Arguments, Lang, REGRESSION};

/// Arguments of `diff`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola diff results/2026-11-21T101502Z-quick results/2026-11-22T093011Z-quick
  hola diff BASE CANDIDATE --experiments equal-load --metrics cpu_us_per_request
  hola diff BASE CANDIDATE --format markdown --no-fail   for a comment on a change
  hola diff BASE CANDIDATE --format json                 every cell, as data
  hola diff RUN --servers old,new --metrics cpu_us_per_request

A cell is one metric of one participant at one level. A change that all participants of a level
share is subtracted from each cell and printed once. A cell is worse only if the rest of its
change is significant after the correction for multiple comparisons, and its interval is not
entirely within the metric's margin. Two servers of one run met every load in the same blocks, so
nothing is subtracted there, and smaller changes are seen than between two runs.

Exit codes: 0 nothing is worse, 1 the runs cannot be read, or have nothing in common, 2 usage,
99 something is worse.")]
pub(super) struct DiffArgs {
    /// Folder of the run to compare with
    #[arg(value_name = "BASE")]
    base: PathBuf,
    /// Folder of the run to judge
    #[arg(
        value_name = "CANDIDATE",
        required_unless_present = "servers",
        conflicts_with = "servers"
    )]
    candidate: Option<PathBuf>,
    /// Two servers of the run to compare instead of two runs: the one to compare with, and the one to judge
    #[arg(long, value_name = "BASE,CANDIDATE", value_parser = server_pair)]
    servers: Option<(String, String)>,
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
    /// Exit with 0 even if something is worse
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

fn server_pair(text: &str) -> Result<(String, String), &'static str> {
    let pair = text.split_once(',');
    let pair = pair.filter(|(base, candidate)| !base.is_empty() && !candidate.is_empty());
    let (base, candidate) = pair.ok_or("write two names with a comma, such as epoll,tokio")?;
    Ok((base.into(), candidate.into()))
}

/// Compares and prints.
pub(super) fn run(args: &DiffArgs) -> Result<ExitCode> {
    let base = store::read(&args.base)?;
    let selection = Selection {
        experiments: args.experiments.clone(),
        metrics: args.metrics.clone(),
    };
    match (&args.candidate, &args.servers) {
        (Some(candidate), _) => {
            let candidate = store::read(candidate)?;
            require_experiments(args, &[&base.0, &candidate.0]);
            let difference = Difference::new(recorded(&base), recorded(&candidate), &selection);
            report(args, &difference, &base.0.name, &candidate.0.name)
        }
        (None, Some((server, candidate))) => {
            require_experiments(args, &[&base.0]);
            require_servers(&base.0, &[server, candidate]);
            let recorded = recorded(&base);
            let difference = Difference::between_servers(recorded, server, candidate, &selection);
            report(args, &difference, server, candidate)
        }
        (None, None) => unreachable!("clap requires one of them"),
    }
}

fn report(
    args: &DiffArgs,
    difference: &Difference,
    base: &str,
    candidate: &str,
) -> Result<ExitCode> {
    ensure!(
        !difference.cells.is_empty(),
        "{base} and {candidate} have nothing in common that can be compared"
    );
    let sides = ComparedSides { base, candidate };
    print(match args.format {
        Format::Text => difference::text(difference, sides, args.lang.into()),
        Format::Markdown => difference::markdown(difference, sides, args.lang.into()),
        Format::Json => difference::json(difference, sides),
    })?;
    let is_worse = difference.count_worse() > 0;
    Ok(match is_worse && !args.no_fail {
        true => ExitCode::from(REGRESSION),
        false => ExitCode::SUCCESS,
    })
}

fn recorded((run, blocks): &(Run, Vec<Block>)) -> RecordedRun<'_> {
    RecordedRun { run, blocks }
}

/// Exits with a usage error if no run has a named experiment: a misspelt name must not go unnoticed.
fn require_experiments(args: &DiffArgs, runs: &[&Run]) {
    let designs = runs.iter().flat_map(|run| &run.designs);
    let known: BTreeSet<&str> = designs.map(|design| design.experiment.as_str()).collect();
    require_known("experiment", &args.experiments, &known);
}

/// Exits with a usage error if the run lacks a named server.
fn require_servers(run: &Run, names: &[&String]) {
    let stages = run.designs.iter().flat_map(|design| &design.stages);
    let participants = stages.flat_map(|stage| &stage.participants);
    let known: BTreeSet<&str> = participants.map(|one| one.name.as_str()).collect();
    require_known("server", names.iter().copied(), &known);
}

fn require_known<'n>(
    kind: &str,
    names: impl IntoIterator<Item = &'n String>,
    known: &BTreeSet<&str>,
) {
    let mut names = names.into_iter();
    if let Some(unknown) = names.find(|name| !known.contains(name.as_str())) {
        let known: Vec<&str> = known.iter().copied().collect();
        let known = known.join(", ");
        let message = format!("no {kind} '{unknown}' was measured; there are: {known}");
        Arguments::command()
            .error(ErrorKind::InvalidValue, message)
            .exit();
    }
}
