//! Records what can move a number and is known to the build alone: the compiler, and the commit of the sources.

use std::process::Command;

/// What Hola is made of. A change to anything else does not make a build another one.
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
    let version = told(Command::new(rustc).arg("--version")).unwrap_or_default();
    println!("cargo:rustc-env=HOLA_RUSTC={version}");

    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
    }
    // Moves with every commit and every checkout. A package without a repository has none, and no commit either.
    let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) else {
        return;
    };
    if std::path::Path::new(&log).exists() {
        println!("cargo:rerun-if-changed={log}");
    }
    let changes = [
        &["status", "--porcelain", "--untracked-files=no", "--"][..],
        &SOURCES,
    ]
    .concat();
    if let (Some(commit), Some(changes)) = (git(&["rev-parse", "HEAD"]), git(&changes)) {
        println!("cargo:rustc-env=HOLA_COMMIT={commit}");
        println!("cargo:rustc-env=HOLA_DIRTY={}", !changes.is_empty());
    }
}

/// What git says of the tree that this package is the top of; nothing where it is part of another's.
fn git(arguments: &[&str]) -> Option<String> {
    std::path::Path::new(".git")
        .exists()
        .then(|| told(Command::new("git").args(arguments)))?
}

fn told(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned())
}
