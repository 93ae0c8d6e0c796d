//! A report as Markdown, readable as it stands and on a code host.

use super::view::{Card, Cell, ModelPage, Part, Report, Row, Section, Table};
use super::words;
use crate::language::Language;
use crate::visible::one_line;

/// The whole report.
pub(super) fn page(report: &Report, language: Language) -> String {
    let mut blocks = vec![
        format!("# {}", escape(&report.title)),
        escape(&report.question),
    ];
    for warning in &report.warnings {
        blocks.push(format!("> **{}**", escape(warning)));
    }
    blocks.push(format!("## {}", language.of(words::ANSWER)));
    blocks.extend(report.answer.iter().map(|sentence| escape(sentence)));
    if let Some(map) = &report.map {
        blocks.push(format!("## {}", escape(&map.title)));
        blocks.extend(map.paragraphs.iter().map(|text| escape(text)));
        blocks.push(table(&map.chart.table));
    }
    push_section(&mut blocks, "##", &report.verdicts.overview);
    for card in &report.verdicts.cards {
        push_card(&mut blocks, card);
    }
    for part in &report.experiments {
        push_part(&mut blocks, part);
    }
    blocks.push(format!("## {}", language.of(words::MODEL_PAGES)));
    for model in &report.models {
        push_model(&mut blocks, model);
    }
    for section in [&report.validity, &report.reading, &report.method] {
        push_section(&mut blocks, "##", section);
    }
    blocks.join("\n\n") + "\n"
}

/// Sections under a title, what must be known before them first.
pub(super) fn sections(title: &str, warnings: &[String], sections: &[Section]) -> String {
    let mut blocks = vec![format!("# {}", escape(title))];
    blocks.extend(warnings.iter().map(|one| format!("> **{}**", escape(one))));
    for section in sections {
        push_section(&mut blocks, "##", section);
    }
    blocks.join("\n\n") + "\n"
}

fn push_part(blocks: &mut Vec<String>, part: &Part) {
    blocks.push(format!("## {}", escape(&part.name)));
    blocks.push(escape(&part.question));
    blocks.extend(part.answer.iter().map(|sentence| escape(sentence)));
    push_section(blocks, "###", &part.headline);
    for chart in &part.charts {
        blocks.push(format!("### {}", escape(&chart.title)));
        blocks.push(escape(&chart.caption));
        if !chart.table.columns.is_empty() {
            blocks.push(table(&chart.table));
        }
    }
    push_section(blocks, "###", &part.levels);
    if let Some(turning_points) = &part.turning_points {
        push_section(blocks, "###", turning_points);
    }
    blocks.push(escape(&part.changes_mind));
}

fn push_model(blocks: &mut Vec<String>, model: &ModelPage) {
    blocks.push(format!("### {}", escape(&model.title)));
    blocks.extend(model.paragraphs.iter().map(|text| escape(text)));
    if let Some((label, path)) = &model.source {
        blocks.push(format!("[{}]({path})", escape(label)));
    }
    blocks.push(table(&model.costs));
}

fn push_card(blocks: &mut Vec<String>, card: &Card) {
    blocks.push(format!("### {}", escape(&card.statement)));
    blocks.push(cell(&card.verdict));
    blocks.extend(card.paragraphs.iter().map(|text| escape(text)));
    if !card.findings.rows.is_empty() {
        blocks.push(table(&card.findings));
    }
    if let Some((label, command)) = &card.command {
        blocks.push(format!("{}:", escape(label)));
        blocks.push(format!("    {}", one_line(command)));
    }
}

fn push_section(blocks: &mut Vec<String>, heading: &str, section: &Section) {
    blocks.push(format!("{heading} {}", escape(&section.title)));
    blocks.extend(section.paragraphs.iter().map(|text| escape(text)));
    if let Some(command) = &section.command {
        // Indented and not fenced: no text can end an indented block early.
        blocks.push(format!("    {}", one_line(command)));
    }
    for one in &section.tables {
        if !one.caption.is_empty() {
            blocks.push(format!("*{}*", escape(&one.caption)));
        }
        blocks.push(table(one));
    }
}

/// A table alone.
pub(super) fn table(table: &Table) -> String {
    let titles: Vec<String> = table
        .columns
        .iter()
        .map(|column| escape(&column.title))
        .collect();
    let rules: Vec<&str> = table
        .columns
        .iter()
        .map(|column| if column.numeric { "---:" } else { "---" })
        .collect();
    let mut lines = vec![
        format!("| {} |", titles.join(" | ")),
        format!("| {} |", rules.join(" | ")),
    ];
    lines.extend(table.rows.iter().map(row));
    lines.join("\n")
}

fn row(row: &Row) -> String {
    let last = row.cells.len().saturating_sub(1);
    let cells: Vec<String> = row
        .cells
        .iter()
        .enumerate()
        .map(|(place, one)| {
            let written = cell(one);
            // The last cell says why the others are struck through.
            if row.struck && place != last && !written.is_empty() {
                format!("~~{written}~~")
            } else {
                written
            }
        })
        .collect();
    format!("| {} |", cells.join(" | "))
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => escape(text),
        Cell::Figure { written, .. } => escape(written),
        Cell::Struck { written, .. } => format!("~~{}~~", escape(written)),
        Cell::Model { title, .. } => escape(title),
        Cell::Verdict { word, .. } => format!("**{}**", escape(word)),
    }
}

/// Text that means itself, on one line, in a paragraph or in a table.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in one_line(text).chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '\\' | '`' | '*' | '_' | '|' | '~' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            // Brackets are left alone, for intervals' sake: no link or image comes of them without this.
            '(' | ':' if escaped.ends_with(']') => {
                escaped.push('\\');
                escaped.push(letter);
            }
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_means_itself() {
        assert_eq!(escape("a|b *c* <i>\n[x](y)"), r"a\|b \*c\* &lt;i> [x]\(y)");
        assert_eq!(escape("\u{1b}[2J"), r"\\u{1b}[2J");
    }

    #[test]
    fn intervals_stay_readable() {
        assert_eq!(escape("5.12× [4.90, 5.33]"), "5.12× [4.90, 5.33]");
    }
}
