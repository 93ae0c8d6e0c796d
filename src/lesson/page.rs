//! The lessons as pages to print or to link to, and the teacher's key, in Markdown.

use anyhow::Result;
use hola_base::{LANGUAGES, Language, Text, text};
use hola_lab::record::StoredText;

use super::{Lesson, in_language, lessons, on_one_line, screen};

/// What each page begins with.
const HEAD: &str =
    "<!-- Generated from src/lesson/texts by HOLA_BLESS=1 cargo test --test documents. -->\n\n";

const QUESTION: Text = text("Before you measure", "Antes de medir");
const MEASURE: Text = text("Measure", "Mide");
const CHANGE: Text = text("Change one thing", "Cambia una cosa");
const EXERCISES: Text = text("Exercises", "Ejercicios");
const EXPECTED: Text = text("Expected", "Esperado");
const KEY: Text = text(
    "The lessons: teacher's key",
    "Las lecciones: clave del profesor",
);
const USE: Text = text(
    "Each lesson asks first and measures then, at most two minutes, on the student's own machine. What is expected is what \
     is usually measured; a machine may differ, and then the measurement is right. `hola lesson 3 --hand-in DIR --name NAME` \
     writes a hand-in as JSON, Markdown and CSV; `hola lesson --check DIR/lesson-3.json` computes every figure from the \
     hand-in's own records again, and names the lines that do not fit. It cannot show who measured, nor when the prediction was \
     made, and whoever makes up all records alike is not found. `hola lesson --answers FILE` takes lessons unattended; FILE has \
     lines such as `3 = \"b\"`.",
    "Cada lección primero pregunta y después mide, dos minutos como mucho, en la máquina del alumno. Lo esperado es lo que suele \
     medirse; una máquina puede diferir, y entonces vale la medición. `hola lesson 3 --lang es --hand-in DIR --name NOMBRE` escribe \
     una entrega en JSON, Markdown y CSV; `hola lesson --check DIR/lesson-3.json` vuelve a calcular cada cifra a partir de los \
     registros de la propia entrega, y nombra las líneas que no encajan. No puede mostrar quién midió ni cuándo se hizo la \
     predicción, y no descubre a quien invente todos los registros a la vez. `hola lesson --answers ARCHIVO` toma lecciones sin \
     nadie delante; ARCHIVO tiene líneas como `3 = \"b\"`.",
);

/// Every page by its name in `docs/lessons/`: each lesson and the teacher's key, in both languages.
///
/// # Errors
/// As [`lessons`].
pub fn pages() -> Result<Vec<(String, String)>> {
    let lessons = lessons()?;
    let mut pages = Vec::new();
    for language in LANGUAGES {
        let ending = language.choose(|| "md", || "es.md");
        for lesson in &lessons {
            let name = format!("{}.{ending}", lesson.name);
            pages.push((name, page(lesson, language)));
        }
        pages.push((format!("key.{ending}"), key(&lessons, language)));
    }
    Ok(pages)
}

fn page(lesson: &Lesson, language: Language) -> String {
    let text = |text: &StoredText| on_one_line(in_language(text, language));
    let of = |words: Text| language.of(words);
    let option = language.choose(|| "", || " --lang es");
    let exercises = lesson.exercises.iter().zip(1..);
    let exercises = exercises.map(|(one, number)| format!("{number}. {}\n", text(&one.text)));
    format!(
        "{HEAD}# {}\n\n{}\n\n## {}\n\n{}\n\n{}\n## {}\n\n```sh\nhola lesson {}{option}\n```\n\n## {}\n\n{}\n\n```sh\n{}\n```\n\n## {}\n\n{}",
        screen::heading(lesson, language),
        text(&lesson.see),
        of(QUESTION),
        text(&lesson.question),
        choices(lesson, language),
        of(MEASURE),
        lesson.number,
        of(CHANGE),
        text(&lesson.change.text),
        lesson.change.command,
        of(EXERCISES),
        exercises.collect::<String>()
    )
}

fn choices(lesson: &Lesson, language: Language) -> String {
    let choices = 0..lesson.choices.len();
    let item = |choice| format!("- {}\n", lesson.lettered(choice, language));
    choices.map(item).collect()
}

fn key(lessons: &[Lesson], language: Language) -> String {
    let title = language.of(KEY);
    let how = on_one_line(language.of(USE));
    let lessons = lessons.iter().map(|lesson| solved(lesson, language));
    format!("{HEAD}# {title}\n\n{how}\n{}", lessons.collect::<String>())
}

fn solved(lesson: &Lesson, language: Language) -> String {
    let text = |text: &StoredText| on_one_line(in_language(text, language));
    let choices = 0..lesson.choices.len();
    let expected = choices.filter(|&choice| lesson.choices[choice].expected);
    let expected = expected.map(|choice| {
        let choice = lesson.lettered(choice, language);
        format!("{}: {choice}\n\n", language.of(EXPECTED))
    });
    let solutions = lesson.exercises.iter().zip(1..);
    let solutions = solutions.map(|(one, number)| format!("{number}. {}\n", text(&one.solution)));
    format!(
        "\n## {}\n\n{}{}\n\n{}",
        screen::heading(lesson, language),
        expected.collect::<String>(),
        text(&lesson.explanation),
        solutions.collect::<String>()
    )
}
