//! Folders of results, which other users may have made. This code follows no symbolic link in them, reads only regular
//! files, and replaces a file completely or not at all.
//!
//! Every step starts from an open folder and names one entry (openat(2)), so that no entry can become a link between
//! check and use.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, ensure};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

/// Only the owner may read files: records name the machine and its software.
const FILE_MODE: Mode = Mode::S_IRUSR.union(Mode::S_IWUSR);

/// All users may list and enter folders, as far as the umask allows it.
const FOLDER_MODE: Mode = Mode::from_bits_truncate(0o755);

/// Kinds of entries that are opened, in words.
const FILE: &str = "a regular file";
const FOLDER: &str = "a folder";

/// Suffix of an incomplete file, after the id of the process that writes it.
const UNFINISHED: &str = ".tmp";

/// An open folder of results. Every error names the path.
#[derive(Debug)]
pub struct ResultFolder {
    path: PathBuf,
    handle: File,
}

impl ResultFolder {
    /// Opens a folder that the user has named; this path may be a link.
    pub fn open(path: &Path) -> Result<Self> {
        let mut options = File::options();
        options.read(true).custom_flags(OFlag::O_DIRECTORY.bits());
        let handle = options
            .open(path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            handle,
        })
    }

    /// Opens a folder that the user has named; makes it if it does not exist.
    pub fn open_or_create(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
        Self::open(path)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a subfolder, which must not exist yet.
    pub fn create_subfolder(&self, name: &str) -> Result<Self> {
        check_name(name)?;
        mkdirat(&self.handle, name, FOLDER_MODE)
            .map_err(|error| self.failed("create", name, error))?;
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        Ok(Self {
            path: self.path.join(name),
            handle: self.open_entry("open", name, FOLDER, flags)?,
        })
    }

    /// Reads a regular file.
    pub fn read(&self, name: &str) -> Result<String> {
        let mut file = self.open_entry("read", name, FILE, OFlag::O_RDONLY)?;
        let mut text = String::new();
        file.read_to_string(&mut text)
            .map_err(|error| self.failed("read", name, error))?;
        Ok(text)
    }

    /// Opens a regular file to read it and to append to it.
    pub fn append(&self, name: &str) -> Result<File> {
        self.open_entry("write", name, FILE, OFlag::O_RDWR | OFlag::O_APPEND)
    }

    /// Creates a file to append to, which must not exist yet.
    pub fn create(&self, name: &str) -> Result<File> {
        check_name(name)?;
        self.create_new(name)
            .map_err(|error| self.failed("create", name, error))
    }

    /// Writes a file. After a power failure, either the old or the new one is there.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        check_name(name)?;
        let temporary = format!("{name}.{}{UNFINISHED}", std::process::id());
        self.replace(name, &temporary, text).map_err(|error| {
            // If the temporary file cannot be removed either, the first error is still the reason.
            let _ = self.unlink(&temporary);
            self.failed("write", name, error)
        })
    }

    fn replace(&self, name: &str, temporary: &str, text: &str) -> io::Result<()> {
        let mut file = match self.create_new(temporary) {
            // An earlier process with this id has left it, or another user has put it there: it is removed and not
            // written to.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.unlink(temporary)?;
                self.create_new(temporary)?
            }
            created => created?,
        };
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        renameat(&self.handle, temporary, &self.handle, name)?;
        self.handle.sync_all()
    }

    /// Opens an entry of the `expected` kind. Checks it before, because opening a device can have effects, and after,
    /// because it may have been replaced meanwhile. Without O_NONBLOCK, opening a pipe would wait for its other end.
    fn open_entry(&self, to: &str, name: &str, expected: &str, flags: OFlag) -> Result<File> {
        check_name(name)?;
        let failed = |error: Errno| self.failed(to, name, error);
        let check = |stat: &FileStat| {
            let (path, found) = (self.path.join(name), kind(stat));
            ensure!(
                found == expected,
                "cannot {to} {}: it is {found}",
                path.display()
            );
            Ok(())
        };
        check(&fstatat(&self.handle, name, AtFlags::AT_SYMLINK_NOFOLLOW).map_err(failed)?)?;
        let flags =
            flags | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let opened = openat(&self.handle, name, flags, Mode::empty()).map_err(failed)?;
        let file = File::from(opened);
        check(&fstat(&file).map_err(failed)?)?;
        Ok(file)
    }

    /// Creates a file that must not exist; O_EXCL follows no link either.
    fn create_new(&self, name: &str) -> io::Result<File> {
        let flags = OFlag::O_RDWR | OFlag::O_APPEND | OFlag::O_CREAT | OFlag::O_EXCL;
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        Ok(File::from(openat(&self.handle, name, flags, FILE_MODE)?))
    }

    fn unlink(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.handle, name, UnlinkatFlags::NoRemoveDir)?)
    }

    fn failed(&self, to: &str, name: &str, error: impl Into<io::Error>) -> Error {
        let path = self.path.join(name);
        Error::new(error.into()).context(format!("cannot {to} {}", path.display()))
    }
}

/// Checks that a name is that of one entry, so that no path leads out of the folder.
fn check_name(name: &str) -> Result<()> {
    let is_entry = !matches!(name, "" | "." | "..") && !name.contains('/');
    ensure!(is_entry, "{name:?} names no entry of a folder");
    Ok(())
}

/// What an entry is, in words.
fn kind(stat: &FileStat) -> &'static str {
    match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
        SFlag::S_IFREG => FILE,
        SFlag::S_IFDIR => FOLDER,
        SFlag::S_IFLNK => "a symbolic link",
        SFlag::S_IFIFO => "a pipe",
        SFlag::S_IFSOCK => "a socket",
        _ => "a device",
    }
}
