//! The folder of a run, written so that whatever was measured survives a crash at any moment.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::record::{Run, SCHEMA_VERSION, Trial};

const RUN_FILE: &str = "run.json";
const TRIALS_FILE: &str = "trials.jsonl";

/// Ending of a file that is not whole yet.
const UNFINISHED: &str = ".tmp";

/// The folder of one run, open for adding to it.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    trials: File,
    /// Positions of the trials it held when it was opened.
    positions: BTreeSet<u32>,
}

impl RunFolder {
    /// Creates `results/NAME`; an older run is never overwritten.
    ///
    /// # Errors
    /// Names the path that could not be made.
    pub fn create(results: &Path, run: &Run) -> Result<Self> {
        fs::create_dir_all(results)
            .with_context(|| format!("cannot create {}", results.display()))?;
        let path = results.join(&run.name);
        fs::DirBuilder::new()
            .mode(0o755)
            .create(&path)
            .with_context(|| format!("cannot create {}", path.display()))?;
        let trials_path = path.join(TRIALS_FILE);
        let mut options = OpenOptions::new();
        options.append(true).create_new(true).mode(0o600);
        let trials = options
            .open(&trials_path)
            .with_context(|| format!("cannot create {}", trials_path.display()))?;
        lock(&trials, &trials_path)?;
        let folder = RunFolder {
            path,
            trials,
            positions: BTreeSet::new(),
        };
        folder.write_run(run)?;
        Ok(folder)
    }

    /// Opens the folder of a run to go on with it: a last line cut short is taken away, and no other program may be at it.
    ///
    /// # Errors
    /// Names the file that cannot be read or written, or says who else is at it.
    pub fn open(path: &Path) -> Result<(Self, Run, Vec<Trial>)> {
        let trials_path = path.join(TRIALS_FILE);
        let mut options = OpenOptions::new();
        let trials = options
            .append(true)
            .open(&trials_path)
            .with_context(|| format!("cannot open {}", trials_path.display()))?;
        lock(&trials, &trials_path)?;
        let (run, made) = read(path)?;
        let text = fs::read(&trials_path)
            .with_context(|| format!("cannot read {}", trials_path.display()))?;
        let whole = text
            .iter()
            .rposition(|&octet| octet == b'\n')
            .map_or(0, |last| last + 1);
        trials
            .set_len(whole as u64)
            .with_context(|| format!("cannot shorten {}", trials_path.display()))?;
        let folder = RunFolder {
            path: path.to_path_buf(),
            trials,
            positions: made.iter().map(|trial| trial.position).collect(),
        };
        Ok((folder, run, made))
    }

    /// Positions of the trials it held when it was opened.
    pub fn positions(&self) -> &BTreeSet<u32> {
        &self.positions
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds one trial, on disk when this returns.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub fn add_trial(&mut self, trial: &Trial) -> Result<()> {
        let mut line = serde_json::to_string(trial)?;
        line.push('\n');
        let write = self
            .trials
            .write_all(line.as_bytes())
            .and_then(|()| self.trials.sync_data());
        write.with_context(|| format!("cannot write {}", self.path.join(TRIALS_FILE).display()))
    }

    /// Replaces `run.json`.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub fn write_run(&self, run: &Run) -> Result<()> {
        let mut json = serde_json::to_string_pretty(run)?;
        json.push('\n');
        self.write(RUN_FILE, &json)
    }

    /// Replaces a file of the folder: either the old text or the new one is there, whenever the power fails.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        replace(&self.path.join(name), text)
            .with_context(|| format!("cannot write {}", self.path.join(name).display()))
    }
}

/// Replaces a report of a finished run; `name` may be in a folder below the run's, which is made if need be.
///
/// # Errors
/// Names the file that could not be written.
pub fn write_report(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    let folder = path.parent().unwrap_or(folder);
    fs::create_dir_all(folder)
        .and_then(|()| replace(&path, text))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Removes from the folders `within` a run's what an earlier report left there: files that are not among those `written`
/// now and whose path `is_report` knows, and folders that are empty without them. All paths are below the run's folder.
///
/// Links are neither followed nor removed.
///
/// # Errors
/// Names the folder that could not be tidied.
pub fn remove_stale(
    folder: &Path,
    within: &[&str],
    written: &BTreeSet<&str>,
    is_report: fn(&str) -> bool,
) -> Result<()> {
    let is_stale = |name: &str| {
        let finished = name.strip_suffix(UNFINISHED).unwrap_or(name);
        !written.contains(name) && is_report(finished)
    };
    for name in within {
        let path = folder.join(name);
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
            sweep(&path, name, &is_stale)
                .with_context(|| format!("cannot tidy {}", path.display()))?;
        }
    }
    Ok(())
}

/// Removes what is stale in a folder and below it; says whether that was anything.
fn sweep(folder: &Path, name: &str, is_stale: &dyn Fn(&str) -> bool) -> io::Result<bool> {
    let mut removed = false;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // No report has a name that is no text.
        let Ok(file) = entry.file_name().into_string() else {
            continue;
        };
        let name = format!("{name}/{file}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            removed |= sweep(&entry.path(), &name, is_stale)?;
        } else if kind.is_file() && is_stale(&name) {
            fs::remove_file(entry.path())?;
            removed = true;
        }
    }
    if removed {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            gone => gone?,
        }
    }
    Ok(removed)
}

/// Reads a run back. A last line cut short by a crash is left out; anything else unreadable is an error.
///
/// # Errors
/// Names the file, and the line, that cannot be read.
pub fn read(folder: &Path) -> Result<(Run, Vec<Trial>)> {
    let run_path = folder.join(RUN_FILE);
    let run = fs::read_to_string(&run_path)
        .with_context(|| format!("cannot read {}", run_path.display()))?;
    let not_a_run = || format!("{} is not a run", run_path.display());
    let run: serde_json::Value = serde_json::from_str(&run).with_context(not_a_run)?;
    let schema = run["schema_version"].as_u64().unwrap_or(0);
    ensure!(
        schema >= SCHEMA_VERSION.into(),
        "{} is of schema {schema}, and this program reads {SCHEMA_VERSION}: make the run again",
        run_path.display()
    );
    let run = serde_json::from_value(run).with_context(not_a_run)?;
    let trials_path = folder.join(TRIALS_FILE);
    let text = fs::read_to_string(&trials_path)
        .with_context(|| format!("cannot read {}", trials_path.display()))?;
    let mut trials = Vec::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        match serde_json::from_str(line) {
            Ok(trial) => trials.push(trial),
            Err(_) if !line.ends_with('\n') => break,
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("{} line {}", trials_path.display(), number + 1));
            }
        }
    }
    Ok((run, trials))
}

/// Keeps other programs from writing there too, for as long as the file is open.
fn lock(file: &File, path: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            bail!("another program is writing {}", path.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(UNFINISHED);
    let mut file = File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(folder)?.sync_all()
}
