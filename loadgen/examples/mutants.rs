//! Checks that the test suite catches bugs that load generators have had. Inserts each bug into a copy of the
//! workspace, and runs the test that must fail; without the bug the test must pass.
//!
//! `cargo run -p hola-loadgen --example mutants [-- WORD…]` takes only bugs whose names contain a word; half a minute
//! each. Exit code 1: a bug is not caught.

#[path = "../tests/loads/seeded.rs"]
mod seeded;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use seeded::{BUGS, Bug};
use tempfile::TempDir;

/// Entries of the workspace that are not copied.
const LEFT_BEHIND: [&str; 3] = ["target", ".git", "results"];

/// A copy of the workspace.
struct Copy {
    folder: TempDir,
    /// Compiled dependencies, kept between runs.
    target: PathBuf,
}

impl Copy {
    fn new() -> io::Result<Self> {
        let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = crate_folder.parent().expect("it is in a workspace");
        let folder = tempfile::tempdir()?;
        copy_folder(workspace, folder.path())?;
        let target = workspace.join("target/mutants");
        Ok(Self { folder, target })
    }

    /// Whether a test passes: `proof::test` of the program `proof`, or `loads/loops::test` of a module of `loads`.
    fn passes(&self, test: &str) -> io::Result<bool> {
        let is_separator = |c: char| c == '/' || c == ':';
        let (program, test) = test.split_once(is_separator).expect("a program");
        let test = test.trim_start_matches(':');
        let output = Command::new(env!("CARGO"))
            .args(["test", "--package", "hola-loadgen", "--test", program])
            .args(["--", "--exact", test])
            .current_dir(self.folder.path())
            .env("CARGO_TARGET_DIR", &self.target)
            // A bug may leave a value unused; a warning must not be what catches it.
            .env("RUSTFLAGS", "--allow warnings")
            // A failing case found for one bug must not be replayed for the next one.
            .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1")
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        if said.contains("test result: ok. 1 passed") {
            Ok(true)
        } else if said.contains(&format!("test {test} ... FAILED")) {
            Ok(false)
        } else {
            let reason = String::from_utf8_lossy(&output.stderr);
            Err(io::Error::other(format!("{test} did not run:\n{reason}")))
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

/// Whether the test fails with `bug`, and passes without it.
fn is_caught(copy: &Copy, bug: &Bug) -> io::Result<bool> {
    let file = copy.folder.path().join("loadgen/src").join(bug.file);
    let sound = fs::read_to_string(&file)?;
    fs::write(&file, sound.replace(bug.original, bug.replacement))?;
    let noticed = !copy.passes(bug.caught_by)?;
    fs::write(&file, sound)?;
    Ok(noticed && copy.passes(bug.caught_by)?)
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
    let copy = Copy::new()?;
    let mut all_caught = true;
    println!("| bug | caught by |\n| --- | --- |");
    for bug in BUGS {
        if !words.is_empty() && !words.iter().any(|word| bug.name.contains(word)) {
            continue;
        }
        let caught = is_caught(&copy, bug)?;
        all_caught &= caught;
        let caught_by = if caught { bug.caught_by } else { "**no test**" };
        println!("| {} | {caught_by} |", bug.name);
    }
    Ok(all_caught)
}
