//! The folder of a run, written so that whatever was measured survives a crash at any moment.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::record::{Run, SCHEMA_VERSION, Trial};
use crate::result_folder::ResultFolder;

const RUN_FILE: &str = "run.json";
const TRIALS_FILE: &str = "trials.jsonl";

/// The folder of one run, open for adding to it.
#[derive(Debug)]
pub struct RunFolder {
    folder: ResultFolder,
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
        let folder = ResultFolder::open_or_create(results)?.create_subfolder(&run.name)?;
        let trials = folder.create(TRIALS_FILE)?;
        lock(&trials, &folder)?;
        let folder = RunFolder {
            folder,
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
        let folder = ResultFolder::open(path)?;
        let mut trials = folder.append(TRIALS_FILE)?;
        lock(&trials, &folder)?;
        let (run, made) = read_from(&folder)?;
        let shown = path.join(TRIALS_FILE);
        let mut text = Vec::new();
        trials
            .read_to_end(&mut text)
            .with_context(|| format!("cannot read {}", shown.display()))?;
        let whole = text
            .iter()
            .rposition(|&octet| octet == b'\n')
            .map_or(0, |last| last + 1);
        trials
            .set_len(whole as u64)
            .with_context(|| format!("cannot shorten {}", shown.display()))?;
        let folder = RunFolder {
            folder,
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
        self.folder.path()
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
        write.with_context(|| format!("cannot write {}", self.path().join(TRIALS_FILE).display()))
    }

    /// Replaces `run.json`.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub fn write_run(&self, run: &Run) -> Result<()> {
        let mut json = serde_json::to_string_pretty(run)?;
        json.push('\n');
        self.folder.write(RUN_FILE, &json)
    }
}

/// Writes the reports of the run at `path`, each by its name below that folder, and removes from the folders `within` it what
/// other records or another version had left there: files whose name `is_report` knows.
///
/// # Errors
/// Names the file that could not be written.
pub fn write_reports(
    path: &Path,
    reports: &[(String, String)],
    within: &[&str],
    is_report: fn(&str) -> bool,
) -> Result<()> {
    let folder = ResultFolder::open(path)?;
    for (name, text) in reports {
        folder.write(name, text)?;
    }
    let written = reports.iter().map(|(name, _)| name.as_str()).collect();
    folder.remove_others(within, &written, is_report)
}

/// Reads a run back. A last line cut short by a crash is left out; anything else unreadable is an error.
///
/// # Errors
/// Names the file, and the line, that cannot be read.
pub fn read(path: &Path) -> Result<(Run, Vec<Trial>)> {
    read_from(&ResultFolder::open(path)?)
}

fn read_from(folder: &ResultFolder) -> Result<(Run, Vec<Trial>)> {
    let run_path = folder.path().join(RUN_FILE);
    let run = folder.read(RUN_FILE)?;
    let not_a_run = || format!("{} is not a run", run_path.display());
    let run: serde_json::Value = serde_json::from_str(&run).with_context(not_a_run)?;
    let schema = run["schema_version"].as_u64().unwrap_or(0);
    ensure!(
        schema >= SCHEMA_VERSION.into(),
        "{} is of schema {schema}, and this program reads {SCHEMA_VERSION}: make the run again",
        run_path.display()
    );
    let run = serde_json::from_value(run).with_context(not_a_run)?;
    let trials_path = folder.path().join(TRIALS_FILE);
    let text = folder.read(TRIALS_FILE)?;
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
fn lock(trials: &File, folder: &ResultFolder) -> Result<()> {
    let path = folder.path().join(TRIALS_FILE);
    match trials.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            bail!("another program is writing {}", path.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}
