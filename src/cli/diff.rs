//! `hola diff`: two runs side by side, and an exit code for what became worse.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, ValueEnum};

use super::{Arguments, Lang, REGRESSION};
use crate::analysis::difference::{self, Difference, Recorded, Selection};
use crate::claims::decide::Decision;
use crate::claims::{changes, of_run};
use crate::lab::record::{Design, Run, Trial};
use crate::lab::store;
use crate::output::print;
use crate::report::difference::Page;
use crate::visible;

/// Arguments of `diff`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola diff results/2026-11-21T101502Z-quick results/2026-11-22T093011Z-quick
  hola diff BASE CANDIDATE --all                         what stayed the same, too
  hola diff BASE CANDIDATE --experiments churn --figures cpu_us_per_request
  hola diff BASE CANDIDATE --format markdown --no-fail   for a comment on a change
  hola diff BASE CANDIDATE --format html > diff.html     for a browser
  hola diff BASE CANDIDATE --format json                 every cell, as data

A cell here is one figure of one model at one level. It is called worse only if its interval leaves out 1, the \
difference is beyond the noise floor of both runs, and a rank test agrees where the trials allow one.

Exit codes: 0 nothing became worse, 1 the runs cannot be compared, 2 usage, 99 something became worse.")]
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
    /// List cells that are the same as well; JSON always does
    #[arg(long)]
    all: bool,
    /// Compare only these experiments
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    experiments: Vec<String>,
    /// Compare only these figures, such as `cpu_us_per_request`
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    figures: Vec<String>,
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
    /// One page that asks nothing of the network
    Html,
    Json,
}

/// Compares and prints.
pub(super) fn run(args: &DiffArgs) -> Result<ExitCode> {
    let base = store::read(&args.base)?;
    let candidate = store::read(&args.candidate)?;
    require_known(args, [&base.0, &candidate.0]);
    let selection = Selection {
        experiments: args.experiments.clone(),
        figures: args.figures.clone(),
    };
    let difference = difference::between(recorded(&base), recorded(&candidate), &selection);
    require_common(&difference, &args.base, &args.candidate)?;
    let page = Page {
        difference: &difference,
        claims: &changes::between(&decisions(&base), &decisions(&candidate)),
        lists_all: args.all,
        language: args.lang.into(),
    };
    print(&match args.format {
        Format::Text => page.text(),
        Format::Markdown => page.markdown(),
        Format::Html => page.html(),
        Format::Json => page.json()?,
    })?;
    match difference.is_regression() && !args.no_fail {
        true => Ok(ExitCode::from(REGRESSION)),
        false => Ok(ExitCode::SUCCESS),
    }
}

fn decisions((run, trials): &(Run, Vec<Trial>)) -> Vec<Decision> {
    of_run::decisions(run, trials)
}

fn recorded((run, trials): &(Run, Vec<Trial>)) -> Recorded<'_> {
    Recorded { run, trials }
}

/// Ends the program if an experiment or a figure is asked for that neither run has: a name misspelt must not pass.
fn require_known(args: &DiffArgs, runs: [&Run; 2]) {
    let designs = || runs.into_iter().flat_map(|run| &run.experiments);
    let experiments: Vec<&str> = names(designs().map(|design| design.experiment.as_str()));
    let figures: Vec<&str> =
        names(designs().flat_map(|design: &Design| design.figures.iter().map(String::as_str)));
    for (what, asked, known) in [
        ("experiment", &args.experiments, experiments),
        ("figure", &args.figures, figures),
    ] {
        if let Some(unknown) = asked.iter().find(|one| !known.contains(&one.as_str())) {
            let message = format!(
                "neither run has the {what} '{unknown}'; there are: {}",
                known.join(", ")
            );
            let message = visible::one_line(&message);
            Arguments::command()
                .error(ErrorKind::InvalidValue, message)
                .exit();
        }
    }
}

/// Each name once, in the order they come.
fn names<'n>(all: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut names = Vec::new();
    for name in all {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Runs without a cell in common have no difference.
fn require_common(difference: &Difference<'_>, base: &Path, candidate: &Path) -> Result<()> {
    let is_comparable = !difference.changes.is_empty() || difference.is_regression();
    ensure!(
        is_comparable,
        "{} and {} have nothing in common that can be compared",
        base.display(),
        candidate.display()
    );
    Ok(())
}
