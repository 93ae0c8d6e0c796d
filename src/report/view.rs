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
    /// The answer to the run's question, in three plain sentences at most.
    pub answer: Vec<String>,
    /// The chart that goes with it: the first experiment's first.
    pub answer_chart: Option<Chart>,
    /// Which model costs least under which load; none where no load can be compared.
    pub map: Option<Picture>,
    /// What becomes of the claims.
    pub verdicts: Verdicts,
    /// Every experiment, in the order they were made.
    pub experiments: Vec<Part>,
    /// Every model by itself.
    pub models: Vec<ModelPage>,
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
    /// The answer, in three plain sentences at most.
    pub answer: Vec<String>,
    /// Heading and models at the headline level.
    pub headline: Section,
    /// Charts; none when nothing could be ranked.
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
    /// Findings against their thresholds, a chart for each threshold.
    pub charts: Vec<Chart>,
    /// Place by place.
    pub findings: Table,
    /// What the command does, and the command that measures just this; none where nothing is measured.
    pub command: Option<(String, String)>,
}

/// A heading, what it is about, and a chart.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Heading.
    pub title: String,
    /// Paragraphs before the chart.
    pub paragraphs: Vec<String>,
    /// The chart.
    pub chart: Chart,
}

/// A model by itself.
#[derive(Clone, Debug)]
pub struct ModelPage {
    /// Name on the command line.
    pub name: String,
    /// Title.
    pub title: String,
    /// What it is, what a client costs it, where it stops gaining.
    pub paragraphs: Vec<String>,
    /// Its source: what the link says, and where it leads from the folder of the run; none for a reference target.
    pub source: Option<(String, String)>,
    /// What it costs, experiment by experiment.
    pub costs: Table,
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
    /// Words.
    Text(String),
    /// A figure.
    Figure {
        /// As it is written.
        written: String,
        /// By which rows are sorted.
        value: f64,
    },
    /// A figure that may not be ranked although its row may.
    Struck {
        /// As it is written.
        written: String,
        /// By which rows are sorted.
        value: f64,
    },
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

impl Cell {
    /// What rows are sorted by, in five digits; `None` where that is the text.
    pub fn sort_key(&self) -> Option<String> {
        match self {
            Self::Figure { value, .. } | Self::Struck { value, .. } => {
                let digits = format!("{value:.4e}");
                Some(
                    digits
                        .parse()
                        .map_or(digits, |value: f64| value.to_string()),
                )
            }
            Self::Text(_) | Self::Model { .. } | Self::Verdict { .. } => None,
        }
    }
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
    /// Unique in the page.
    pub id: String,
    /// Heading.
    pub title: String,
    /// How to read it, in a sentence or two.
    pub caption: String,
    /// SVG for screens from 700 px, and the same for narrower ones; or one for all.
    pub drawings: Vec<String>,
    /// The numbers; without columns where they are in a table beside it.
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
