//! A lesson as it is printed: what comes before the measurement, and what comes after it.

use hola_base::{Language, Text, text};

use super::chart::{Canvas, chart};
use super::result::LessonResult;
use super::wrap::wrapped;
use super::{LESSONS, Lesson, in_language};

const QUESTION: Text = text("Question", "Pregunta");
const WHY: Text = text("Why", "Por qué");
const CHANGE: Text = text("Change one thing", "Cambia una cosa");
const INTERVALS: Text = text(
    "Intervals of 95 %, over blocks of fresh servers. Shaded: the interval.",
    "Intervalos del 95 %, sobre bloques de servidores nuevos. Sombreado: el intervalo.",
);

/// All lessons, a line each, and how to take one.
pub fn list(lessons: &[Lesson], language: Language) -> String {
    let line = |lesson: &Lesson| {
        let title = in_language(&lesson.title, language);
        format!("{}  {title}\n", lesson.number)
    };
    let lines: String = lessons.iter().map(line).collect();
    let how = language.choose(
        || "`hola lesson 1` takes the first: two minutes at most, and a question before.",
        || "`hola lesson 1 --lang es` toma la primera: dos minutos como mucho, y antes una pregunta.",
    );
    format!("{lines}\n{how}\n")
}

/// Title, what there is to see, the question and its choices.
pub fn introduction(lesson: &Lesson, canvas: Canvas, language: Language) -> String {
    let text = |text, first: &str| wrapped(in_language(text, language), first, canvas.width);
    let choices = 0..lesson.choices.len();
    let choices = choices.map(|choice| wrapped_choice(lesson, choice, canvas, language));
    format!(
        "{}\n\n{}\n{}\n{}{}",
        heading(lesson, language),
        text(&lesson.see, ""),
        language.of(QUESTION),
        text(&lesson.question, ""),
        choices.collect::<String>()
    )
}

/// `Lesson 3 of 8: What a process costs, and what it protects`.
pub(super) fn heading(lesson: &Lesson, language: Language) -> String {
    let title = in_language(&lesson.title, language);
    let number = lesson.number;
    language.choose(
        || format!("Lesson {number} of {LESSONS}: {title}"),
        || format!("Lección {number} de {LESSONS}: {title}"),
    )
}

fn wrapped_choice(lesson: &Lesson, choice: usize, canvas: Canvas, language: Language) -> String {
    let lettered = lesson.lettered(choice, language);
    let (letter, rest) = lettered.split_once(' ').unwrap_or((&lettered, ""));
    wrapped(rest, &format!("  {letter} "), canvas.width)
}

/// The chart, the prediction beside the measurement, the explanation, and what to change.
pub fn conclusion(
    result: &LessonResult<'_>,
    predicted: usize,
    canvas: Canvas,
    language: Language,
) -> String {
    let lesson = result.lesson;
    let paragraph = |text: &str| wrapped(text, "", canvas.width);
    let sentences = result.beside_prediction(predicted, language);
    let sentences = sentences.iter().map(|sentence| paragraph(sentence));
    format!(
        "{}{}\n{}\n{}\n{}\n{}\n{}\n  {}\n",
        chart(result, canvas, language),
        paragraph(language.of(INTERVALS)),
        sentences.collect::<String>(),
        language.of(WHY),
        paragraph(in_language(&lesson.explanation, language)),
        language.of(CHANGE),
        paragraph(in_language(&lesson.change.text, language)).trim_end(),
        lesson.change.command
    )
}
