//! A comparison that is watched, by the files in its folder alone.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use hola_base::Language;
use hola_lab::store::{self, RecordsStamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::look::ViewLook;
use super::progress::RunProgress;
use super::run_screen;
use super::view::{LiveView, ViewNews};

/// How often it looks whether the records have changed.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A run that is watched.
#[derive(Debug)]
pub(crate) struct RunView {
    folder: PathBuf,
    stamp: RecordsStamp,
    progress: RunProgress,
    checked_at: Instant,
}

impl RunView {
    /// Begins to watch the run in that folder.
    ///
    /// # Errors
    /// Returns an error that names the file if it is no run.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let stamp = store::stamp(folder)?;
        Ok(RunView {
            folder: folder.to_owned(),
            stamp,
            progress: progress_in(folder)?,
            checked_at: Instant::now(),
        })
    }

    /// How far it has come, as text.
    pub(crate) fn text(&self, language: Language) -> String {
        run_screen::plain_text(&self.progress, language)
    }
}

fn progress_in(folder: &Path) -> Result<RunProgress> {
    let (run, blocks) = store::read(folder)?;
    Ok(RunProgress::new(&run, &blocks))
}

impl LiveView for RunView {
    fn update(&mut self) -> Result<ViewNews> {
        if self.checked_at.elapsed() < CHECK_INTERVAL {
            return Ok(ViewNews::Nothing);
        }
        self.checked_at = Instant::now();
        let stamp = store::stamp(&self.folder)?;
        // Records are read only when there are others: they are megabytes, and a measurement runs.
        if stamp == self.stamp {
            return Ok(ViewNews::Nothing);
        }
        self.progress = progress_in(&self.folder)?;
        self.stamp = stamp;
        Ok(ViewNews::Change)
    }

    fn draw(&self, look: ViewLook, area: Rect, buffer: &mut Buffer) {
        run_screen::draw(&self.progress, look, area, buffer);
    }
}
