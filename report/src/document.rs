//! What a page is made of, in one language and before any format: texts are as they are read, nothing is escaped yet.

/// A page in one language.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) title: String,
    /// What must be known before anything else.
    pub(crate) notices: Vec<Notice>,
    /// Heading of the first screen.
    pub(crate) answer_title: String,
    /// The answer, a short sentence each.
    pub(crate) answer: Vec<String>,
    pub(crate) sections: Vec<Section>,
}

/// A line above everything else.
#[derive(Debug)]
pub(crate) struct Notice {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

/// A section of a page.
#[derive(Debug)]
pub(crate) struct Section {
    /// Name of its anchor.
    pub(crate) anchor: String,
    pub(crate) title: String,
    pub(crate) parts: Vec<Part>,
}

/// What stands in a section, in order.
#[derive(Debug)]
pub(crate) enum Part {
    Text(String),
    Items(Vec<String>),
    Command(String),
    Table(Table),
    Chart(Chart),
    Fold(Fold),
}

/// What is opened by its line.
#[derive(Debug)]
pub(crate) struct Fold {
    pub(crate) anchor: String,
    /// The line, with the word that sums it up where there is one.
    pub(crate) title: String,
    pub(crate) word: Option<(String, Tone)>,
    pub(crate) parts: Vec<Part>,
}

/// Drawings beside each other.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) caption: String,
    /// Whole `<svg>` elements.
    pub(crate) drawings: Vec<String>,
}

/// Whether a word is good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    Neutral,
    Open,
}

impl Tone {
    /// Its class in style sheets.
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
pub(crate) struct Table {
    pub(crate) caption: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// Below it: above all, why figures are missing.
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
pub(crate) struct Cell {
    pub(crate) text: String,
    /// In small letters below, such as a model's name for people.
    pub(crate) below: Option<String>,
    /// What it is sorted by.
    pub(crate) value: Option<f64>,
    /// Of a word of judgement.
    pub(crate) tone: Option<Tone>,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell {
            text,
            ..Cell::default()
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Cell {
    /// A figure as it is written, and its value.
    pub(crate) fn number(text: String, value: f64) -> Self {
        Cell {
            text,
            value: Some(value),
            ..Cell::default()
        }
    }

    /// What the page sorts it by, short: a page has thousands.
    pub(crate) fn sort_key(&self) -> Option<String> {
        self.value.map(|value| format!("{value:.4e}"))
    }

    /// Whether it is a name on the command line.
    pub(crate) fn is_name(&self) -> bool {
        self.below.is_some() && self.value.is_none()
    }

    /// The text, and of a figure what stands below it, on one line. What somebody is called stays out of it.
    pub(crate) fn one_line(&self) -> String {
        match &self.below {
            Some(below) if !self.is_name() => format!("{} ({below})", self.text),
            _ => self.text.clone(),
        }
    }

    /// A word of judgement.
    pub(crate) fn word(text: String, tone: Tone) -> Self {
        Cell {
            text,
            tone: Some(tone),
            ..Cell::default()
        }
    }

    /// A name with what it is called below.
    pub(crate) fn name(text: &str, below: &str) -> Self {
        Cell {
            text: text.into(),
            below: Some(below.into()),
            ..Cell::default()
        }
    }
}

impl Table {
    /// A table of these columns, those from `numeric` on of numbers.
    pub(crate) fn new(caption: impl Into<String>, numeric: usize, columns: &[&str]) -> Self {
        let columns = columns.iter().enumerate().map(|(place, title)| Column {
            title: (*title).to_owned(),
            is_numeric: place >= numeric,
            is_prose: false,
        });
        Table {
            caption: caption.into(),
            columns: columns.collect(),
            ..Table::default()
        }
    }

    /// Leaves out columns that have `nothing` in every row.
    pub(crate) fn leave_out_empty_columns(&mut self, nothing: &str) {
        for place in (0..self.columns.len()).rev() {
            if self.rows.iter().all(|row| row[place].text == nothing) {
                self.leave_out(place);
            }
        }
    }

    /// Leaves out a column.
    pub(crate) fn leave_out(&mut self, place: usize) {
        self.columns.remove(place);
        for row in &mut self.rows {
            row.remove(place);
        }
    }

    /// The same with sentences in these columns.
    pub(crate) fn with_prose(mut self, columns: &[usize]) -> Self {
        for column in columns {
            self.columns[*column].is_prose = true;
        }
        self
    }
}
