//! The files of the ranks in their folder: for each a record in JSON, and an HdrHistogram log with its distributions.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::record::RankRecord;
use crate::histograms::Histograms;
use crate::summary::SCHEMA_VERSION;
use crate::text::hdr;

/// What stands between the name of the load and the number of the rank.
const SEPARATOR: &str = ".rank-";

/// Name of a file of rank `rank` of the load `run_id`; its ending is `json` or `hlog`.
pub(crate) fn file_name(run_id: &str, rank: u64, ending: &str) -> String {
    format!("{run_id}{SEPARATOR}{rank:05}.{ending}")
}

/// The files of one rank.
#[derive(Debug)]
pub(super) struct RankFile {
    /// Name of the record.
    pub(super) name: String,
    path: PathBuf,
}

impl RankFile {
    /// The record, or why it cannot be read.
    pub(super) fn record(&self) -> Result<RankRecord, String> {
        let read = fs::read(&self.path).map_err(|error| error.to_string());
        read.and_then(|json| read_record(&json))
            .map_err(|reason| format!("{}: {reason}", self.name))
    }

    /// Number of the rank that its name tells.
    pub(super) fn rank_in_name(&self) -> Option<u32> {
        let (_, rank) = name_parts(&self.name)?;
        rank.parse().ok()
    }

    /// The distributions in the log beside it, or why they cannot be read.
    pub(super) fn histograms(&self) -> Result<Histograms, String> {
        let path = self.path.with_extension("hlog");
        let read = fs::read(&path).map_err(|error| error.to_string());
        read.and_then(|log| hdr::read(&log))
            .map_err(|reason| format!("{}: {reason}", path.display()))
    }
}

/// The name of the load and the number of the rank in the name of a record; `None` if the file is no record.
fn name_parts(name: &str) -> Option<(&str, &str)> {
    name.strip_suffix(".json")?.rsplit_once(SEPARATOR)
}

fn read_record(json: &[u8]) -> Result<RankRecord, String> {
    let torn = |error| format!("torn, or no result of a rank: {error}");
    let record: RankRecord = serde_json::from_slice(json).map_err(torn)?;
    let (rank, ranks) = (record.rank, record.ranks);
    match record.schema_version {
        SCHEMA_VERSION if rank < ranks => Ok(record),
        SCHEMA_VERSION => Err(format!("there is no rank {rank} of {ranks}")),
        other => Err(format!("written by another version (format {other})")),
    }
}

/// The files in `folder` in the order of their names; with `run_id`, only those of that load.
///
/// # Errors
/// The error of reading the folder.
pub(super) fn read(folder: &Path, run_id: Option<&str>) -> io::Result<Vec<RankFile>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.into_owned();
        let is_wanted = |(load, _)| run_id.is_none_or(|run_id| run_id == load);
        if name_parts(&name).is_some_and(is_wanted) {
            files.push(RankFile { name, path });
        }
    }
    files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of `a.rank-1` once counted as those of `a`, too.
    #[test]
    fn a_load_has_the_files_of_its_whole_name_alone() {
        let folder = tempfile::tempdir().unwrap();
        for run_id in ["a", "a.rank-1", "b"] {
            fs::write(folder.path().join(file_name(run_id, 0, "json")), "").unwrap();
        }
        let files = read(folder.path(), Some("a")).unwrap();
        let names: Vec<&str> = files.iter().map(|file| &*file.name).collect();
        assert_eq!(names, ["a.rank-00000.json"]);
        assert_eq!(read(folder.path(), None).unwrap().len(), 3);
    }
}
