//! Parts of a page as Markdown, readable as plain text and on a code host.

use crate::document::{Details, Notice, Section, SectionItem, Table, TableCell, Tone};
use crate::escape::markdown as escape;

/// Blocks of Markdown, separated by empty lines.
#[derive(Debug, Default)]
pub(crate) struct MarkdownBlocks(Vec<String>);

impl MarkdownBlocks {
    pub(crate) fn title(&mut self, title: &str) {
        self.0.push(format!("# {}", escape(title)));
    }

    pub(crate) fn heading(&mut self, title: &str) {
        self.0.push(format!("## {}", escape(title)));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.0.push(escape(text));
    }

    pub(crate) fn items(&mut self, items: &[String]) {
        let items = items.iter().map(|item| format!("- {}", escape(item)));
        self.block(items, "\n");
    }

    /// These lines as one block, if there are any.
    fn block(&mut self, lines: impl Iterator<Item = String>, between: &str) {
        let lines: Vec<String> = lines.collect();
        if !lines.is_empty() {
            self.0.push(lines.join(between));
        }
    }

    /// The notices; bad news in bold.
    pub(crate) fn notices(&mut self, notices: &[Notice]) {
        let line = |notice: &Notice| match notice.tone {
            Tone::Bad => format!("> **{}**", escape(&notice.text)),
            _ => format!("> {}", escape(&notice.text)),
        };
        self.block(notices.iter().map(line), "\n>\n");
    }

    pub(crate) fn picture(&mut self, label: &str, path: &str) {
        let path = path.replace(['(', ')', ' ', '<', '>'], "");
        self.0.push(format!("![{}]({path})", escape(label)));
    }

    pub(crate) fn table(&mut self, table: &Table) {
        if !table.caption.is_empty() {
            self.0.push(format!("**{}**", escape(&table.caption)));
        }
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let titles = table.columns.iter().map(|column| escape(&column.title));
        let rules = table
            .columns
            .iter()
            .map(|column| if column.is_numeric { "--:" } else { "---" });
        let mut lines = vec![
            line(titles.collect()),
            line(rules.map(str::to_owned).collect()),
        ];
        let cells =
            |row: &Vec<TableCell>| row.iter().map(|cell| escape(&cell.one_line())).collect();
        lines.extend(table.rows.iter().map(|row| line(cells(row))));
        self.0.push(lines.join("\n"));
        self.items(&table.notes);
    }

    pub(crate) fn section(&mut self, section: &Section) {
        self.heading(&section.title);
        self.parts(&section.parts);
    }

    /// The items of a section. Folded content gives only its title line and word, and charts are left out: the HTML
    /// page has both.
    pub(crate) fn parts(&mut self, parts: &[SectionItem]) {
        let mut folds = Vec::new();
        for part in parts {
            match part {
                SectionItem::Text(text) => self.text(text),
                SectionItem::Items(items) => self.items(items),
                SectionItem::Command(command) => self.command(command),
                SectionItem::Table(table) => self.table(table),
                SectionItem::Details(Details {
                    word: Some((word, _)),
                    title,
                    ..
                }) => {
                    folds.push(format!("- **{}**: {}", escape(word), escape(title)));
                }
                SectionItem::Details(_) | SectionItem::Chart(_) => {}
            }
        }
        self.block(folds.into_iter(), "\n");
    }

    /// A command as an indented code block: no character in it is markup or ends the block.
    pub(crate) fn command(&mut self, command: &str) {
        let command = crate::escape::terminal(command);
        self.0.push(format!("    {command}"));
    }

    /// The whole text.
    pub(crate) fn finish(self) -> String {
        self.0.join("\n\n") + "\n"
    }
}
