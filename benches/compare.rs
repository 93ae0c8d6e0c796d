//! The main job of `cargo bench`: the quick comparison of all models, with its report.
//!
//! `cargo bench` hands every target the same arguments, so this one takes criterion's and heeds those that mean
//! something here: a filter, `--list`, and test mode (no `--bench`), in which one tiny comparison shows that all works.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use hola::cli::compare::{CompareArgs, compare};

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
    "--save-baseline",
    "--significance-level",
    "--test-threads",
    "--warm-up-time",
];

fn main() -> ExitCode {
    let asked = Asked::of(std::env::args().skip(1));
    if asked.list {
        println!("compare: benchmark");
        return ExitCode::SUCCESS;
    }
    if !asked.for_this_bench {
        return ExitCode::SUCCESS;
    }
    let outcome = if asked.measure { measure() } else { try_out() };
    outcome.unwrap_or_else(|error| {
        eprintln!("compare: {error:#}");
        ExitCode::FAILURE
    })
}

/// What the arguments mean here.
struct Asked {
    measure: bool,
    list: bool,
    for_this_bench: bool,
}

impl Asked {
    fn of(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut asked = Asked {
            measure: false,
            list: false,
            for_this_bench: true,
        };
        let mut test = false;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => asked.measure = true,
                "--test" => test = true,
                "--list" => asked.list = true,
                option if TAKE_A_VALUE.contains(&option) => drop(arguments.next()),
                option if option.starts_with('-') => {}
                filter => asked.for_this_bench = "compare".contains(filter),
            }
        }
        asked.measure &= !test;
        asked
    }
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
        clients: vec![4],
        rounds: Some(1),
        duration: Some(Duration::from_millis(50)),
        ..CompareArgs::quick(PathBuf::from(folder.path()))
    };
    compare(&tiny, Path::new(env!("CARGO_BIN_EXE_hola")))
}
