//! The content of a page in one language, independent of the format. No text is escaped yet.

use hola_base::Language;
use hola_lab::metric::Metric;
use hola_verdict::Estimate;

use crate::charts::Drawing;
use crate::numbers;

/// A page in one language.
#[derive(Debug)]
pub struct Page {
    /// Its language.
    pub language: Language,
    /// Its title.
    pub title: String,
    /// What the reader must know first.
    pub notices: Vec<Notice>,
    /// Heading of the first screen.
    pub answer_title: String,
    /// The answer, in short sentences.
    pub answer: Vec<String>,
    /// What follows it.
    pub sections: Vec<Section>,
}

/// A line at the top of the page.
#[derive(Debug)]
pub struct Notice {
    /// One or two sentences.
    pub text: String,
    /// Whether that is good or bad news.
    pub tone: Tone,
}

/// A section of a page.
#[derive(Debug)]
pub struct Section {
    /// Name of its anchor.
    pub(crate) anchor: String,
    pub(crate) title: String,
    pub(crate) parts: Vec<SectionItem>,
}

impl Section {
    /// A section, reached by `anchor`, which is unique in the page.
    pub fn new(anchor: &str, title: &str, parts: Vec<SectionItem>) -> Self {
        Section {
            anchor: anchor.into(),
            title: title.into(),
            parts,
        }
    }
}

/// An item of a section.
#[derive(Debug)]
pub enum SectionItem {
    /// A paragraph.
    Text(String),
    /// A list of sentences.
    Items(Vec<String>),
    /// Lines for a shell.
    Command(String),
    /// A table.
    Table(Table),
    /// Drawings.
    Chart(Chart),
    /// Folded content.
    Details(Details),
}

/// Folded content that its title line opens.
#[derive(Debug)]
pub struct Details {
    pub(crate) anchor: String,
    /// The title line. `word` sums up the content, if there is one.
    pub(crate) title: String,
    pub(crate) word: Option<(String, Tone)>,
    pub(crate) parts: Vec<SectionItem>,
}

impl SectionItem {
    /// Folded content without a word in its title line.
    pub(crate) fn folded(anchor: &str, title: &str, parts: Vec<SectionItem>) -> Self {
        SectionItem::Details(Details {
            anchor: anchor.into(),
            title: title.into(),
            word: None,
            parts,
        })
    }
}

/// Drawings side by side.
#[derive(Debug)]
pub struct Chart {
    pub(crate) title: String,
    pub(crate) caption: String,
    /// Complete `<svg>` elements.
    pub(crate) drawings: Vec<String>,
}

impl Chart {
    /// A chart of these drawings; `None` without any.
    pub(crate) fn new(
        title: String,
        caption: &str,
        drawings: impl IntoIterator<Item = Drawing>,
    ) -> Option<Self> {
        let drawings: Vec<String> = drawings.into_iter().map(|one| one.inline()).collect();
        (!drawings.is_empty()).then(|| Chart {
            title,
            caption: caption.into(),
            drawings,
        })
    }
}

/// Whether a word is good or bad news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good news.
    Good,
    /// Bad news.
    Bad,
    /// Neither.
    Neutral,
    /// Not decided.
    Open,
}

impl Tone {
    /// Its class in the style sheet.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Neutral => "neutral",
            Tone::Open => "open",
        }
    }
}

/// A table.
#[derive(Debug, Default)]
pub struct Table {
    pub(crate) caption: String,
    pub(crate) columns: Vec<Column>,
    /// Its rows, each with a cell for each column.
    pub rows: Vec<Vec<TableCell>>,
    /// Notes below the table: mainly, why figures are missing.
    pub(crate) notes: Vec<String>,
}

/// A column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) title: String,
    pub(crate) is_numeric: bool,
    /// Whether it holds sentences, which may take several lines.
    pub(crate) is_prose: bool,
}

/// A cell.
#[derive(Clone, Debug, Default)]
pub struct TableCell {
    pub(crate) text: String,
    /// Small text below, such as a model's title.
    pub(crate) below: Option<String>,
    /// The value for sorting.
    pub(crate) value: Option<f64>,
    /// The tone of a verdict word.
    pub(crate) tone: Option<Tone>,
    /// Where the text leads, relative to the page.
    pub(crate) link: Option<String>,
}

impl From<String> for TableCell {
    fn from(text: String) -> Self {
        TableCell {
            text,
            ..TableCell::default()
        }
    }
}

impl From<&str> for TableCell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl TableCell {
    /// A figure as text, and its value.
    pub(crate) fn number(text: String, value: f64) -> Self {
        TableCell {
            value: Some(value),
            ..text.into()
        }
    }

    /// A metric's value in its unit.
    pub(crate) fn figure(metric: Metric, value: f64, language: Language) -> Self {
        Self::number(numbers::figure(metric, value, language), value)
    }

    /// A metric's value with its interval.
    pub(crate) fn estimate(metric: Metric, estimate: &Estimate, language: Language) -> Self {
        Self::number(numbers::value(metric, estimate, language), estimate.value)
    }

    /// A comparison with its interval.
    pub(crate) fn comparison(metric: Metric, estimate: &Estimate, language: Language) -> Self {
        let text = numbers::comparison(metric, estimate, language);
        Self::number(text, estimate.value)
    }

    /// The sort key for the page, short because a page has thousands of cells.
    pub(crate) fn sort_key(&self) -> Option<String> {
        self.value.map(|value| format!("{value:.4e}"))
    }

    /// Whether the cell holds a name on the command line.
    pub(crate) fn is_name(&self) -> bool {
        self.below.is_some() && self.value.is_none()
    }

    /// The text on one line; for a figure, with the text below it. The title below a name is left out.
    pub(crate) fn one_line(&self) -> String {
        match &self.below {
            Some(below) if !self.is_name() => format!("{} ({below})", self.text),
            _ => self.text.clone(),
        }
    }

    /// A verdict word and its tone.
    pub fn word((text, tone): (String, Tone)) -> Self {
        TableCell {
            tone: Some(tone),
            ..text.into()
        }
    }

    /// The same cell with a link.
    pub(crate) fn linked(self, link: Option<String>) -> Self {
        TableCell { link, ..self }
    }

    /// A name, with its title below.
    pub(crate) fn name(text: &str, below: &str) -> Self {
        TableCell {
            below: Some(below.into()),
            ..text.into()
        }
    }
}

impl Table {
    /// A table with these columns; the columns from `numeric` on hold numbers.
    pub fn new(numeric: usize, titles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let columns = (0..).zip(titles).map(|(index, title)| Column {
            title: title.into(),
            is_numeric: index >= numeric,
            is_prose: false,
        });
        Table {
            columns: columns.collect(),
            ..Table::default()
        }
    }

    /// Leaves out columns that have `nothing` in every row.
    pub(crate) fn leave_out_empty_columns(&mut self, nothing: &str) {
        for index in (0..self.columns.len()).rev() {
            if self.rows.iter().all(|row| row[index].text == nothing) {
                self.leave_out(index);
            }
        }
    }

    /// Leaves out a column.
    pub(crate) fn leave_out(&mut self, index: usize) {
        self.columns.remove(index);
        for row in &mut self.rows {
            row.remove(index);
        }
    }

    /// Marks these columns as prose.
    pub fn with_prose(mut self, columns: &[usize]) -> Self {
        for column in columns {
            self.columns[*column].is_prose = true;
        }
        self
    }
}
