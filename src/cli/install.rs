//! `hola completions` and `hola man`: made of the definition of the command line itself.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use hola_base::output::print;

use super::Arguments;

/// Arguments of `completions`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  hola completions bash > ~/.local/share/bash-completion/completions/hola
  hola completions zsh > \"${fpath[1]}/_hola\"
  hola completions fish > ~/.config/fish/completions/hola.fish")]
pub(super) struct CompletionsArgs {
    /// Shell to complete the command line in
    #[arg(value_enum)]
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  hola man ~/.local/share/man/man1     then `man hola`, `man hola-load`, …")]
pub(super) struct ManArgs {
    /// Folder to write the pages to, hola.1 and one for each subcommand; it is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) fn completions(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "hola", &mut script);
    print(String::from_utf8(script).context("a script that is no text")?)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn man(args: &ManArgs) -> anyhow::Result<ExitCode> {
    let folder = args.folder.display();
    fs::create_dir_all(&args.folder).with_context(|| format!("cannot make {folder}"))?;
    clap_mangen::generate_to(Arguments::command(), &args.folder)
        .with_context(|| format!("cannot write to {folder}"))?;
    Ok(ExitCode::SUCCESS)
}
