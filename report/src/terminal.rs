//! Parts of a page as plain text for a terminal: no markup, columns aligned.

use crate::document::{Notice, Table, Tone};
use crate::escape::terminal as escape;

/// Text by lines.
#[derive(Debug, Default)]
pub(crate) struct TerminalText(Vec<String>);

impl TerminalText {
    pub(crate) fn notices(&mut self, notices: &[Notice]) {
        let line = |notice: &Notice| match notice.tone {
            Tone::Bad => format!("! {}", escape(&notice.text)),
            _ => escape(&notice.text),
        };
        self.0.extend(notices.iter().map(line));
        self.0.push(String::new());
    }

    pub(crate) fn paragraphs(&mut self, paragraphs: &[String]) {
        self.0
            .extend(paragraphs.iter().map(|paragraph| escape(paragraph)));
        self.0.push(String::new());
    }

    /// A table's caption, its titles, a line for each row, and its notes.
    pub(crate) fn table(&mut self, table: &Table) {
        if !table.caption.is_empty() {
            self.0.push(escape(&table.caption));
        }
        let titles: Vec<String> = table
            .columns
            .iter()
            .map(|column| escape(&column.title))
            .collect();
        let cells = table
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| escape(&cell.one_line())).collect());
        let rows: Vec<Vec<String>> = std::iter::once(titles).chain(cells).collect();
        let width = |place: usize| {
            rows.iter()
                .filter_map(|row| row.get(place))
                .map(|cell| columns(cell))
                .max()
        };
        let widths: Vec<usize> = (0..table.columns.len())
            .map(|place| width(place).unwrap_or(0))
            .collect();
        for row in &rows {
            let mut line = String::new();
            for ((cell, column), width) in row.iter().zip(&table.columns).zip(&widths) {
                let padding = " ".repeat(width.saturating_sub(columns(cell)));
                let (before, after) = if column.is_numeric {
                    (padding.as_str(), "")
                } else {
                    ("", padding.as_str())
                };
                line.extend(["  ", before, cell, after]);
            }
            self.0.push(line.trim_end().to_owned());
        }
        self.0.extend(table.notes.iter().map(|note| escape(note)));
        self.0.push(String::new());
    }

    pub(crate) fn finish(mut self) -> String {
        while self.0.last().is_some_and(String::is_empty) {
            self.0.pop();
        }
        self.0.join("\n") + "\n"
    }
}

/// Width of a text in terminal columns: every character used here is one column wide.
fn columns(text: &str) -> usize {
    text.chars().count()
}
