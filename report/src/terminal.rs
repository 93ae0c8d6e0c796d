//! Parts of a page as plain text for a terminal: no markup, columns aligned.

use crate::document::{Notice, Table, TableCell, Tone};
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
        self.block(notices.iter().map(line));
    }

    pub(crate) fn paragraphs(&mut self, paragraphs: &[String]) {
        self.block(paragraphs.iter().map(|paragraph| escape(paragraph)));
    }

    /// These lines, if there are any, and an empty line.
    fn block(&mut self, lines: impl Iterator<Item = String>) {
        let before = self.0.len();
        self.0.extend(lines);
        if self.0.len() > before {
            self.0.push(String::new());
        }
    }

    /// A table's caption, its titles, a line for each row, and its notes.
    pub(crate) fn table(&mut self, table: &Table) {
        if !table.caption.is_empty() {
            self.0.push(escape(&table.caption));
        }
        let titles = table.columns.iter().map(|column| escape(&column.title));
        let mut rows: Vec<Vec<String>> = vec![titles.collect()];
        let line = |row: &Vec<TableCell>| row.iter().map(|cell| escape(&cell.one_line())).collect();
        rows.extend(table.rows.iter().map(line));
        let width = |index: usize| {
            rows.iter()
                .map(|row: &Vec<String>| columns(&row[index]))
                .max()
        };
        let widths = (0..table.columns.len()).map(|index| width(index).unwrap_or(0));
        let widths: Vec<usize> = widths.collect();
        for row in &rows {
            let mut line = String::new();
            for ((cell, column), width) in row.iter().zip(&table.columns).zip(&widths) {
                let padding = " ".repeat(width.saturating_sub(columns(cell)));
                line.extend(match column.is_numeric {
                    true => ["  ", padding.as_str(), cell.as_str()],
                    false => ["  ", cell.as_str(), padding.as_str()],
                });
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
