//! The main job of `cargo bench`: the quick profile of all experiments, with its report.
//!
//! In test mode one tiny comparison shows that everything works.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use hola::cli::compare::{CompareArgs, compare};
use hola_lab::experiments::EXPERIMENTS;

/// Name of this target.
const NAME: &str = "compare";

/// Options of criterion and of the standard harness that are followed by a value.
const TAKE_A_VALUE: &[&str] = &[
    "--baseline",
    "--baseline-lenient",
    "--color",
    "--colour",
    "--confidence-level",
    "--format",
    "--load-baseline",
    "--measurement-time",
    "--noise-threshold",
    "--nresamples",
    "--output-format",
    "--plotting-backend",
    "--profile-time",
    "--sample-size",
    "--save",
    "--save-baseline",
    "--significance-level",
    "--test-threads",
    "--warm-up-time",
];

/// What a target is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Nothing: the filter is for another target, or the list was asked for (and has been printed).
    Nothing,
    /// Run the full measurement.
    Measure,
    /// Check quickly that it works.
    TryOut,
}

impl Asked {
    /// What the arguments ask of this target. `cargo bench` passes the same ones to every target, criterion's among them:
    /// only a filter, `--list` and test mode (no `--bench`, or `--test`) apply to this one.
    fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Self {
        let (mut bench, mut test, mut list, mut other) = (false, false, false, false);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => bench = true,
                "--test" => test = true,
                "--list" => list = true,
                option if TAKE_A_VALUE.contains(&option) => drop(arguments.next()),
                option if option.starts_with('-') => {}
                filter => other |= !NAME.contains(filter),
            }
        }
        if list && !other {
            println!("{NAME}: benchmark");
        }
        match bench && !test {
            _ if other || list => Asked::Nothing,
            true => Asked::Measure,
            false => Asked::TryOut,
        }
    }
}

fn main() -> ExitCode {
    let outcome = match Asked::from_arguments(std::env::args().skip(1)) {
        Asked::Nothing => return ExitCode::SUCCESS,
        Asked::Measure => measure(),
        Asked::TryOut => try_out(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("compare: {error:#}");
        ExitCode::FAILURE
    })
}

fn measure() -> anyhow::Result<ExitCode> {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    compare(
        &CompareArgs::quick(results),
        Path::new(env!("CARGO_BIN_EXE_hola")),
    )
}

fn try_out() -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let tiny = CompareArgs {
        experiments: vec![EXPERIMENTS.first().context("there is an experiment")?],
        models: vec!["iterative".into(), "epoll".into()],
        blocks: Some(1),
        ..CompareArgs::quick(PathBuf::from(folder.path()))
    };
    compare(&tiny, Path::new(env!("CARGO_BIN_EXE_hola")))
}
