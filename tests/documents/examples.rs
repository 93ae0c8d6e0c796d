//! Runs, unchanged, the examples that read a run's data, if their program is installed.

use std::fs;
use std::process::Command;

use super::{read, stored_runs};

/// The example of `results/README.md` in that language, between its fences.
fn example(language: &str) -> String {
    let text = read("results/README.md");
    let (_, rest) = text
        .split_once(&format!("```{language}\n"))
        .expect("an example");
    rest.split_once("```").expect("its end").0.to_owned()
}

/// Runs a script on the newest run's `cells.csv` in its own folder, and returns what it printed. `None`, with the
/// reason printed, if `present` fails.
fn run(
    program: &str,
    present: &[&str],
    file: &str,
    script: &str,
) -> Option<(String, tempfile::TempDir)> {
    let run = stored_runs().pop()?;
    let is_present = Command::new(program).args(present).output();
    if !is_present.is_ok_and(|output| output.status.success()) {
        println!("skipped: {program} {} fails here", present.join(" "));
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(
        run.folder.join("cells.csv"),
        folder.path().join("cells.csv"),
    )
    .expect("its data");
    fs::write(folder.path().join(file), script).expect("written");
    let output = Command::new(program)
        .arg(file)
        .current_dir(folder.path())
        .output();
    let output = output.expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    Some((String::from_utf8_lossy(&output.stdout).into_owned(), folder))
}

#[test]
fn pandas_reads_the_cells() {
    let ran = run(
        "python3",
        &["-c", "import pandas"],
        "cost.py",
        &example("python"),
    );
    if let Some((printed, _)) = ran {
        assert!(printed.contains("thread-per-client"), "{printed}");
    }
}

#[test]
fn r_reads_the_cells() {
    if let Some((_, folder)) = run("Rscript", &["--version"], "cost.R", &example("r")) {
        // Without a screen, R draws into this file.
        assert!(folder.path().join("Rplots.pdf").exists());
    }
}

#[test]
fn gnuplot_reads_the_cells() {
    let script = format!("set terminal dumb\n{}", example("gnuplot"));
    if let Some((printed, _)) = run("gnuplot", &["--version"], "cost.gp", &script) {
        assert!(printed.contains("thread-per-client"), "{printed}");
    }
}
