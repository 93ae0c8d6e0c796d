//! The reports under test: of a made-up full run with the real plans, and of the newest full run in the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use hola_base::Language;
use hola_lab::record::{Block, Run, SCHEMA_VERSION};
use hola_lab::store;

use crate::fixture;

/// Sizes of the window: a desktop's and a phone's.
pub(crate) const WINDOWS: [(u32, u32); 2] = [(1280, 800), (390, 844)];

/// A run, and a folder with its report. The folder stays, so that a person can look at it.
#[derive(Debug)]
pub(crate) struct Report {
    folder: PathBuf,
    pub(crate) run: Run,
    pub(crate) blocks: Vec<Block>,
}

impl Report {
    fn new(name: &str, (run, blocks): (Run, Vec<Block>)) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).expect("the target directory can be written");
        store::write_reports(&folder, &hola_report::files(&run, &blocks)).expect("written");
        Report {
            folder,
            run,
            blocks,
        }
    }

    /// The page.
    pub(crate) fn page(&self) -> PathBuf {
        self.folder.join("report.html")
    }

    /// Describes where a problem is: the page, its language, and the way of viewing it.
    pub(crate) fn place(&self, language: Language, how: &str) -> String {
        format!("{} {} {how}", self.page().display(), language.tag())
    }
}

static REPORTS: LazyLock<Vec<Report>> = LazyLock::new(|| {
    let (mut run, blocks) = fixture::full_run();
    // A command that names its models is longer than a line.
    let names: Vec<&str> = run.servers.iter().map(|card| &*card.name).collect();
    let models = format!("--models={}", names.join(","));
    run.command.push(models);
    let mut reports = vec![Report::new("made-up", (run, blocks))];
    if let Some(folder) = committed_run() {
        let run = store::read(&folder).expect("a run");
        reports.push(Report::new("committed", run));
    }
    reports
});

/// All reports, made on first use.
pub(crate) fn reports() -> &'static [Report] {
    &REPORTS
}

/// The newest full run in the repository that this program can read.
fn committed_run() -> Option<PathBuf> {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    let is_read = |folder: &PathBuf| {
        let text = fs::read_to_string(folder.join("run.json")).unwrap_or_default();
        let run: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        run["schema_version"] == SCHEMA_VERSION
    };
    let folders = fs::read_dir(results).expect("a folder").flatten();
    folders
        .map(|entry| entry.path())
        .filter(|folder| folder.to_string_lossy().ends_with("-full") && is_read(folder))
        .max()
}
