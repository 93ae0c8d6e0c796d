//! The folder of a run, written so that whatever was measured survives a crash at any moment.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use nix::libc;

use crate::record::{Block, Run, SCHEMA_VERSION};

const RUN_FILE: &str = "run.json";
const BLOCKS_FILE: &str = "blocks.jsonl";

/// Ending of a file that is not whole yet.
const UNFINISHED: &str = ".tmp";

/// Runs that may begin within one second and get a folder each.
const SAME_NAME_MAX: u32 = 100;

/// The folder of one run, open for adding to it.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    blocks: File,
}

impl RunFolder {
    /// Creates a folder named as `run` in `results`; an older run is never overwritten. A run whose name is taken, as by
    /// another that began in the same second, gets a number behind its name.
    ///
    /// # Errors
    /// Names the path that could not be made.
    pub fn create(results: &Path, run: &mut Run) -> Result<Self> {
        fs::create_dir_all(results)
            .with_context(|| format!("cannot create {}", results.display()))?;
        let name = run.name.clone();
        let path = (1..=SAME_NAME_MAX)
            .find_map(|number| {
                if number > 1 {
                    run.name = format!("{name}-{number}");
                }
                let path = results.join(&run.name);
                match fs::DirBuilder::new().mode(0o755).create(&path) {
                    Ok(()) => Some(Ok(path)),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
                    Err(error) => Some(
                        Err(error).with_context(|| format!("cannot create {}", path.display())),
                    ),
                }
            })
            .with_context(|| format!("{} has too many runs named {name}", results.display()))??;
        let blocks_path = path.join(BLOCKS_FILE);
        let mut options = OpenOptions::new();
        options.append(true).create_new(true).mode(0o600);
        let blocks = options
            .open(&blocks_path)
            .with_context(|| format!("cannot create {}", blocks_path.display()))?;
        lock(&blocks, &blocks_path)?;
        let folder = RunFolder { path, blocks };
        folder.write_run(run)?;
        Ok(folder)
    }

    /// Opens the folder of a run to resume it: a last line cut short is taken away, and no other program may be at it.
    ///
    /// # Errors
    /// Names the file that cannot be read or written, or says that another program is at it.
    pub fn open(path: &Path) -> Result<(Self, Run, Vec<Block>)> {
        let blocks_path = path.join(BLOCKS_FILE);
        let mut options = OpenOptions::new();
        options
            .append(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        let blocks = options
            .open(&blocks_path)
            .with_context(|| format!("cannot open {}", blocks_path.display()))?;
        lock(&blocks, &blocks_path)?;
        let (run, made) = read(path)?;
        let text = read_file(&blocks_path)?;
        let whole = text.rfind('\n').map_or(0, |last| last + 1);
        blocks
            .set_len(whole as u64)
            .with_context(|| format!("cannot shorten {}", blocks_path.display()))?;
        let folder = RunFolder {
            path: path.to_path_buf(),
            blocks,
        };
        Ok((folder, run, made))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds one block, on disk when this returns.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub fn add_block(&mut self, block: &Block) -> Result<()> {
        let mut line = serde_json::to_string(block)?;
        line.push('\n');
        let write = self
            .blocks
            .write_all(line.as_bytes())
            .and_then(|()| self.blocks.sync_data());
        write.with_context(|| format!("cannot write {}", self.path.join(BLOCKS_FILE).display()))
    }

    /// Replaces `run.json`.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub fn write_run(&self, run: &Run) -> Result<()> {
        let mut json = serde_json::to_string_pretty(run)?;
        json.push('\n');
        write(&self.path, RUN_FILE, &json)
    }
}

/// Replaces a file of a run's folder: either the old text or the new one is there, whenever the power fails.
///
/// # Errors
/// Names the file that could not be written.
pub fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    replace(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads a run back. A last line cut short by a crash is left out; anything else that cannot be read is an error, and so is
/// a block that is there twice.
///
/// # Errors
/// Names the file, and the line, that cannot be read.
pub fn read(folder: &Path) -> Result<(Run, Vec<Block>)> {
    let run_path = folder.join(RUN_FILE);
    let not_a_run = || format!("{} is not a run", run_path.display());
    let run: serde_json::Value =
        serde_json::from_str(&read_file(&run_path)?).with_context(not_a_run)?;
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
    let blocks_path = folder.join(BLOCKS_FILE);
    let text = read_file(&blocks_path)?;
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

/// The text of a regular file; a pipe or a device in its place is an error, and no link is followed.
fn read_file(path: &Path) -> Result<String> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let cannot_read = || format!("cannot read {}", path.display());
    let mut file = options.open(path).with_context(cannot_read)?;
    ensure!(
        file.metadata().with_context(cannot_read)?.is_file(),
        "{} is not a regular file",
        path.display()
    );
    let mut text = String::new();
    file.read_to_string(&mut text).with_context(cannot_read)?;
    Ok(text)
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
    // What a killed program left there, or a link that somebody put there, is taken away and not written through.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(&temporary)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    if written.is_err() {
        // Half a file is of no use, and its room may be what others lack.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    fs::rename(&temporary, path)?;
    File::open(folder)?.sync_all()
}
