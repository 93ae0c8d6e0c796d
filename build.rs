//! Records facts that can change a number and that only the build knows: the compiler with the target, and the commit of
//! the sources.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What Hola is built from. A change to any other file does not change the build.
const SOURCES: [&str; 13] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "src",
    "templates",
    "base",
    "lab",
    "verdict",
    "report",
    "servers",
    "loadgen",
    "scripts/targets.toml",
    "examples",
];

fn main() {
    println!("cargo:rerun-if-env-changed=RUSTC");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = output_of(Command::new(rustc).arg("--version")).unwrap_or_default();
    // The C library's allocator and threads are part of every figure. Where it is not the usual one, the target names it.
    let is_usual = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|library| library == "gnu");
    let target = std::env::var("TARGET").ok().filter(|_| !is_usual);
    let target = target.map_or(String::new(), |target| format!(" for {target}"));
    println!("cargo:rustc-env=HOLA_RUSTC={version}{target}");

    // A package has few of them. Cargo would take a missing one for changed, and build again each time.
    for source in SOURCES.iter().filter(|source| Path::new(source).exists()) {
        println!("cargo:rerun-if-changed={source}");
    }
    // Moves with every commit and every checkout. A package has none.
    if let Some(log) =
        git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|log| Path::new(log).exists())
    {
        println!("cargo:rerun-if-changed={log}");
    }
    if let Some((commit, is_dirty)) = commit_of_repository().or_else(commit_of_package) {
        println!("cargo:rustc-env=HOLA_COMMIT={commit}");
        println!("cargo:rustc-env=HOLA_DIRTY={is_dirty}");
    }
}

/// The commit that is checked out, and whether sources differ from it.
fn commit_of_repository() -> Option<(String, bool)> {
    let status = ["status", "--porcelain", "--untracked-files=no", "--"];
    let changes = git(&[&status[..], &SOURCES].concat())?;
    Some((git(&["rev-parse", "HEAD"])?, !changes.is_empty()))
}

/// The commit that `cargo package` noted, and whether files of the package differed from it.
fn commit_of_package() -> Option<(String, bool)> {
    let noted = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, from_commit) = noted.split_once("\"sha1\": \"")?;
    let (commit, rest) = from_commit.split_once('"')?;
    Some((commit.to_owned(), rest.contains("\"dirty\": true")))
}

/// The output of git, if this package is the top of a repository; an outer repository knows nothing of this package.
fn git(arguments: &[&str]) -> Option<String> {
    let is_repository = Path::new(".git").exists();
    is_repository.then(|| output_of(Command::new("git").args(arguments)))?
}

/// What a command prints, if it succeeds.
fn output_of(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
