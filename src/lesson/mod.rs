//! Lessons: each asks a question, has the lab measure what answers it, and explains the answer.
//!
//! A lesson is a file of `texts/`. It has its sentences in English and in Spanish side by side, what it measures of the
//! experiments that there are, the figures that it shows, and which values of the first one belong to which choice. The
//! same texts make the lesson in the terminal, the pages in `docs/lessons/` and the teacher's key.

mod chart;
mod hand_in;
mod page;
mod plan;
mod result;
mod screen;
mod wrap;

use anyhow::{Context, Result, ensure};
use hola_base::Language;
use hola_lab::metric::Metric;
use hola_lab::plan::Profile;
use hola_lab::record::StoredText;
use hola_verdict::Estimate;
use serde::Deserialize;

pub use self::chart::Canvas;
pub use self::hand_in::{HandIn, HandInFigure, check};
pub use self::page::pages;
pub use self::plan::designs;
pub use self::result::LessonResult;
pub use self::screen::{conclusion, introduction, list};

/// Name of each lesson's file, and its text, in teaching order.
const FILES: [(&str, &str); LESSONS as usize] = [
    (
        "1-one-slow-client",
        include_str!("texts/1-one-slow-client.toml"),
    ),
    (
        "2-what-a-thread-costs",
        include_str!("texts/2-what-a-thread-costs.toml"),
    ),
    (
        "3-what-a-process-costs-and-protects",
        include_str!("texts/3-what-a-process-costs-and-protects.toml"),
    ),
    (
        "4-a-queue-for-five",
        include_str!("texts/4-a-queue-for-five.toml"),
    ),
    (
        "5-waiting-against-computing",
        include_str!("texts/5-waiting-against-computing.toml"),
    ),
    (
        "6-a-loop-that-blocks",
        include_str!("texts/6-a-loop-that-blocks.toml"),
    ),
    (
        "7-the-latency-nobody-sees",
        include_str!("texts/7-the-latency-nobody-sees.toml"),
    ),
    (
        "8-different-or-noise",
        include_str!("texts/8-different-or-noise.toml"),
    ),
];

/// How many lessons there are.
pub const LESSONS: u32 = 8;

/// The letters of the choices, in their order.
const LETTERS: [char; 4] = ['a', 'b', 'c', 'd'];

/// One lesson.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// Its number, from 1.
    #[serde(skip)]
    pub number: u32,
    /// Name of its file and of its pages, without what follows the dot.
    #[serde(skip)]
    pub name: &'static str,
    /// Title.
    pub title: StoredText,
    /// What there is to see.
    pub see: StoredText,
    /// What the reader is asked before the measurement.
    pub question: StoredText,
    /// The possible answers.
    #[serde(rename = "choice")]
    pub choices: Vec<Choice>,
    /// What is measured.
    #[serde(rename = "measure")]
    pub parts: Vec<LessonPart>,
    /// What is shown of it; the first figure decides between the choices.
    #[serde(rename = "figure")]
    pub figures: Vec<LessonFigure>,
    /// Why it came out like this.
    pub explanation: StoredText,
    /// What to change and to run again.
    pub change: Change,
    /// Exercises.
    #[serde(rename = "exercise")]
    pub exercises: Vec<Exercise>,
}

/// A possible answer, and the measured values that belong to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The answer.
    pub text: StoredText,
    /// The whole interval lies at this value or above it.
    pub from: Option<f64>,
    /// The whole interval lies at this value or below it.
    pub to: Option<f64>,
    /// The interval holds this value.
    pub holds: Option<f64>,
    /// Whether it is what the teacher expects.
    #[serde(default)]
    pub expected: bool,
}

/// What a lesson measures of one experiment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LessonPart {
    /// Name of the experiment.
    pub experiment: String,
    /// The profile that has the levels.
    pub profile: Profile,
    /// Participants by their names in the plan; the first one is the control.
    pub participants: Vec<String>,
    /// Levels by their names in the plan.
    pub levels: Vec<String>,
    /// Slices of each participant in a block, if not as many as in the plan.
    pub cycles: Option<u32>,
    /// Repeats each level in a closed loop of so many clients; its name ends with `, closed loop`.
    pub closed_loop_clients: Option<u32>,
    /// Blocks.
    pub blocks: u32,
}

/// A figure that a lesson shows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LessonFigure {
    /// What it is.
    pub text: StoredText,
    /// Experiment.
    pub experiment: String,
    /// Level.
    pub level: String,
    /// Participant.
    pub participant: String,
    /// Metric.
    pub metric: Metric,
    /// The participant that it is compared with in the same cycles.
    pub against: Option<String>,
    /// The level at which the same participant is compared with itself.
    pub from_level: Option<String>,
}

/// What to change and to run again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What is changed.
    pub text: StoredText,
    /// The command.
    pub command: String,
}

/// An exercise, and its solution for the teacher.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercise {
    /// What to do.
    pub text: StoredText,
    /// The solution.
    pub solution: StoredText,
}

/// Every lesson, in teaching order.
///
/// # Errors
/// Names the file that is no lesson, and the reason.
pub fn lessons() -> Result<Vec<Lesson>> {
    let numbered = FILES.iter().zip(1..);
    numbered
        .map(|(&(name, text), number)| {
            let read = || -> Result<Lesson> {
                let lesson: Lesson = toml::from_str(text)?;
                let choices = 2..=LETTERS.len();
                ensure!(
                    choices.contains(&lesson.choices.len()),
                    "{choices:?} choices are possible"
                );
                Ok(Lesson {
                    number,
                    name,
                    ..lesson
                })
            };
            read().with_context(|| format!("lesson {name}"))
        })
        .collect()
}

impl Lesson {
    /// The number of the choice with that letter.
    pub fn choice(&self, letter: &str) -> Option<usize> {
        let mut letters = LETTERS.iter().take(self.choices.len());
        letters.position(|one| letter == one.to_string())
    }

    /// The letters of its choices.
    pub fn letters(&self) -> String {
        let letters = LETTERS[..self.choices.len()].iter();
        letters.map(char::to_string).collect::<Vec<_>>().join(", ")
    }

    /// A choice as it is shown: `b) 5, and the others are refused`.
    fn lettered(&self, choice: usize, language: Language) -> String {
        let text = in_language(&self.choices[choice].text, language);
        format!("{}) {}", LETTERS[choice], on_one_line(text))
    }

    /// The choice to which the whole interval belongs; `None` if it belongs to no choice, or to more than one.
    fn decided_by(&self, estimate: &Estimate) -> Option<usize> {
        let mut fitting = (0..self.choices.len()).filter(|&one| self.choices[one].fits(estimate));
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    }
}

impl Choice {
    fn fits(&self, estimate: &Estimate) -> bool {
        let low = self.from.unwrap_or(f64::NEG_INFINITY);
        let high = self.to.unwrap_or(f64::INFINITY);
        estimate.is_within(low, high) && self.holds.is_none_or(|value| estimate.contains(value))
    }
}

impl LessonFigure {
    /// Whether it compares two measurements.
    fn is_comparison(&self) -> bool {
        self.against.is_some() || self.from_level.is_some()
    }
}

/// A text in a language.
fn in_language(text: &StoredText, language: Language) -> &str {
    language.choose(|| &*text.en, || &*text.es)
}

/// A text, which may be broken into lines anywhere, on one line. A no-break space stays: between a number and its unit.
fn on_one_line(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
