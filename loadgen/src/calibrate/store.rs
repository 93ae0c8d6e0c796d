//! Where a calibration is kept: one file per host and user.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::host::Host;
use super::record::{Calibration, SCHEMA_VERSION};

/// Names the file, instead of the usual place.
pub const VARIABLE: &str = "HOLA_CALIBRATION";

/// Where this user's calibration is: `$HOLA_CALIBRATION`, or `hola/calibration.json` in `$XDG_CACHE_HOME` or `~/.cache`;
/// `None` where none of them is set.
pub fn path() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(file) = set(VARIABLE) {
        return Some(file.into());
    }
    let cache = set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    Some(cache.join("hola").join("calibration.json"))
}

/// What is stored, as far as it is of use here.
#[derive(Clone, Debug, PartialEq)]
pub enum Stored {
    /// A calibration of this host.
    Valid(Box<Calibration>),
    /// There is none.
    Absent,
    /// It holds for another host, kernel or build; the reason in one plain phrase.
    Foreign(String),
    /// The file cannot be read, or is no calibration; the reason in one plain phrase.
    Unreadable(String),
}

/// Reads the calibration in `file`.
pub fn read(file: &Path) -> Stored {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Stored::Absent,
        Err(error) => return Stored::Unreadable(error.to_string()),
    };
    match serde_json::from_str::<Calibration>(&text) {
        Err(error) => Stored::Unreadable(error.to_string()),
        Ok(calibration) if calibration.schema_version != SCHEMA_VERSION => {
            Stored::Foreign(format!(
                "another version of the file ({})",
                calibration.schema_version
            ))
        }
        Ok(calibration) => match Host::here().difference(&calibration.host) {
            None => Stored::Valid(Box::new(calibration)),
            Some(difference) => Stored::Foreign(difference),
        },
    }
}

/// Makes sure that `file` could be written, without touching it: what cannot be kept is not worth half a minute.
///
/// # Errors
/// Whatever the file system reports.
pub fn prepare(file: &Path) -> io::Result<()> {
    let draft = draft_of(file)?;
    create(&draft)?;
    fs::remove_file(draft)
}

/// Writes a calibration to `file`, whole or not at all: a reader never sees half of one.
///
/// # Errors
/// Whatever the file system reports; the calibration that was there before is then untouched.
pub fn write(calibration: &Calibration, file: &Path) -> io::Result<()> {
    let draft = draft_of(file)?;
    let written = write_draft(calibration, &draft)
        .and_then(|()| fs::rename(&draft, file))
        .and_then(|()| File::open(folder_of(file))?.sync_all());
    if written.is_err() {
        // The first error is the one to tell; a draft left behind does no harm.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn write_draft(calibration: &Calibration, draft: &Path) -> io::Result<()> {
    let mut file = create(draft)?;
    serde_json::to_writer_pretty(&mut file, calibration)?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn create(draft: &Path) -> io::Result<File> {
    // One left behind by a process of the same number that was killed.
    let _ = fs::remove_file(draft);
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)
}

/// Where `file` is written before it gets its name; its folder is made if need be.
fn draft_of(file: &Path) -> io::Result<PathBuf> {
    let name = file
        .file_name()
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?
        .to_string_lossy();
    let folder = folder_of(file);
    fs::create_dir_all(folder)?;
    Ok(folder.join(format!(".{name}.{}", std::process::id())))
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
