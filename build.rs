//! Records facts that can change a number and that only the build knows: the compiler, and the commit of the sources.

use std::path::Path;
use std::process::Command;

/// What Hola is built from. A change to any other file does not change the build.
const SOURCES: [&str; 12] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "src",
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
    println!("cargo:rustc-env=HOLA_RUSTC={version}");

    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
    }
    // Moves with every commit and every checkout. A package without a repository has none, and no commit either.
    let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) else {
        return;
    };
    if Path::new(&log).exists() {
        println!("cargo:rerun-if-changed={log}");
    }
    let status = ["status", "--porcelain", "--untracked-files=no", "--"];
    let changes = git(&[&status[..], &SOURCES].concat());
    if let (Some(commit), Some(changes)) = (git(&["rev-parse", "HEAD"]), changes) {
        println!("cargo:rustc-env=HOLA_COMMIT={commit}");
        println!("cargo:rustc-env=HOLA_DIRTY={}", !changes.is_empty());
    }
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
