//! The files of a run's folder: made from the records alone, and no more of them than the records make.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hola::lab::record::{Run, Trial};
use hola::lab::store::RunFolder;
use hola::report::exports;

use crate::eventful::eventful;
use crate::exports::small;
use crate::fixture::measured;

/// A folder that holds the records of a run and nothing else.
pub(crate) fn stored(results: &Path, run: &Run, trials: &[Trial]) -> PathBuf {
    let mut folder = RunFolder::create(results, run).expect("a folder");
    for trial in trials {
        folder.add_trial(trial).expect("written");
    }
    folder.path().to_path_buf()
}

fn hola_report(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_hola"))
        .arg("report")
        .arg(folder)
        .args(arguments)
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).expect("text")
}

/// Every file below `folder`, with what it holds.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let octets = fs::read(&path).expect("a file");
            found.insert(path, octets);
        }
    }
    found
}

#[test]
fn whatever_is_deleted_beside_the_records_is_built_again_byte_for_byte() {
    let results = tempfile::tempdir().expect("a folder");
    let (run, trials) = eventful();
    let folder = stored(results.path(), &run, &trials);
    let records = files(&folder);
    hola_report(&folder, &[]);
    let written = files(&folder);
    assert!(written.len() > records.len() + 10);
    for path in written.keys().filter(|path| !records.contains_key(*path)) {
        fs::remove_file(path).expect("removed");
    }
    assert!(files(&folder) == records);
    hola_report(&folder, &[]);
    assert!(files(&folder) == written);
    for (format, name) in [
        ("cells", "csv/churn.csv"),
        ("hyperfine", "exports/hyperfine.json"),
        (
            "github-action-benchmark",
            "exports/github-action-benchmark.json",
        ),
    ] {
        let printed = hola_report(&folder, &["--format", format]);
        assert_eq!(printed.as_bytes(), written[&folder.join(name)], "{format}");
    }
}

#[test]
fn what_former_records_left_goes_and_what_is_not_ours_stays() {
    let results = tempfile::tempdir().expect("a folder");
    let (mut run, mut trials) = small();
    let folder = stored(results.path(), &run, &trials);
    hola_report(&folder, &[]);
    let written = files(&folder);
    let put = |name: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, "before").expect("written");
        path
    };
    for stale in [
        "csv/former.csv",
        "csv/churn.csv.tmp",
        "hlog/former/1-client--tokio.hlog",
        "hlog/churn/2-clients--tokio.hlog",
    ] {
        put(stale);
    }
    let foreign = [
        "csv/My table.csv",
        "csv/notes.txt",
        "csv/deeper/churn.csv",
        "hlog/notes.hlog",
        "exports/other.json",
        "former.csv",
    ]
    .map(put);
    hola_report(&folder, &[]);
    let mut after = files(&folder);
    assert!(foreign.iter().all(|path| after.remove(path).is_some()));
    assert!(after == written);
    assert!(!folder.join("hlog/former").exists());

    // Without costs to compare and histograms to log, only the table of cells is left.
    for path in &foreign {
        fs::remove_file(path).expect("removed");
    }
    run.experiments[0].figures = vec!["good_per_s".to_owned()];
    for trial in &mut trials {
        measured(trial).response_histogram = None;
    }
    let other = tempfile::tempdir().expect("a folder");
    for (path, octets) in files(&stored(other.path(), &run, &trials)) {
        fs::write(folder.join(path.file_name().expect("a name")), octets).expect("written");
    }
    hola_report(&folder, &[]);
    let left: Vec<PathBuf> = exports::FOLDERS
        .iter()
        .map(|name| folder.join(name))
        .filter(|path| path.exists())
        .collect();
    assert_eq!(left, [folder.join("csv")]);
}

#[test]
fn links_are_neither_followed_nor_removed() {
    let results = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let (run, trials) = small();
    let folder = stored(results.path(), &run, &trials);
    let kept = elsewhere.path().join("1-client--former.hlog");
    fs::write(&kept, "kept").expect("written");
    fs::create_dir(folder.join("hlog")).expect("made");
    let link = folder.join("hlog/former");
    std::os::unix::fs::symlink(elsewhere.path(), &link).expect("linked");
    hola_report(&folder, &[]);
    assert!(kept.exists() && link.is_symlink());
}
