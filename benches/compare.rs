//! The main job of `cargo bench`: the quick profile of all experiments, with its report.
//!
//! In test mode one tiny comparison shows that everything works.

mod arguments;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use arguments::Asked;
use hola::cli::compare::{CompareArgs, compare};
use hola_lab::experiments::EXPERIMENTS;

fn main() -> ExitCode {
    let outcome = match Asked::of("compare", std::env::args().skip(1)) {
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
