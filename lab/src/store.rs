//! The folder of a run. What was measured survives a crash at any time. Every error names the path.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::record::{Block, Run, SCHEMA_VERSION};
use crate::result_folder::ResultFolder;

const RUN_FILE: &str = "run.json";
const BLOCKS_FILE: &str = "blocks.jsonl";

/// Most runs that can begin within one second and get a folder each.
const SAME_NAME_MAX: u32 = 100;

/// The folder of one run, open for writing.
#[derive(Debug)]
pub struct RunFolder {
    folder: ResultFolder,
    blocks: File,
}

impl RunFolder {
    /// Creates a folder with the name of `run` in `results`; never overwrites an older run. If the name is taken, for
    /// example by a run of the same second, the run gets a number after its name.
    pub fn create(results: &Path, run: &mut Run) -> Result<Self> {
        let folder = create_unused(&ResultFolder::open_or_create(results)?, &mut run.name)?;
        let blocks = folder.create(BLOCKS_FILE)?;
        lock(&blocks, &folder)?;
        let folder = RunFolder { folder, blocks };
        folder.write_run(run)?;
        Ok(folder)
    }

    /// Opens the folder of a run to resume it. Locks it against other programs (an error if one is writing there), and
    /// removes an incomplete last line.
    pub fn open(path: &Path) -> Result<(Self, Run, Vec<Block>)> {
        let folder = ResultFolder::open(path)?;
        let blocks = folder.append(BLOCKS_FILE)?;
        lock(&blocks, &folder)?;
        let (run, made) = read_from(&folder)?;
        let text = folder.read(BLOCKS_FILE)?;
        let whole = text.rfind('\n').map_or(0, |last| last + 1);
        blocks
            .set_len(whole as u64)
            .with_context(|| format!("cannot shorten {}", path.join(BLOCKS_FILE).display()))?;
        Ok((RunFolder { folder, blocks }, run, made))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Appends one block; it is on disk when this returns.
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
    pub fn write_run(&self, run: &Run) -> Result<()> {
        let mut json = serde_json::to_string_pretty(run)?;
        json.push('\n');
        self.folder.write(RUN_FILE, &json)
    }
}

/// Makes a folder of that name, with a number after it if the name is taken.
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

/// Replaces reports in a folder, which is made if it does not exist. After a power failure, each file has either its old
/// or its new text.
pub fn write_reports(folder: &Path, reports: &[(String, String)]) -> Result<()> {
    let folder = ResultFolder::open_or_create(folder)?;
    let mut reports = reports.iter();
    reports.try_for_each(|(name, text)| folder.write(name, text))
}

/// Reads a stored run. Ignores a last line that a crash has cut short. Any other unreadable text is an error, and so is
/// a block that occurs twice; it names the line.
pub fn read(folder: &Path) -> Result<(Run, Vec<Block>)> {
    read_from(&ResultFolder::open(folder)?)
}

/// Tells a run's records from those of another moment, without reading them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordsStamp {
    /// When `run.json` was replaced.
    run_written_at: SystemTime,
    /// Length of `blocks.jsonl`, in bytes.
    blocks_bytes: u64,
}

/// The stamp of the records that a folder has now.
///
/// # Errors
/// Returns an error that names the file if it is not there.
pub fn stamp(folder: &Path) -> Result<RecordsStamp> {
    let of_file = |name| {
        let metadata = fs::symlink_metadata(folder.join(name));
        metadata.with_context(|| format!("{} is no run: cannot read {name}", folder.display()))
    };
    Ok(RecordsStamp {
        run_written_at: of_file(RUN_FILE)?.modified()?,
        blocks_bytes: of_file(BLOCKS_FILE)?.len(),
    })
}

/// Hash of a run's records, as hexadecimal digits: runs with the same hash are the same run, wherever they are stored.
pub fn fingerprint(folder: &Path) -> Result<String> {
    let folder = ResultFolder::open(folder)?;
    let mut hash = Sha256::new();
    for name in [RUN_FILE, BLOCKS_FILE] {
        let text = folder.read(name)?;
        // With the length, no other split of the same text between the files has the same hash.
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    let digits = hash.finalize().into_iter();
    Ok(digits.map(|byte| format!("{byte:02x}")).collect())
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
        let mut stages = run.designs.iter().flat_map(|design| {
            let names = design.stages.iter().map(|stage| &stage.name);
            names.map(move |stage| (&design.experiment, stage))
        });
        let known = stages.any(|planned| planned == (&block.experiment, &block.stage));
        ensure!(known, "{}: the run plans no such stage", place());
        let key = (block.experiment.clone(), block.stage.clone(), block.index);
        ensure!(seen.insert(key), "{}: this block is there twice", place());
        blocks.push(block);
    }
    Ok((run, blocks))
}

/// Locks the file against other programs for as long as it is open.
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
