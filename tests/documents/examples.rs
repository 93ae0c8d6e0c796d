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

#[test]
fn pandas_r_and_gnuplot_read_the_cells() {
    let gnuplot = format!("set terminal dumb\n{}", example("gnuplot"));
    let Some(run) = stored_runs().pop() else {
        return;
    };
    for (program, is_present, script) in [
        ("python3", &["-c", "import pandas"][..], example("python")),
        ("Rscript", &["--version"], example("r")),
        ("gnuplot", &["--version"], gnuplot),
    ] {
        let found = Command::new(program).args(is_present).output();
        if !found.is_ok_and(|output| output.status.success()) {
            println!("skipped: {program} {} fails here", is_present.join(" "));
            continue;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path_of = |name: &str| folder.path().join(name);
        fs::copy(run.folder.join("cells.csv"), path_of("cells.csv")).expect("its data");
        fs::write(path_of("example"), script).expect("written");
        let mut command = Command::new(program);
        command.arg("example").current_dir(folder.path());
        let output = command.output().expect("it runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {stderr}");
        let printed = String::from_utf8_lossy(&output.stdout);
        let is_read = match program {
            // Without a screen, R draws into this file.
            "Rscript" => path_of("Rplots.pdf").exists(),
            _ => printed.contains("thread-per-client"),
        };
        assert!(is_read, "{program}: {printed}");
    }
}
