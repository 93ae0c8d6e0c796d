//! Does the suite catch the bugs that load generators have had? Plants them one by one in a copy of the workspace, runs the
//! tests of the generator on each, and says which of them noticed.
//!
//! `cargo run -p hola-loadgen --example mutants [-- WORD…]` plants those whose names hold a word; about a minute each.
//! Exit code 1: a bug lives on.

#[path = "../tests/seeded/mod.rs"]
mod seeded;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use seeded::{BUGS, Bug};

/// Test programs, quickest first: the first that notices ends the search.
const SUITES: [&str; 7] = [
    "histograms",
    "response",
    "schedule",
    "faults",
    "loops",
    "hostile",
    "proof",
];

/// What a copy of the workspace needs not have.
const LEFT_BEHIND: [&str; 3] = ["target", ".git", "results"];

/// A copy of the workspace, gone when it is no longer needed.
struct Copy {
    folder: PathBuf,
    /// Compiled dependencies, kept from one time to the next.
    target: PathBuf,
}

impl Copy {
    fn make() -> io::Result<Self> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the crate is in a workspace");
        let folder = std::env::temp_dir().join(format!("hola-mutants-{}", std::process::id()));
        let copy = Self {
            folder,
            target: workspace.join("target").join("mutants"),
        };
        copy_folder(workspace, &copy.folder)?;
        Ok(copy)
    }

    /// Puts `text` where the source has `file`.
    fn write(&self, file: &str, text: &str) -> io::Result<()> {
        fs::write(self.folder.join("loadgen/src").join(file), text)
    }

    /// Runs one test program: the names of its failed tests, or why there are none to name.
    fn test(&self, suite: &str) -> io::Result<Vec<String>> {
        let output = Command::new(env!("CARGO"))
            .args(["test", "--package", "hola-loadgen", "--test", suite])
            .args(["--no-fail-fast", "--color", "never"])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            // A bug may leave a value unused; that is not how it is to be noticed.
            .env("RUSTFLAGS", "--allow warnings")
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !said.contains("running ") {
            let reason = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("it does not build:\n{reason}")));
        }
        let failed = said.lines().filter_map(|line| {
            let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
            Some(format!("{suite}: {name}"))
        });
        Ok(failed.collect())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("cannot remove {}: {error}", self.folder.display());
        }
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT_BEHIND.iter().any(|left| name == *left) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            copy_folder(&from, &to)?;
        } else {
            fs::copy(&from, &to)?;
        }
    }
    Ok(())
}

/// The tests that notice `bug`; none if it lives on.
fn hunt(copy: &Copy, bug: &Bug) -> io::Result<Vec<String>> {
    let sound = fs::read_to_string(copy.folder.join("loadgen/src").join(bug.file))?;
    assert_eq!(sound.matches(bug.original).count(), 1, "{}", bug.name);
    copy.write(bug.file, &sound.replace(bug.original, bug.replacement))?;
    let mut failed = Vec::new();
    for suite in SUITES {
        failed = copy.test(suite)?;
        if !failed.is_empty() {
            break;
        }
    }
    copy.write(bug.file, &sound)?;
    Ok(failed)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match try_main(&words) {
        Ok(all_caught) => ExitCode::from(u8::from(!all_caught)),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn try_main(words: &[String]) -> io::Result<bool> {
    let copy = Copy::make()?;
    let mut all_caught = true;
    println!("| bug | caught by |\n| --- | --- |");
    for bug in BUGS {
        if !words.is_empty() && !words.iter().any(|word| bug.name.contains(word)) {
            continue;
        }
        let tests = hunt(&copy, bug)?;
        all_caught &= !tests.is_empty();
        let caught_by = if tests.is_empty() {
            "**nobody**".to_owned()
        } else {
            tests.join(", ")
        };
        println!("| {} | {caught_by} |", bug.name);
    }
    Ok(all_caught)
}
