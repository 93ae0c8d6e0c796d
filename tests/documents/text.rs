//! Checks the text of the documents: their length, their links, and the tests that they name.

use std::fs;

use crate::{DOCUMENTS, path_of, read};

/// Most words of the glossary.
const GLOSSARY_MAX: usize = 25;

/// Number of words outside generated blocks and comments.
fn words_of(document: &str) -> usize {
    let text = read(document);
    let mut words = 0;
    let mut closing = None;
    for line in text.lines() {
        let marker = line
            .strip_prefix("<!-- ")
            .and_then(|line| line.strip_suffix(" -->"));
        match (marker, &closing) {
            (Some(name), None) => closing = Some(format!("/{name}")),
            (Some(name), Some(end)) if name == end => closing = None,
            (None, None) => words += line.split_whitespace().count(),
            _ => {}
        }
    }
    assert_eq!(closing, None, "{document}: a block that does not end");
    words
}

#[test]
fn documents_keep_to_their_length() {
    for (document, most) in DOCUMENTS {
        let words = words_of(document);
        assert!(
            most.is_none_or(|most| words <= most),
            "{document}: {words} words"
        );
    }
    let architecture = read("ARCHITECTURE.md");
    let (_, glossary) = architecture.split_once("## Glossary").expect("a glossary");
    let rows = glossary
        .lines()
        .filter(|line| line.starts_with("| "))
        .count();
    // Two of them are the table's head.
    assert!((3..=GLOSSARY_MAX + 2).contains(&rows), "{rows}");
}

/// Each link to a file, relative to its document, leads to an existing file.
#[test]
fn links_between_documents_lead_somewhere() {
    for (document, _) in DOCUMENTS {
        let text = read(document);
        let path = path_of(document);
        let folder = path.parent().expect("a folder");
        let links = text.split("](").skip(1);
        let links = links.filter_map(|rest| rest.split([')', '#']).next());
        for link in links.filter(|link| !link.is_empty() && !link.contains("://")) {
            assert!(folder.join(link).exists(), "{document}: {link}");
        }
    }
}

/// Each name between backticks, after the text before it.
fn quoted(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split('`').collect();
    let pairs = parts.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    pairs.collect()
}

/// Number of tests that a text names as `FILE`: `TEST`, `TEST`; each of them must exist.
fn tests_named_in(text: &str) -> usize {
    let mut file: Option<String> = None;
    let mut tests = 0;
    for (before, name) in quoted(text) {
        let is_file = name.contains('/') && name.ends_with(".rs");
        // A test follows its file after a colon, or another test after a comma.
        let is_test = !is_file && (before == ": " || before.trim() == ",");
        match &file {
            _ if is_file => file = fs::read_to_string(path_of(name)).ok(),
            Some(source) if is_test => {
                assert!(source.contains(&format!("fn {name}(")), "no test {name}");
                tests += 1;
            }
            _ => assert!(!is_test, "no file for {name}"),
        }
    }
    tests
}

#[test]
fn invariants_and_recipes_name_tests_that_exist() {
    let text = read("ARCHITECTURE.md");
    let (_, invariants) = text.split_once("## Invariants").expect("invariants");
    let (invariants, _) = invariants.split_once("## Glossary").expect("a glossary");
    let mut tests = 0;
    for invariant in invariants.split("\n- ").skip(1) {
        let named = tests_named_in(invariant);
        assert!(named > 0 || invariant.contains("(lints of"), "{invariant}");
        tests += named;
    }
    assert!(tests > 20, "{tests}");
    let text = read("CONTRIBUTING.md");
    let recipes: Vec<&str> = text
        .split("\n## ")
        .filter(|one| one.starts_with("Add "))
        .collect();
    assert_eq!(recipes.len(), 6);
    for recipe in recipes {
        assert!(tests_named_in(recipe) > 0, "{recipe}");
    }
}
