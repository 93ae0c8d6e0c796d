//! Many runs on the command line: their folders, what they are called, and which of them are of one machine.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use hola_base::output::say_error;
use hola_lab::record::{Block, Run};
use hola_lab::store;
use hola_verdict::class::{self, Class, JudgedRun, RunIdentity};
use rayon::prelude::*;

use super::RUN_ERROR;

/// Folders of runs.
#[derive(Args, Clone, Debug)]
pub(super) struct ManyRunsArgs {
    /// Folders of runs
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// What tells which runs are of one machine
    #[arg(long, value_name = "BY", value_enum, default_value_t = MachinesBy::Hardware)]
    machines: MachinesBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MachinesBy {
    /// Processor, number of CPUs, memory, virtual or not, as the runs recorded them
    Hardware,
    /// The folder that the folder of a run is in, for machines of the same make
    Folder,
}

/// Runs that were read, put together.
pub(super) struct ManyRuns {
    pub(super) class: Class,
    /// Folder of each run, by its hash.
    folders: BTreeMap<String, PathBuf>,
    /// Number of folders that could not be read.
    pub(super) unread: usize,
}

impl ManyRuns {
    /// The records of a run, which are read again: those of many runs do not fit into memory.
    ///
    /// # Errors
    /// Returns an error if they can no longer be read.
    pub(super) fn records(&self, run: &JudgedRun) -> Result<(Run, Vec<Block>)> {
        let folder = self.folders.get(&run.identity.id);
        store::read(folder.context("a run without a folder")?)
    }

    /// Tells whether a folder was left out.
    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.unread > 0 { RUN_ERROR } else { 0 })
    }
}

impl ManyRunsArgs {
    /// Reads every run on all CPUs. A folder that cannot be read is named and left out.
    ///
    /// # Errors
    /// Returns an error if no folder can be read.
    pub(super) fn read(&self, pseudonyms: bool) -> Result<ManyRuns> {
        let paths = self.folders.iter().map(|folder| parts(folder));
        let paths: Vec<Vec<String>> = paths.collect();
        let common = common_length(&paths);
        let read = self.folders.par_iter().zip(&paths).map(|(folder, path)| {
            let (run, blocks) = store::read(folder)?;
            let id = store::fingerprint(folder)?;
            let identity = self.identity(id, path, common, &run, pseudonyms);
            Ok(JudgedRun::new(&run, &blocks, identity))
        });
        let read: Vec<Result<JudgedRun>> = read.collect();
        let (mut runs, mut folders) = (Vec::new(), BTreeMap::new());
        for (folder, read) in self.folders.iter().zip(read) {
            match read {
                Ok(run) => {
                    folders.insert(run.identity.id.clone(), folder.clone());
                    runs.push(run);
                }
                Err(error) => say_error(&error.context("left out")),
            }
        }
        ensure!(
            !runs.is_empty(),
            "none of the folders is a run that can be read"
        );
        Ok(ManyRuns {
            unread: self.folders.len() - runs.len(),
            class: Class::new(runs),
            folders,
        })
    }

    /// A run is called after its path below the folder that all have in common, and its machine after the folder that the
    /// run's is in.
    fn identity(
        &self,
        id: String,
        path: &[String],
        common: usize,
        run: &Run,
        pseudonyms: bool,
    ) -> RunIdentity {
        let own = &path[common..];
        let machine = match self.machines {
            MachinesBy::Hardware => class::hardware(&run.environment),
            MachinesBy::Folder => path[..path.len().saturating_sub(1)].join("/"),
        };
        let [label, machine_name] = match (pseudonyms, own) {
            (true, _) => ["run", "machine"].map(|kind| format!("{kind} {id:.8}")),
            (false, [parents @ .., _]) if !parents.is_empty() => [own.join("/"), parents.join("/")],
            (false, _) => [own.join("/"), own.join("/")],
        };
        RunIdentity {
            id,
            label,
            machine,
            machine_name,
        }
    }
}

/// The names in an absolute path, without `.` and `..`.
fn parts(folder: &Path) -> Vec<String> {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let mut parts = Vec::new();
    for component in absolute.components() {
        match component {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => drop(parts.pop()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts
}

/// Number of names with which all paths begin; each path has one more.
fn common_length(paths: &[Vec<String>]) -> usize {
    let Some((first, others)) = paths.split_first() else {
        return 0;
    };
    let shared = |other: &Vec<String>| {
        let pairs = first.iter().zip(other);
        pairs.take_while(|(left, right)| left == right).count()
    };
    let shortest = paths.iter().map(|path| path.len().saturating_sub(1));
    let shared = others.iter().map(shared).chain(shortest);
    shared.min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(folders: &[&str]) -> Vec<String> {
        let paths: Vec<_> = folders.iter().map(|one| parts(Path::new(one))).collect();
        let common = common_length(&paths);
        paths.iter().map(|path| path[common..].join("/")).collect()
    }

    #[test]
    fn runs_are_called_after_what_their_paths_do_not_have_in_common() {
        assert_eq!(own(&["/a/b/run"]), ["run"]);
        assert_eq!(
            own(&["/a/ana/run", "/a/./luis/../luis/run/"]),
            ["ana/run", "luis/run"]
        );
        assert_eq!(own(&["/a/run", "/a/run"]), ["run", "run"]);
        assert_eq!(own(&["/a", "/a/run"]), ["a", "a/run"]);
    }
}
