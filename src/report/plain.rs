//! Sections as text for a terminal: no markup, columns aligned.

use super::view::{Cell, Section, Table};
use crate::visible::one_line;

/// Between columns.
const GAP: usize = 2;

/// Sections under a title, what must be known before them first.
pub(super) fn page(title: &str, warnings: &[String], sections: &[Section]) -> String {
    let mut blocks = vec![one_line(title)];
    if !warnings.is_empty() {
        let lines: Vec<String> = warnings
            .iter()
            .map(|warning| format!("! {}", one_line(warning)))
            .collect();
        blocks.push(lines.join("\n"));
    }
    blocks.extend(sections.iter().map(section));
    blocks.join("\n\n") + "\n"
}

fn section(section: &Section) -> String {
    let mut lines = vec![one_line(&section.title)];
    for paragraph in &section.paragraphs {
        lines.push(format!("  {}", one_line(paragraph)));
    }
    for one in &section.tables {
        lines.extend(table(one));
    }
    lines.join("\n")
}

/// A line per row, the titles of the columns first.
fn table(table: &Table) -> Vec<String> {
    let titles = table.columns.iter().map(|column| column.title.clone());
    let mut rows: Vec<Vec<String>> = vec![titles.collect()];
    rows.extend(
        table
            .rows
            .iter()
            .map(|row| row.cells.iter().map(cell).collect()),
    );
    let widths: Vec<usize> = (0..table.columns.len())
        .map(|place| {
            let cells = rows.iter().filter_map(|row| row.get(place));
            cells.map(|text| width(text)).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for ((text, column), wide) in row.iter().zip(&table.columns).zip(&widths) {
            let padding = " ".repeat(wide.saturating_sub(width(text)));
            line.push_str(&" ".repeat(GAP));
            if column.numeric {
                line.push_str(&padding);
            }
            line.push_str(text);
            if !column.numeric {
                line.push_str(&padding);
            }
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn cell(cell: &Cell) -> String {
    one_line(match cell {
        Cell::Text(text) => text,
        Cell::Figure { written, .. } | Cell::Struck { written, .. } => written,
        Cell::Model { name, .. } => name,
        Cell::Verdict { word, .. } => word,
    })
}

/// Columns that a terminal gives the text: all letters used here are as wide as one.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut one = Table::new("", 1, &["Model", "×"]);
        one.push(vec!["io-uring".into(), "1.5".into()]);
        one.push(vec!["poll\u{1b}[2J".into(), "12".into()]);
        assert_eq!(
            table(&one),
            [
                "  Model            ×",
                "  io-uring       1.5",
                "  poll\\u{1b}[2J   12"
            ]
        );
    }
}
