//! The reports under test, written by `hola report`: of the full run that is kept with the source, and of a small run in
//! which everything went wrong that can.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use hola::lab::record::{Run, Trial};
use hola::lab::store::{self, RunFolder};

use crate::driver::HOLA;
use crate::eventful::eventful;

/// The languages of a report.
pub(crate) const LANGUAGES: [&str; 2] = ["en", "es"];

/// Sizes of the window: a desk's and a telephone's.
pub(crate) const WINDOWS: [(u32, u32); 2] = [(1280, 900), (390, 844)];

/// A run's folder with its reports in it. It stays, for a person to look at.
#[derive(Debug)]
pub(crate) struct Report {
    folder: PathBuf,
}

impl Report {
    /// The page.
    pub(crate) fn page(&self) -> PathBuf {
        self.folder.join("report.html")
    }

    /// Every trial's figures, as written beside the page.
    pub(crate) fn csv(&self) -> String {
        fs::read_to_string(self.folder.join("trials.csv")).expect("written with the page")
    }

    /// The records behind it.
    pub(crate) fn records(&self) -> (Run, Vec<Trial>) {
        store::read(&self.folder).expect("a run")
    }
}

static REPORTS: LazyLock<[Report; 2]> = LazyLock::new(|| {
    let full = empty_folder("full");
    for file in ["run.json", "trials.jsonl"] {
        fs::copy(committed_run().join(file), full.join(file)).expect("a committed run");
    }
    let (run, trials) = eventful();
    let mut folder = RunFolder::create(&empty_folder("small"), &run).expect("a new folder");
    for trial in &trials {
        folder.add_trial(trial).expect("written");
    }
    let small = folder.path().to_path_buf();
    drop(folder);
    [written(full), written(small)]
});

/// Both reports, made by whoever asks first.
pub(crate) fn reports() -> &'static [Report; 2] {
    &REPORTS
}

/// Where the page stands in its language.
pub(crate) fn main_of(language: &str) -> String {
    format!("main[lang={language}]")
}

/// The newest full run that is kept with the source.
fn committed_run() -> PathBuf {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    let runs = fs::read_dir(results).expect("a folder").flatten();
    runs.map(|entry| entry.path())
        .filter(|run| run.to_string_lossy().ends_with("-full"))
        .max()
        .expect("a full run")
}

fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the target directory can be written");
    folder
}

fn written(folder: PathBuf) -> Report {
    let output = Command::new(HOLA).arg("report").arg(&folder).output();
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    Report { folder }
}
