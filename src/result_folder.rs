//! The folders that results are kept in, which others may have made: no symbolic link in them is followed, nothing but a
//! regular file is read, and a file that is written is replaced as a whole or not at all.
//!
//! Every step is taken from an open folder by the name of one entry (openat(2)), so that nothing can be changed into a link
//! between a look and a use.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, ensure};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

/// Files are their owner's: records name the machine and its software.
const FILE_MODE: Mode = Mode::S_IRUSR.union(Mode::S_IWUSR);

/// Folders can be listed and entered by all, as far as the umask lets them.
const FOLDER_MODE: Mode = Mode::from_bits_truncate(0o755);

/// Ending of a file that is not whole yet; the id of the process that writes it stands before it.
const UNFINISHED: &str = ".tmp";

/// An open folder of results.
#[derive(Debug)]
pub struct ResultFolder {
    path: PathBuf,
    handle: File,
}

impl ResultFolder {
    /// Opens a folder that the user has named, who may name a link.
    ///
    /// # Errors
    /// Names the folder that cannot be opened.
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

    /// Opens a folder that the user has named, and makes it if there is none.
    ///
    /// # Errors
    /// Names the folder that cannot be made or opened.
    pub fn open_or_create(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
        Self::open(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder in it, which must not exist.
    ///
    /// # Errors
    /// Names the folder that cannot be made.
    pub fn create_subfolder(&self, name: &str) -> Result<Self> {
        check_name(name)?;
        mkdirat(&self.handle, name, FOLDER_MODE)
            .map_err(|error| self.failed("create", name, error))?;
        self.subfolder(name)
    }

    /// Opens a folder in it.
    ///
    /// # Errors
    /// Names what cannot be opened, and what else it is.
    pub fn subfolder(&self, name: &str) -> Result<Self> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
        Ok(Self {
            path: self.path.join(name),
            handle: self.open_entry("open", name, Kind::Folder, flags)?,
        })
    }

    /// Reads a regular file.
    ///
    /// # Errors
    /// Names what cannot be read, and what else it is.
    pub fn read(&self, name: &str) -> Result<String> {
        let mut file = self.open_entry("read", name, Kind::File, OFlag::O_RDONLY)?;
        let mut text = String::new();
        file.read_to_string(&mut text)
            .map_err(|error| self.failed("read", name, error))?;
        Ok(text)
    }

    /// Opens a regular file to read it and to add to it.
    ///
    /// # Errors
    /// Names what cannot be opened, and what else it is.
    pub fn append(&self, name: &str) -> Result<File> {
        self.open_entry("write", name, Kind::File, OFlag::O_RDWR | OFlag::O_APPEND)
    }

    /// Creates a file to add to, which must not exist.
    ///
    /// # Errors
    /// Names the file that cannot be created.
    pub fn create(&self, name: &str) -> Result<File> {
        check_name(name)?;
        self.create_new(name)
            .map_err(|error| self.failed("create", name, error))
    }

    /// Writes a file: either the old one or the new one is there, whenever the power fails. `name` may lie in folders below
    /// this one, which are made if need be.
    ///
    /// # Errors
    /// Names the file that cannot be written, or what stands in place of one of the folders.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        if let Some((folder, rest)) = name.split_once('/') {
            if self.kind(folder)?.is_none() {
                check_name(folder)?;
                match mkdirat(&self.handle, folder, FOLDER_MODE) {
                    // Another program was faster.
                    Ok(()) | Err(Errno::EEXIST) => {}
                    Err(error) => return Err(self.failed("create", folder, error)),
                }
            }
            return self.subfolder(folder)?.write(rest, text);
        }
        check_name(name)?;
        let temporary = format!("{name}.{}{UNFINISHED}", std::process::id());
        self.replace(name, &temporary, text).map_err(|error| {
            // If it cannot be removed either, the reason of the failure is still the first one.
            let _ = self.unlink(&temporary);
            self.failed("write", name, error)
        })
    }

    fn replace(&self, name: &str, temporary: &str, text: &str) -> io::Result<()> {
        let mut file = match self.create_new(temporary) {
            // Left by a process that had this id before, or put there by others: it is removed and not written to.
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

    /// Removes from the folders `within` this one the files that are not among those `kept` and whose path `is_ours` knows,
    /// and folders that are empty without them. All paths are below this folder.
    ///
    /// An unfinished file goes by the name that it was meant for, unless the process that writes it still runs. Links are
    /// neither followed nor removed.
    ///
    /// # Errors
    /// Names what cannot be removed.
    pub fn remove_others(
        &self,
        within: &[&str],
        kept: &BTreeSet<&str>,
        is_ours: fn(&str) -> bool,
    ) -> Result<()> {
        let is_other = |path: &str| match unfinished(path) {
            Some(finished) => is_ours(finished),
            None => is_ours(path) && !kept.contains(path),
        };
        for name in within {
            if self.kind(name)? == Some(Kind::Folder) {
                self.remove_below(name, name, &is_other)?;
            }
        }
        Ok(())
    }

    /// Does so in the folder `name`, which is at `path`; says whether anything was removed.
    fn remove_below(
        &self,
        name: &str,
        path: &str,
        is_other: &dyn Fn(&str) -> bool,
    ) -> Result<bool> {
        let folder = self.subfolder(name)?;
        let mut removed = false;
        for entry in folder.entries()? {
            let path = format!("{path}/{entry}");
            match folder.kind(&entry)? {
                Some(Kind::Folder) => removed |= folder.remove_below(&entry, &path, is_other)?,
                Some(Kind::File) if is_other(&path) => {
                    folder
                        .unlink(&entry)
                        .map_err(|error| folder.failed("remove", &entry, error))?;
                    removed = true;
                }
                _ => {}
            }
        }
        if removed {
            match unlinkat(&self.handle, name, UnlinkatFlags::RemoveDir) {
                Ok(()) | Err(Errno::ENOTEMPTY) => {}
                Err(error) => return Err(self.failed("remove", name, error)),
            }
        }
        Ok(removed)
    }

    /// Names of its entries; one that is no text is left out, as nothing of ours has such a name.
    fn entries(&self) -> Result<Vec<String>> {
        let listed = || -> nix::Result<Vec<String>> {
            let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
            let mut names = Vec::new();
            for entry in Dir::openat(&self.handle, ".", flags, Mode::empty())?.iter() {
                if let Ok(name) = entry?.file_name().to_str()
                    && ![".", ".."].contains(&name)
                {
                    names.push(name.to_owned());
                }
            }
            Ok(names)
        };
        listed().with_context(|| format!("cannot list {}", self.path.display()))
    }

    /// What an entry is; `None` where there is none.
    fn kind(&self, name: &str) -> Result<Option<Kind>> {
        check_name(name)?;
        match fstatat(&self.handle, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Kind::of(&stat))),
            Err(Errno::ENOENT) => Ok(None),
            Err(error) => Err(self.failed("open", name, error)),
        }
    }

    /// Opens an entry that is of that kind. It is looked at before, for opening a device can have effects, and after, for
    /// it may have been replaced in between; without O_NONBLOCK, opening a pipe would wait for its other end.
    fn open_entry(&self, to: &str, name: &str, expected: Kind, flags: OFlag) -> Result<File> {
        let check = |found: Kind| {
            let path = self.path.join(name);
            ensure!(
                found == expected,
                "cannot {to} {}: it is {found}",
                path.display()
            );
            Ok(())
        };
        if let Some(found) = self.kind(name)? {
            check(found)?;
        }
        let flags =
            flags | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let opened = openat(&self.handle, name, flags, Mode::empty());
        let file = File::from(opened.map_err(|error| self.failed(to, name, error))?);
        let stat = fstat(&file).map_err(|error| self.failed(to, name, error))?;
        check(Kind::of(&stat))?;
        Ok(file)
    }

    /// A new file and no other: O_EXCL follows no link either.
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

/// An entry of a folder is named by one name: no path leads out of it.
fn check_name(name: &str) -> Result<()> {
    let is_entry = !matches!(name, "" | "." | "..") && !name.contains('/');
    ensure!(is_entry, "{name:?} names no entry of a folder");
    Ok(())
}

/// The path that an unfinished file was meant for; `None` of a finished one, and while a process may still finish it.
fn unfinished(path: &str) -> Option<&str> {
    let path = path.strip_suffix(UNFINISHED)?;
    match path.rsplit_once('.') {
        Some((finished, writer)) if writer.bytes().all(|digit| digit.is_ascii_digit()) => {
            let is_running = Path::new("/proc").join(writer).exists();
            (!is_running).then_some(finished)
        }
        _ => Some(path),
    }
}

/// What an entry of a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Link,
    Pipe,
    Socket,
    Device,
}

impl Kind {
    fn of(stat: &FileStat) -> Self {
        match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
            SFlag::S_IFREG => Kind::File,
            SFlag::S_IFDIR => Kind::Folder,
            SFlag::S_IFLNK => Kind::Link,
            SFlag::S_IFIFO => Kind::Pipe,
            SFlag::S_IFSOCK => Kind::Socket,
            _ => Kind::Device,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Kind::File => "a regular file",
            Kind::Folder => "a folder",
            Kind::Link => "a symbolic link",
            Kind::Pipe => "a pipe",
            Kind::Socket => "a socket",
            Kind::Device => "a device",
        })
    }
}
