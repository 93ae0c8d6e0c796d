//! The program that serves: held open, so that replacing its file during a run changes nothing that is measured.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Environment variables that servers keep; every other one is removed, for a backtrace asked for by the caller's shell
/// would be a server's cost.
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
    /// What open(2) said.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Image {
            file: File::open(path)?,
            path: path.to_owned(),
        })
    }

    /// Where the program was when it was opened; there may be another one by now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A command that runs the program as it was when it was opened.
    pub fn command(&self) -> Command {
        // The descriptor is closed by exec itself, after the name has been followed.
        let mut command = Command::new(format!("/proc/self/fd/{}", self.file.as_raw_fd()));
        command.arg0("hola");
        clear_environment(&mut command);
        command
    }
}

/// Leaves a command only [`KEPT_VARIABLES`].
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
