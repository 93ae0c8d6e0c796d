//! What a terminal can show live.

use anyhow::Result;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

use super::look::ViewLook;

/// What has happened to a view since it was asked before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ViewNews {
    /// Nothing.
    Nothing,
    /// It has something else to show.
    Change,
    /// Nothing will change any more.
    End,
}

/// Something to show.
pub(crate) trait LiveView {
    /// Takes in what is new, without waiting for it.
    ///
    /// # Errors
    /// Returns an error if what is watched can no longer be read.
    fn update(&mut self) -> Result<ViewNews>;

    /// Draws what has been taken in.
    fn draw(&self, look: ViewLook, area: Rect, buffer: &mut Buffer);
}

/// The symbols of a buffer as lines of text, without spaces at their ends.
pub(super) fn text_of(buffer: &Buffer) -> String {
    let columns = usize::from(buffer.area.width.max(1));
    let line = |cells: &[Cell]| {
        let symbols: String = cells.iter().map(Cell::symbol).collect();
        format!("{}\n", symbols.trim_end())
    };
    buffer.content().chunks(columns).map(line).collect()
}
