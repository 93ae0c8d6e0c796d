//! The pages of the lessons, and the teacher's key, are made from the texts of the lessons.

use std::collections::BTreeSet;
use std::fs;

use hola::lesson::pages;

use crate::{path_of, read};

const FOLDER: &str = "docs/lessons";

#[test]
fn the_pages_of_the_lessons_are_those_of_their_texts() {
    let pages = pages().expect("lessons");
    let is_blessed = std::env::var_os("HOLA_BLESS").is_some();
    for (name, text) in &pages {
        let document = format!("{FOLDER}/{name}");
        if is_blessed {
            fs::create_dir_all(path_of(FOLDER)).expect("a folder");
            fs::write(path_of(&document), text).expect("written");
        }
        assert!(
            read(&document) == *text,
            "{document}: HOLA_BLESS=1 rewrites it"
        );
    }
    let known: BTreeSet<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
    for entry in fs::read_dir(path_of(FOLDER)).expect("a folder").flatten() {
        let name = entry.file_name().into_string().expect("text");
        assert!(
            known.contains(name.as_str()),
            "{FOLDER}/{name}: of no lesson"
        );
    }
}

/// A sentence and its translation, which must both be there.
#[test]
fn every_lesson_has_every_text_in_both_languages() {
    let folder = path_of("src/lesson/texts");
    let mut files = 0;
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let text = fs::read_to_string(&path).expect("text");
        let lesson: toml::Table = toml::from_str(&text).expect("TOML");
        let texts = check_texts(&path.display().to_string(), &toml::Value::Table(lesson));
        assert!(texts > 10, "{}: {texts} texts", path.display());
        files += 1;
    }
    assert_eq!(files, 8);
}

/// Number of texts in a value, each of which has both languages.
fn check_texts(place: &str, value: &toml::Value) -> usize {
    match value {
        toml::Value::Table(table) if table.contains_key("en") || table.contains_key("es") => {
            let [en, es] = ["en", "es"].map(|language| {
                let text = table.get(language).and_then(toml::Value::as_str);
                text.unwrap_or_default().trim()
            });
            assert!(!en.is_empty() && !es.is_empty(), "{place}: {table:?}");
            // Names of models are the same in both.
            let is_name = !en.contains(' ');
            assert!(is_name || en != es, "{place}: not translated: {en}");
            1
        }
        toml::Value::Table(table) => table
            .iter()
            .map(|(key, value)| check_texts(&format!("{place}: {key}"), value))
            .sum(),
        toml::Value::Array(values) => values.iter().map(|one| check_texts(place, one)).sum(),
        _ => 0,
    }
}
