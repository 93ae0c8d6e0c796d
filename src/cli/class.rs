//! `hola class`: puts the runs of many machines together on one page; it measures nothing.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use hola_base::output::print;
use hola_lab::store;
use hola_report::class::{self, ClassView};

use super::Lang;
use super::many_runs::ManyRunsArgs;

/// Arguments of `class`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola class handed-in/*/results/* --output class
  hola class handed-in/*/results/* --output class --pseudonyms
  hola class room-3/*/* --machines folder --output class    machines of the same make

Writes class.html (in English and Spanish), class.md, class.es.md and class.json (whose JSON Schema
is results/schema/class.json) into the folder.
Each machine has one vote on a claim, with its interval. Ratios are summarised over machines, with
their spread; times are not. With fewer than three machines there is no summary.

A run is called after its path, or with --pseudonyms after the hash of its records, which stays the
same; the page then still has processors and kernels. A folder that cannot be read is named and
left out.

Exit codes: 0 ok, 1 a folder could not be read or a file not be written, 2 usage.")]
pub(super) struct ClassArgs {
    #[command(flatten)]
    runs: ManyRunsArgs,
    /// Folder to write the page to; it is made if it is not there
    #[arg(long, value_name = "OUT")]
    output: PathBuf,
    /// Call machines and runs after the hash of their records
    #[arg(long)]
    pseudonyms: bool,
    /// Language of what is printed; the folder gets both
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
}

/// Writes the page, and prints its first sentences.
pub(super) fn run(args: &ClassArgs) -> Result<ExitCode> {
    let runs = args.runs.read(args.pseudonyms)?;
    let view = ClassView::new(&runs.class, runs.unread);
    store::write_reports(&args.output, &class::files(view))?;
    print(format!(
        "{}page: {}\n",
        class::summary(view, args.lang.into()),
        args.output.join("class.html").display()
    ))?;
    Ok(runs.exit_code())
}
