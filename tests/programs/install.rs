//! Completions and manual pages: of every subcommand that a user sees, and read by the programs that use them.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::{models, printed, refused};

/// Subcommands as the help lists them.
fn subcommands() -> Vec<String> {
    let help = printed(&["--help"]);
    let (_, list) = help.split_once("Commands:\n").expect("a list");
    let (list, _) = list.split_once("\n\n").expect("an end");
    let lines = list
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn completions_know_every_subcommand_and_every_model() {
    let mut names = subcommands();
    names.extend(models().map(str::to_owned));
    for shell in ["bash", "zsh", "fish"] {
        let script = printed(&["completions", shell]);
        for name in &names {
            assert!(script.contains(name.as_str()), "{shell}: {name}");
        }
    }
}

#[test]
fn a_shell_completes_what_was_begun() {
    let script = printed(&["completions", "bash"]);
    let ask = "\nCOMP_WORDS=(hola serve thread-per); COMP_CWORD=2\n_hola hola thread-per serve\necho \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", &(script + ask)])
        .stdin(Stdio::null());
    let output = match bash.output() {
        Ok(output) => output,
        Err(error) => return println!("skipped: no bash ({error})"),
    };
    let completed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(completed.trim(), "thread-per-client", "{output:?}");
}

#[test]
fn manual_pages_are_written_for_every_subcommand() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("share/man1");
    printed(&["man", pages.to_str().expect("text")]);
    for name in subcommands() {
        let page = pages.join(format!("hola-{name}.1"));
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            text.contains(".SH OPTIONS") || text.contains(".SH SYNOPSIS"),
            "{name}"
        );
    }
    let whole = fs::read_to_string(pages.join("hola.1")).expect("a page");
    assert!(whole.contains(".TH hola 1"), "{whole}");
    // A file where the folder should be.
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    refused(1, &["man", file.to_str().expect("text")]);
}
