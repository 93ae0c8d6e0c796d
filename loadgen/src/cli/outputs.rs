//! Where results go: standard output, devices, pipes and new files, checked before the load starts.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use hola_base::output::{Reader, print, say};
use nix::unistd::{AccessFlags, eaccess};
use tempfile::NamedTempFile;

use super::LoadArgs;
use super::gates::GateArgs;

/// The destinations of a run. If one of them fails, the measurement is not lost: the result then goes to standard
/// output, and the load continues without the log.
pub(super) struct Outputs {
    result: Destination,
    hlog: Option<Destination>,
    hgrm: Option<Destination>,
    junit: Option<Destination>,
    /// Whether the result is only for standard output: no file, gate or strict check.
    is_for_stdout_alone: bool,
    /// Whether standard output still has a reader.
    reader: Reader,
    /// Whether a write to a requested destination failed.
    has_failed: bool,
}

impl Outputs {
    /// The destinations that `args` names, unless one of them cannot be written: a measurement that cannot be kept is not
    /// worth making.
    pub(super) fn new(args: &LoadArgs) -> Result<Self, String> {
        let named = |path: &Option<PathBuf>| path.as_deref().map(Destination::new).transpose();
        let [file, hlog, hgrm, junit] =
            [&args.output, &args.hlog, &args.hgrm, &args.gates.junit].map(named);
        let (file, hlog, hgrm, junit) = (file?, hlog?, hgrm?, junit?);
        let mut new_files = HashSet::new();
        for destination in [&file, &hlog, &hgrm, &junit].into_iter().flatten() {
            if let Target::New(path) = &destination.target
                && !new_files.insert(path)
            {
                return Err(format!("{} is named twice", destination.name));
            }
        }
        let has_no_file = file.is_none() && hlog.is_none() && hgrm.is_none();
        Ok(Self {
            result: file.unwrap_or_else(Destination::stdout),
            hlog,
            hgrm,
            junit,
            is_for_stdout_alone: has_no_file && !args.gates.are_given(),
            ..Self::stdout()
        })
    }

    /// Standard output for the result, and the test report that `args` names, unless it cannot be written.
    pub(super) fn with_test_report(args: &GateArgs) -> Result<Self, String> {
        let junit = args.junit.as_deref().map(Destination::new).transpose()?;
        Ok(Self {
            junit,
            ..Self::stdout()
        })
    }

    /// No other destination than standard output.
    pub(super) fn stdout() -> Self {
        Self {
            result: Destination::stdout(),
            hlog: None,
            hgrm: None,
            junit: None,
            is_for_stdout_alone: true,
            reader: Reader::Present,
            has_failed: false,
        }
    }

    /// Writes the result, or the next part of it, if there is any; the error is that of standard output.
    pub(super) fn write(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        self.reader = match self.result.write(text) {
            Err(reason) if !matches!(self.result.target, Target::Stdout) => {
                self.report(&format!("{reason}; the result goes to standard output"));
                self.result = Destination::stdout();
                self.result.write(text)?
            }
            written => written?,
        };
        Ok(())
    }

    /// Whether an interval log is wanted, and could be written so far.
    pub(super) fn has_hlog(&self) -> bool {
        self.hlog.is_some()
    }

    /// Appends to the interval log, if there is one; after an error it is not written any more.
    pub(super) fn write_hlog(&mut self, text: &str) -> Result<(), String> {
        let written = self.hlog.as_mut().map(|file| file.write(text));
        if let Some(Err(reason)) = written {
            self.hlog = None;
            return Err(reason);
        }
        Ok(())
    }

    /// Writes the percentile file, if there is one.
    pub(super) fn write_hgrm(&mut self, text: &str) {
        if let Some(Err(reason)) = self.hgrm.as_mut().map(|file| file.write(text)) {
            self.report(&reason);
        }
    }

    /// Writes the JUnit file, if there is one.
    pub(super) fn write_junit(&mut self, xml: &str) {
        if let Some(Err(reason)) = self.junit.as_mut().map(|file| file.write(xml)) {
            self.report(&reason);
        }
    }

    /// Reports at once that something could not be written, and remembers it for the exit code.
    pub(super) fn report(&mut self, message: &str) {
        say(format_args!("error: {message}"));
        self.has_failed = true;
    }

    /// Whether a write to a requested destination failed.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Whether the result is only for standard output, and the program that read it has closed its end of the pipe.
    pub(super) fn is_unread(&self) -> bool {
        self.is_for_stdout_alone && self.reader == Reader::Gone
    }
}

/// One destination. A file is created when there is something to write, and no existing file is ever overwritten.
pub(super) struct Destination {
    /// Name for messages.
    name: String,
    target: Target,
}

enum Target {
    /// Standard output, whatever its path.
    Stdout,
    /// A device or pipe, or a file that has been created.
    Open(File),
    /// A file that does not exist yet, in the canonical path of its folder.
    New(PathBuf),
}

impl Destination {
    fn stdout() -> Self {
        Self {
            name: "standard output".to_owned(),
            target: Target::Stdout,
        }
    }

    /// The file, device or pipe at `path`, unless nothing can be written there, as far as this is known before the first
    /// write.
    pub(super) fn new(path: &Path) -> Result<Self, String> {
        let name = path.display().to_string();
        match find(path) {
            Ok(target) => Ok(Self { name, target }),
            Err(error) => Err(format!("cannot write {name}: {error}")),
        }
    }

    /// Writes `text` after what was written before; the first text creates a new file.
    pub(super) fn write(&mut self, text: &str) -> Result<Reader, String> {
        let written = match &mut self.target {
            Target::Stdout => return print(text).map_err(|error| format!("{error:#}")),
            Target::Open(file) => file.write_all(text.as_bytes()),
            Target::New(path) => create(path, text).map(|file| self.target = Target::Open(file)),
        };
        match written {
            Ok(()) => Ok(Reader::Present),
            Err(error) => Err(format!("cannot write {}: {error}", self.name)),
        }
    }
}

/// What is at `path`, as a destination.
fn find(path: &Path) -> io::Result<Target> {
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return find_folder(path),
        found => found?,
    };
    // If a standard stream is a regular file, opening that file by its path would write from its beginning.
    let is = |stream: &File| {
        stream
            .metadata()
            .is_ok_and(|stream| (stream.dev(), stream.ino()) == (found.dev(), found.ino()))
    };
    if is(&File::from(io::stdout().as_fd().try_clone_to_owned()?)) {
        return Ok(Target::Stdout);
    }
    let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
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

/// A file to be created at `path`, if its folder allows that.
fn find_folder(path: &Path) -> io::Result<Target> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::Error::other("it is a symbolic link that leads nowhere"));
    }
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fs::canonicalize(parent)?,
        _ => fs::canonicalize(".")?,
    };
    eaccess(&folder, AccessFlags::W_OK | AccessFlags::X_OK)?;
    Ok(Target::New(folder.join(name)))
}

/// Creates the file at `path`, which must not exist, with its first text: it appears with that text or not at all. Like
/// all results, it is accessible only to its owner: it names the machine, the server and the requests.
fn create(path: &Path, text: &str) -> io::Result<File> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = NamedTempFile::new_in(folder)?;
    file.as_file_mut().write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file.persist_noclobber(path)?)
}
