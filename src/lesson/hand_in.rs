//! What a student hands in: the prediction, the figures, and the records that anybody can compute them from again.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use hola_base::{LANGUAGES, Language, Text, text, visible};
use hola_lab::metric::Metric;
use hola_lab::record::{Block, Run, StoredText};
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

use super::result::LessonResult;
use super::{LETTERS, Lesson, chart, in_language, lessons, screen};

/// Version of the published schema of a hand-in.
const SCHEMA_VERSION: u32 = 1;

/// A lesson that was taken. All of it but the student's name, language and prediction follows from the records in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HandIn {
    /// Version of this format.
    pub schema_version: u32,
    /// Number of the lesson.
    pub lesson: u32,
    /// The student's name.
    pub name: String,
    /// Language of the other files: `en` or `es`.
    pub language: String,
    /// Letter of the choice that the student made before the measurement.
    pub predicted: char,
    /// Letter of the choice that the first figure decides for; `null` if it decides for none.
    pub measured: Option<char>,
    /// The lesson's figures.
    pub figures: Vec<HandInFigure>,
    /// The plan, and where it was measured.
    pub run: Run,
    /// What was measured: each slice and each procedure of each block.
    pub blocks: Vec<Block>,
}

/// A figure of a hand-in, with six digits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HandInFigure {
    /// Experiment.
    pub experiment: String,
    /// Level.
    pub level: String,
    /// Participant.
    pub participant: String,
    /// Metric.
    pub metric: Metric,
    /// The participant that it is compared with.
    pub against: Option<String>,
    /// The level at which the same participant is compared with itself.
    pub from_level: Option<String>,
    /// The value in the metric's unit; of a comparison, a ratio.
    pub value: Option<f64>,
    /// Lower end of its interval of 95 %.
    pub low: Option<f64>,
    /// Upper end of its interval of 95 %.
    pub high: Option<f64>,
    /// Blocks that it is taken over.
    pub blocks: Option<u32>,
    /// Why there is no value.
    pub missing: Option<StoredText>,
}

/// A file of a hand-in that is not the JSON itself, by its ending.
type FileOf = fn(&HandIn, &LessonResult<'_>) -> String;
const OTHER_FILES: [(&str, FileOf); 2] = [
    ("md", markdown),
    ("csv", |hand_in, _| hola_report::blocks_csv(&hand_in.blocks)),
];

impl HandIn {
    /// The published schema.
    pub fn schema() -> Schema {
        schema_for!(HandIn)
    }

    /// A hand-in of these records.
    pub fn new(
        lesson: &Lesson,
        name: &str,
        language: Language,
        predicted: usize,
        run: Run,
        blocks: Vec<Block>,
    ) -> Self {
        let result = LessonResult::new(lesson, &run, &blocks);
        let figures = (0..lesson.figures.len()).map(|number| figure(&result, number));
        HandIn {
            schema_version: SCHEMA_VERSION,
            lesson: lesson.number,
            name: name.into(),
            language: language.tag().into(),
            predicted: LETTERS[predicted],
            measured: result.decided.map(|choice| LETTERS[choice]),
            figures: figures.collect(),
            run,
            blocks,
        }
    }

    /// Its files by name: JSON, Markdown to read, and every slice as CSV.
    ///
    /// # Errors
    /// An error if it cannot be written as JSON.
    pub fn files(&self, lesson: &Lesson) -> Result<Vec<(String, String)>> {
        let result = LessonResult::new(lesson, &self.run, &self.blocks);
        let name = format!("lesson-{}", lesson.number);
        let mut files = vec![(format!("{name}.json"), self.json()?)];
        for (ending, text_of) in OTHER_FILES {
            files.push((format!("{name}.{ending}"), text_of(self, &result)));
        }
        Ok(files)
    }

    fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    fn language(&self) -> Option<Language> {
        LANGUAGES.into_iter().find(|one| one.tag() == self.language)
    }
}

fn figure(result: &LessonResult<'_>, number: usize) -> HandInFigure {
    let of = &result.lesson.figures[number];
    let (estimate, missing) = match &result.figures[number] {
        Ok(estimate) => (Some(estimate), None),
        Err(why) => (None, Some(why.text())),
    };
    HandInFigure {
        experiment: of.experiment.clone(),
        level: of.level.clone(),
        participant: of.participant.clone(),
        metric: of.metric,
        against: of.against.clone(),
        from_level: of.from_level.clone(),
        value: estimate.map(|one| six_digits(one.value)),
        low: estimate.map(|one| six_digits(one.low)),
        high: estimate.map(|one| six_digits(one.high)),
        blocks: estimate.map(|one| one.blocks),
        missing,
    }
}

/// Machines differ in the last digit of a logarithm, and a figure must be the same on the teacher's.
fn six_digits(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

const NAME: Text = text("Name", "Nombre");
const MADE: Text = text("Measured on", "Medido en");
const FIGURES: Text = text("Figures", "Cifras");
const RAW: Text = text(
    "Every slice, by block and cycle, is in the CSV and in the JSON beside this file. `hola lesson --check` computes the figures \
     from them again.",
    "Cada medición, por bloque y ciclo, está en el CSV y en el JSON que acompañan a este archivo. `hola lesson --check` vuelve a \
     calcular las cifras a partir de ellas.",
);

/// The hand-in to read.
fn markdown(hand_in: &HandIn, result: &LessonResult<'_>) -> String {
    let language = hand_in.language().unwrap_or_default();
    let (run, environment) = (&hand_in.run, &hand_in.run.environment);
    let mut lines = vec![
        format!("# {}", screen::heading(result.lesson, language)),
        String::new(),
        format!("- {}: {}", language.of(NAME), inline(&hand_in.name)),
        format!(
            "- {}: {}, Linux {}, Hola {} ({}), {}",
            language.of(MADE),
            inline(&environment.cpu_model),
            inline(&environment.kernel),
            inline(&environment.version),
            inline(&environment.build),
            inline(&run.started_at),
        ),
    ];
    let letter = hand_in.predicted.to_string();
    let predicted = result.lesson.choice(&letter).unwrap_or_default();
    let sentences = result.beside_prediction(predicted, language);
    lines.extend(sentences.iter().map(|sentence| format!("- {sentence}")));
    lines.extend([
        String::new(),
        format!("## {}", language.of(FIGURES)),
        String::new(),
    ]);
    for (number, figure) in result.lesson.figures.iter().enumerate() {
        let title = chart::title(figure, language);
        let label = in_language(&figure.text, language);
        let shown = inline(&result.shown(number, language));
        lines.push(format!("- {title}: {label}: {shown}"));
    }
    lines.extend([String::new(), language.of(RAW).into(), String::new()]);
    lines.join("\n")
}

/// Foreign text on one line of Markdown: it begins no markup.
fn inline(text: &str) -> String {
    let mut escaped = String::new();
    for letter in visible::one_line(text).chars() {
        if "\\`*_<>[]#|!&".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// Computes everything in a hand-in again from its records, and returns a sentence for each line that does not fit. The
/// files beside it, which only repeat it, are looked at too, where they are.
///
/// # Errors
/// Names the file that cannot be read, or that is no hand-in of this program.
pub fn check(path: &Path) -> Result<Vec<String>> {
    let not_a_hand_in = || format!("{} is no hand-in", path.display());
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let stored: HandIn = serde_json::from_str(&text).with_context(not_a_hand_in)?;
    let all = lessons()?;
    let lesson = all.iter().find(|lesson| lesson.number == stored.lesson);
    let lesson = lesson
        .with_context(|| format!("there is no lesson {}", stored.lesson))
        .with_context(not_a_hand_in)?;
    let predicted = lesson.choice(&stored.predicted.to_string());
    let predicted = predicted
        .with_context(|| {
            format!(
                "lesson {} has no choice {}",
                lesson.number, stored.predicted
            )
        })
        .with_context(not_a_hand_in)?;
    let language = stored.language();
    let language = language
        .context("no such language")
        .with_context(not_a_hand_in)?;
    ensure!(
        stored.schema_version == SCHEMA_VERSION,
        "{} is of schema {}, and this program reads {SCHEMA_VERSION}",
        path.display(),
        stored.schema_version
    );
    let HandIn {
        name, run, blocks, ..
    } = stored;
    let again = HandIn::new(lesson, &name, language, predicted, run, blocks);
    let mut told = misfits(path, &text, &again.json()?);
    let result = LessonResult::new(lesson, &again.run, &again.blocks);
    for (ending, text_of) in OTHER_FILES {
        let beside = path.with_extension(ending);
        if let Ok(text) = fs::read_to_string(&beside) {
            told.extend(misfits(&beside, &text, &text_of(&again, &result)));
        }
    }
    Ok(told)
}

/// The lines of a file that differ from what they should be. If lines are missing or too many, only the first one: all
/// that follow have moved.
fn misfits(path: &Path, text: &str, expected: &str) -> Vec<String> {
    let path = path.display();
    let pairs = text.lines().zip(expected.lines()).zip(1..);
    let differing = pairs.filter(|((line, expected), _)| line != expected);
    let told = differing.map(|((line, expected), number)| {
        let (line, expected) = (shortened(line), shortened(expected));
        format!("{path}:{number}: `{line}` does not fit the records, which give `{expected}`")
    });
    let (lines, wanted) = (text.lines().count(), expected.lines().count());
    if lines == wanted {
        return told.collect();
    }
    let mut told: Vec<String> = told.take(1).collect();
    told.push(format!(
        "{path}: {lines} lines, and the records give {wanted}"
    ));
    told
}

/// The beginning of a line: a histogram takes thousands of letters.
fn shortened(line: &str) -> String {
    const LETTERS_MAX: usize = 100;
    let line = line.trim();
    let short: String = line.chars().take(LETTERS_MAX).collect();
    match short.len() < line.len() {
        true => short + "…",
        false => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_differing_line_is_told_and_moved_lines_are_told_once() {
        let path = Path::new("a.json");
        assert_eq!(misfits(path, "1\n2\n3\n", "1\n2\n3\n"), [""; 0]);
        assert_eq!(
            misfits(path, "1\n9\n3\n", "1\n2\n3\n"),
            ["a.json:2: `9` does not fit the records, which give `2`"]
        );
        let moved = misfits(path, "1\n3\n", "1\n2\n3\n");
        assert_eq!(moved.len(), 2, "{moved:?}");
        assert!(moved[0].starts_with("a.json:2: `3`"), "{moved:?}");
    }

    #[test]
    fn figures_keep_six_digits() {
        assert_eq!(six_digits(4.387_654_321), 4.387_65);
        assert_eq!(six_digits(0.0), 0.0);
    }

    #[test]
    fn foreign_text_begins_no_markup() {
        assert_eq!(inline("# *Ada*\n<b>"), "\\# \\*Ada\\* \\<b\\>");
    }
}
