//! The server program, held open: replacing its file during a run does not change what is measured.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use hola_base::process::Cpus;

use crate::namespace::NetworkNamespace;

/// Environment variables that servers keep. All others are removed: a backtrace that the caller's shell asks for would
/// add to a server's cost.
const KEPT_VARIABLES: &[&str] = &["PATH", "HOME", "TMPDIR", "LANG"];

/// An open program file.
#[derive(Debug)]
pub struct PinnedProgram {
    file: File,
    path: PathBuf,
}

impl PinnedProgram {
    /// Opens the program at `path`.
    ///
    /// # Errors
    /// The error of open(2).
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(PinnedProgram {
            file: File::open(path)?,
            path: path.to_owned(),
        })
    }

    /// The program's path when it was opened; another file may be there now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A command that runs the program as it was when it was opened: one of its subcommands, on `cpus` (none means any).
    pub(crate) fn command(&self, subcommand: &str, cpus: &[usize]) -> Command {
        // execve(2) resolves the path first, and closes the descriptor then.
        let mut command = Command::new(format!("/proc/self/fd/{}", self.file.as_raw_fd()));
        command.arg0("hola");
        with_arguments(command, subcommand, cpus)
    }

    /// As [`PinnedProgram::command`], in a network namespace.
    pub(crate) fn command_in(
        &self,
        namespace: &NetworkNamespace,
        subcommand: &str,
        cpus: &[usize],
    ) -> Command {
        // Between this process and the program there is one more execve(2), which has closed the descriptor.
        let program = format!("/proc/{}/fd/{}", process::id(), self.file.as_raw_fd());
        with_arguments(namespace.command(&program), subcommand, cpus)
    }
}

fn with_arguments(mut command: Command, subcommand: &str, cpus: &[usize]) -> Command {
    command.arg(subcommand);
    command.env_clear().envs(kept_variables());
    if !cpus.is_empty() {
        command.args(["--cpus", &Cpus::from(cpus).to_string()]);
    }
    command
}

fn kept_variables() -> impl Iterator<Item = (&'static str, OsString)> {
    let names = KEPT_VARIABLES.iter();
    names.filter_map(|&name| Some((name, std::env::var_os(name)?)))
}

/// The environment that servers get, `name=value`, for the record.
pub(crate) fn server_environment() -> Vec<String> {
    kept_variables()
        .map(|(name, value)| format!("{name}={}", value.to_string_lossy()))
        .collect()
}
