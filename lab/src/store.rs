//! The folder of a run, written so that whatever was measured survives a crash at any moment.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::record::{Block, Run, SCHEMA_VERSION};
use crate::result_folder::ResultFolder;

const RUN_FILE: &str = "run.json";
const BLOCKS_FILE: &str = "blocks.jsonl";

/// Runs that may begin within one second and get a folder each.
const SAME_NAME_MAX: u32 = 100;

/// The folder of one run, open for adding to it.
#[derive(Debug)]
pub struct RunFolder {
    folder: ResultFolder,
    blocks: File,
}

impl RunFolder {
    /// Creates a folder named as `run` in `results`; an older run is never overwritten. A run whose name is taken, as by
    /// another that began in the same second, gets a number behind its name.
    ///
    /// # Errors
    /// Names the path that could not be made.
    pub fn create(results: &Path, run: &mut Run) -> Result<Self> {
        let folder = create_unused(&ResultFolder::open_or_create(results)?, &mut run.name)?;
        let blocks = folder.create(BLOCKS_FILE)?;
        lock(&blocks, &folder)?;
        let folder = RunFolder { folder, blocks };
        folder.write_run(run)?;
        Ok(folder)
    }

    /// Opens the folder of a run to resume it: a last line cut short is taken away, and no other program may be at it.
    ///
    /// # Errors
    /// Names the file that cannot be read or written, or says that another program is at it.
    pub fn open(path: &Path) -> Result<(Self, Run, Vec<Block>)> {
        let folder = ResultFolder::open(path)?;
        let blocks = folder.append(BLOCKS_FILE)?;
        lock(&blocks, &folder)?;
        let (run, made) = read_from(&folder)?;
        let text = folder.read(BLOCKS_FILE)?;
        let whole = text.rfind('\n').map_or(0, |last| last + 1);
        let shown = path.join(BLOCKS_FILE);
        blocks
            .set_len(whole as u64)
            .with_context(|| format!("cannot shorten {}", shown.display()))?;
        Ok((RunFolder { folder, blocks }, run, made))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Adds one block, on disk when this returns.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub fn add_block(&mut self, block: &Block) -> Result<()> {
        let mut line = serde_json::to_string(block)?;
        line.push('\n');
        let written = self
            .blocks
            .write_all(line.as_bytes())
            .and_then(|()| self.blocks.sync_data());
        written.with_context(|| format!("cannot write {}", self.path().join(BLOCKS_FILE).display()))
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

/// Makes a folder of that name, or with a number behind it where the name is taken.
fn create_unused(results: &ResultFolder, name: &mut String) -> Result<ResultFolder> {
    let wanted = name.clone();
    for number in 2..=SAME_NAME_MAX {
        match results.create_subfolder(name) {
            Err(error) if is_taken(&error) => *name = format!("{wanted}-{number}"),
            created => return created,
        }
    }
    bail!(
        "{} has too many runs named {wanted}",
        results.path().display()
    )
}

fn is_taken(error: &anyhow::Error) -> bool {
    let source = error.root_cause().downcast_ref::<std::io::Error>();
    source.is_some_and(|source| source.kind() == ErrorKind::AlreadyExists)
}

/// Replaces a report in a run's folder: either the old text or the new one is there, whenever the power fails.
///
/// # Errors
/// Names the file that could not be written.
pub fn write_reports(folder: &Path, reports: &[(String, String)]) -> Result<()> {
    let folder = ResultFolder::open(folder)?;
    reports
        .iter()
        .try_for_each(|(name, text)| folder.write(name, text))
}

/// Reads a run back. A last line cut short by a crash is left out; anything else that cannot be read is an error, and so is
/// a block that is there twice.
///
/// # Errors
/// Names the file, and the line, that cannot be read.
pub fn read(folder: &Path) -> Result<(Run, Vec<Block>)> {
    read_from(&ResultFolder::open(folder)?)
}

fn read_from(folder: &ResultFolder) -> Result<(Run, Vec<Block>)> {
    let run_path = folder.path().join(RUN_FILE);
    let not_a_run = || format!("{} is not a run", run_path.display());
    let run: serde_json::Value =
        serde_json::from_str(&folder.read(RUN_FILE)?).with_context(not_a_run)?;
    let schema = run["schema_version"].as_u64().unwrap_or(0);
    ensure!(
        schema == u64::from(SCHEMA_VERSION),
        "{} is of schema {schema}, and this program reads {SCHEMA_VERSION}: {}",
        run_path.display(),
        if schema > u64::from(SCHEMA_VERSION) {
            "use a newer program"
        } else {
            "make the run again"
        }
    );
    let run: Run = serde_json::from_value(run).with_context(not_a_run)?;
    let blocks_path = folder.path().join(BLOCKS_FILE);
    let text = folder.read(BLOCKS_FILE)?;
    let mut blocks = Vec::new();
    let mut seen = BTreeSet::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let place = || format!("{} line {}", blocks_path.display(), number + 1);
        let block: Block = match serde_json::from_str(line) {
            Ok(block) => block,
            Err(_) if !line.ends_with('\n') => break,
            Err(error) => return Err(error).with_context(place),
        };
        let known = run.designs.iter().any(|design| {
            design.experiment == block.experiment
                && design.stages.iter().any(|stage| stage.name == block.stage)
        });
        ensure!(known, "{}: the run plans no such stage", place());
        let key = (block.experiment.clone(), block.stage.clone(), block.index);
        ensure!(seen.insert(key), "{}: this block is there twice", place());
        blocks.push(block);
    }
    Ok((run, blocks))
}

/// Keeps other programs from writing there too, for as long as the file is open.
fn lock(file: &File, folder: &ResultFolder) -> Result<()> {
    let path = folder.path().join(BLOCKS_FILE);
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
