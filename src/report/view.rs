//! What a report shows, free of any format: text already written, tables of cells, charts already drawn.

/// A report, from top to bottom.
#[derive(Clone, Debug)]
pub struct Report {
    /// Name of the run, and of the experiment where there is only one.
    pub title: String,
    /// What the run asks.
    pub question: String,
    /// What a reader must know before any number: an interrupted run, a debug build.
    pub warnings: Vec<String>,
    /// The answer to the first question, in three plain sentences at most.
    pub answer: Vec<String>,
    /// What becomes of the claims.
    pub verdicts: Verdicts,
    /// Every experiment, in the order they were made.
    pub experiments: Vec<Part>,
    /// What speaks for and against the numbers.
    pub validity: Section,
    /// How to read the report.
    pub reading: Section,
    /// How and where it was measured, the command that reruns it, where the data are.
    pub method: Section,
}

/// What one experiment says.
#[derive(Clone, Debug)]
pub struct Part {
    /// Name of the experiment.
    pub name: String,
    /// The question it asks.
    pub question: String,
    /// The answer, in three plain sentences at most; none where the report begins with it.
    pub answer: Vec<String>,
    /// Heading and models at the headline level.
    pub headline: Section,
    /// Charts of the headline level; none when nothing could be ranked.
    pub charts: Vec<Chart>,
    /// Every level.
    pub levels: Section,
    /// Where models stop gaining, where the load rises by level.
    pub turning_points: Option<Section>,
    /// What result would change our mind.
    pub changes_mind: String,
}

/// What becomes of the claims.
#[derive(Clone, Debug)]
pub struct Verdicts {
    /// All of them at a glance.
    pub overview: Section,
    /// Each by itself.
    pub cards: Vec<Card>,
}

/// A claim, decided.
#[derive(Clone, Debug)]
pub struct Card {
    /// Name of the claim, which is its anchor.
    pub name: String,
    /// What is said.
    pub statement: String,
    /// What becomes of it.
    pub verdict: Cell,
    /// What the verdict rests on, why it would be so, what is left out.
    pub paragraphs: Vec<String>,
    /// Place by place.
    pub findings: Table,
    /// What the command does, and the command that measures just this; none where nothing is measured.
    pub command: Option<(String, String)>,
}

/// A heading with what stands under it.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Heading.
    pub title: String,
    /// Paragraphs, before the tables.
    pub paragraphs: Vec<String>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Shell command, shown to be copied.
    pub command: Option<String>,
}

/// A table with a caption.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What the table shows.
    pub caption: String,
    /// Columns, in order.
    pub columns: Vec<Column>,
    /// Rows, each with a cell per column.
    pub rows: Vec<Row>,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Heading, with the unit.
    pub title: String,
    /// Whether figures are aligned to the right.
    pub numeric: bool,
}

/// A row of a table.
#[derive(Clone, Debug)]
pub struct Row {
    /// One cell per column.
    pub cells: Vec<Cell>,
    /// Whether the row may not be ranked and is struck through.
    pub struck: bool,
}

/// A cell of a table.
#[derive(Clone, Debug)]
pub enum Cell {
    /// Words or a figure.
    Text(String),
    /// A figure that may not be ranked although its row may.
    Struck(String),
    /// A model: its title and its name on the command line.
    Model {
        /// Title in the report's language.
        title: String,
        /// Name on the command line.
        name: String,
    },
    /// A verdict.
    Verdict {
        /// The word.
        word: String,
        /// What it means for the reader.
        tone: Tone,
    },
}

/// Whether a verdict is good news for the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Better than the control.
    Better,
    /// Worse than the control.
    Worse,
    /// Neither, or not known.
    Neutral,
}

impl Tone {
    /// Name of the tone, for style sheets.
    pub fn name(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Neutral => "neutral",
        }
    }
}

/// A chart and the numbers it is drawn from.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Heading.
    pub title: String,
    /// How to read it, in a sentence or two.
    pub caption: String,
    /// SVG for screens from 700 px.
    pub wide_svg: String,
    /// The same for narrow screens.
    pub narrow_svg: String,
    /// The numbers.
    pub table: Table,
}

impl Table {
    /// An empty table; of the columns, those after the first `words` hold figures.
    pub fn new(caption: impl Into<String>, words: usize, columns: &[&str]) -> Self {
        let columns = columns.iter().enumerate().map(|(place, title)| Column {
            title: (*title).to_owned(),
            numeric: place >= words,
        });
        Self {
            caption: caption.into(),
            columns: columns.collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn push(&mut self, cells: Vec<Cell>) {
        self.rows.push(Row {
            cells,
            struck: false,
        });
    }

    /// Adds a row that may not be ranked.
    pub fn push_struck(&mut self, cells: Vec<Cell>) {
        self.rows.push(Row {
            cells,
            struck: true,
        });
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
