//! The server program, held open: replacing its file during a run does not change what is measured.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Environment variables that servers keep. All others are removed: a backtrace that the caller's shell asks for would
/// add to a server's cost.
pub const KEPT_VARIABLES: &[&str] = &["PATH", "HOME", "TMPDIR", "LANG"];

/// An open program file.
#[derive(Debug)]
pub struct Image {
    file: File,
    path: PathBuf,
}

impl Image {
    /// Opens the program at `path`.
    ///
    /// # Errors
    /// The error of open(2).
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Image {
            file: File::open(path)?,
            path: path.to_owned(),
        })
    }

    /// The program's path when it was opened; another file may be there now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A command that runs the program as it was when it was opened.
    pub fn command(&self) -> Command {
        // execve(2) resolves the path first, and closes the descriptor then.
        let mut command = Command::new(format!("/proc/self/fd/{}", self.file.as_raw_fd()));
        command.arg0("hola");
        clear_environment(&mut command);
        command
    }
}

/// Removes all environment variables of a command except [`KEPT_VARIABLES`].
pub fn clear_environment(command: &mut Command) {
    command.env_clear();
    for name in KEPT_VARIABLES {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}

/// The environment that servers get, `name=value`, for the record.
pub fn server_environment() -> Vec<String> {
    KEPT_VARIABLES
        .iter()
        .filter_map(|name| {
            let value = std::env::var_os(name)?;
            Some(format!("{name}={}", value.to_string_lossy()))
        })
        .collect()
}
