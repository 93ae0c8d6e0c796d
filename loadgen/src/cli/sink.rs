//! One destination of results: standard output, a device or pipe, or a new file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;

use hola_base::output::{Reader, print};
use nix::unistd::{AccessFlags, eaccess};

use crate::sys;

/// A destination, checked before the load starts. A file is created when there is something to write, and no existing
/// file is ever overwritten.
pub(super) struct Sink {
    name: String,
    target: Target,
}

enum Target {
    /// Standard output, whatever its path.
    Stdout,
    /// A device or pipe, or a file that has been created.
    Open(File),
    /// A file that does not exist yet.
    New(PathBuf),
}

impl Sink {
    /// Standard output.
    pub(super) fn stdout() -> Self {
        Self {
            name: "standard output".to_owned(),
            target: Target::Stdout,
        }
    }

    /// The file, device or pipe at `path`.
    ///
    /// # Errors
    /// Returns a message with the path if nothing can be written there, as far as this is known before the first write.
    pub(super) fn at(path: &Path) -> Result<Self, String> {
        match find(path) {
            Ok(target) => Ok(Self {
                name: path.display().to_string(),
                target,
            }),
            Err(error) => Err(format!("cannot write {}: {error}", path.display())),
        }
    }

    /// Whether it is standard output.
    pub(super) fn is_stdout(&self) -> bool {
        matches!(self.target, Target::Stdout)
    }

    /// Name for messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Canonical path of the file that will be created, for comparison.
    pub(super) fn new_file(&self) -> Option<PathBuf> {
        match &self.target {
            Target::New(path) => {
                let name = path.file_name().unwrap_or_default();
                Some(fs::canonicalize(parent(path)).ok()?.join(name))
            }
            Target::Stdout | Target::Open(_) => None,
        }
    }

    /// Writes the whole result: a new file appears complete or not at all.
    ///
    /// # Errors
    /// The error, with the destination's name.
    pub(super) fn write_whole(&mut self, text: &str) -> Result<Reader, String> {
        let written = match &mut self.target {
            Target::New(path) => create_whole(path, text.as_bytes()),
            Target::Stdout | Target::Open(_) => return self.append(text.as_bytes()),
        };
        self.named(written.map(|()| Reader::Present))
    }

    /// Writes a part of the result; the first part creates a new file.
    ///
    /// # Errors
    /// The error, with the destination's name.
    pub(super) fn append(&mut self, part: &[u8]) -> Result<Reader, String> {
        let written = match &mut self.target {
            Target::Stdout => return print(part).map_err(|error| format!("{error:#}")),
            Target::Open(file) => file.write_all(part),
            Target::New(path) => create_with(path, part).map(|file| {
                self.target = Target::Open(file);
            }),
        };
        self.named(written.map(|()| Reader::Present))
    }

    fn named(&self, written: io::Result<Reader>) -> Result<Reader, String> {
        written.map_err(|error| format!("cannot write {}: {error}", self.name))
    }
}

impl Write for Sink {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        match self.append(part) {
            Ok(_) => Ok(part.len()),
            Err(message) => Err(io::Error::other(message)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is at `path`, as a destination.
fn find(path: &Path) -> io::Result<Target> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if fs::symlink_metadata(path).is_ok() {
                return Err(io::Error::other("it is a symbolic link that leads nowhere"));
            }
            eaccess(parent(path), AccessFlags::W_OK | AccessFlags::X_OK)?;
            return Ok(Target::New(path.to_owned()));
        }
        Err(error) => return Err(error),
    };
    // If a standard stream is a regular file, opening that file by its path would write from its beginning.
    let is = |stream: &File| {
        stream
            .metadata()
            .is_ok_and(|stream| (stream.dev(), stream.ino()) == (found.dev(), found.ino()))
    };
    if is(&duplicate(io::stdout())?) {
        return Ok(Target::Stdout);
    }
    let stderr = duplicate(io::stderr())?;
    if is(&stderr) {
        return Ok(Target::Open(stderr));
    }
    let kind = found.file_type();
    if kind.is_char_device() || kind.is_fifo() {
        return OpenOptions::new().write(true).open(path).map(Target::Open);
    }
    Err(io::Error::other(
        "it exists, and nothing that exists is overwritten",
    ))
}

fn duplicate(stream: impl AsFd) -> io::Result<File> {
    stream.as_fd().try_clone_to_owned().map(File::from)
}

/// Folder in which `path` is.
fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Creates an empty file at `path`, which must not exist. Like all results, it is accessible only to its owner: it
/// names the machine, the server and the requests.
fn create_new(path: &Path) -> io::Result<File> {
    const OWNER_ALONE: u32 = 0o600;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(OWNER_ALONE);
    options.open(path)
}

/// Creates the file at `path` with its first part; if not a single byte could be written, the file is removed.
fn create_with(path: &Path, part: &[u8]) -> io::Result<File> {
    let mut file = create_new(path)?;
    let written = file.write_all(part);
    if written.is_err() && file.metadata().is_ok_and(|file| file.len() == 0) {
        // The file is ours and empty. If it cannot be removed, the write error is still the one to report.
        let _ = fs::remove_file(path);
    }
    written.map(|()| file)
}

/// Creates the file at `path` with its whole text: writes a temporary file beside it, then moves it.
fn create_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    let name = format!(".hola-load-{}-{}", process::id(), sys::now_ns());
    let temporary = parent(path).join(name);
    let mut file = create_new(&temporary)?;
    let written = file
        .write_all(text)
        .and_then(|()| file.sync_all())
        .and_then(|()| give_name(&temporary, path));
    // After a rename there is nothing to remove.
    let _ = fs::remove_file(&temporary);
    written
}

/// Moves a file to `path`, which must not exist: link(2) refuses to replace a file, rename(2) does not.
fn give_name(temporary: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(temporary, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            // The file system has no hard links, so an empty file reserves the name first.
            create_new(path)?;
            fs::rename(temporary, path)
        }
        linked => linked,
    }
}
