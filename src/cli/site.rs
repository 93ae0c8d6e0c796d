//! `hola site`: writes pages of many runs that are read from disk, without a server; it measures nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use hola_base::output::print;
use hola_lab::store;
use hola_report::site::{self, RunChange};
use hola_verdict::class::Machine;
use hola_verdict::difference::{Difference, RecordedRun, Selection};
use rayon::prelude::*;

use super::many_runs::{ManyRuns, ManyRunsArgs};

/// Arguments of `site`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  hola site results/* --output site
  hola site lab/*/results/* --machines folder --output site

Writes index.html (machines by claims, each with verdict and interval), the page of each run under
runs/, a badge for each claim under badges/ (NAME.svg, NAME.es.svg), and feed.xml and feed.es.xml
(Atom) of what `hola diff` finds between a machine's run and its next. All links are relative:
the pages open from disk, and addresses stay the same when runs are added.

The same runs give the same bytes. Files are readable by their owner alone, because they name
machines and commands: `chmod -R a+rX OUT` before you publish them.

Exit codes: 0 ok, 1 a folder could not be read (it is named and left out) or a file not be written,
2 usage.")]
pub(super) struct SiteArgs {
    #[command(flatten)]
    runs: ManyRunsArgs,
    /// Folder to write the pages to; it is made if it is not there
    #[arg(long, value_name = "OUT")]
    output: PathBuf,
}

/// Writes the pages, on all CPUs.
pub(super) fn run(args: &SiteArgs) -> Result<ExitCode> {
    let runs = args.runs.read(false)?;
    let machines = runs.class.machines.iter();
    let pairs = machines.flat_map(|machine| (0..machine.runs.len()).map(move |at| (machine, at)));
    let pairs: Vec<(&Machine, usize)> = pairs.collect();
    let pages = pairs
        .par_iter()
        .map(|(machine, at)| write_run(&args.output, &runs, machine, *at));
    let changes: Vec<Option<RunChange<'_>>> = pages.collect::<Result<_>>()?;
    let mut changes: Vec<RunChange<'_>> = changes.into_iter().flatten().collect();
    let badges = site::badges(&runs.class);
    store::write_reports(&args.output.join(site::BADGES), &badges)?;
    let index = site::index(&runs.class, &mut changes, runs.unread);
    store::write_reports(&args.output, &index)?;
    print(format!(
        "index: {}\n",
        args.output.join("index.html").display()
    ))?;
    Ok(runs.exit_code())
}

/// Writes the page of a machine's run. Returns what changed from the run before it, if anything did.
fn write_run<'c>(
    output: &Path,
    runs: &ManyRuns,
    machine: &'c Machine,
    at: usize,
) -> Result<Option<RunChange<'c>>> {
    let candidate = &machine.runs[at];
    let (run, blocks) = runs.records(candidate)?;
    let folder = output.join(site::run_folder(candidate));
    store::write_reports(&folder, &[site::run_page(&run, &blocks)])?;
    let Some(base) = at.checked_sub(1).map(|before| &machine.runs[before]) else {
        return Ok(None);
    };
    let (base_run, base_blocks) = runs.records(base)?;
    let [older, newer] = [(&base_run, &base_blocks), (&run, &blocks)]
        .map(|(run, blocks)| RecordedRun { run, blocks });
    let change = RunChange {
        machine,
        base,
        candidate,
        difference: Difference::new(older, newer, &Selection::default()),
    };
    Ok(Some(change).filter(RunChange::is_change))
}
