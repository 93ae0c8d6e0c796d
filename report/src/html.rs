//! The page: both languages in one file without external resources.

use askama::Template;
use hola_base::Language;

use crate::document::{Page, SectionItem, Table};

/// A page in one of its languages.
pub(crate) struct Localized {
    pub(crate) language: Language,
    pub(crate) page: Page,
}

impl Localized {
    /// An anchor of this language; the file has both languages.
    fn anchor(&self, name: &str) -> String {
        anchor(self.language, name)
    }
}

/// Name of an anchor in the page of that language.
fn anchor(language: Language, name: &str) -> String {
    format!("{}-{name}", language.tag())
}

#[derive(Template)]
#[template(path = "page.html")]
struct Whole<'p> {
    versions: &'p [Localized],
    files: &'p [&'p str],
}

#[derive(Template)]
#[template(path = "part.html")]
struct OnePart<'p> {
    part: &'p SectionItem,
    language: Language,
}

impl<'p> OnePart<'p> {
    fn new(part: &'p SectionItem, language: Language) -> Self {
        OnePart { part, language }
    }

    fn anchor(&self, name: &str) -> String {
        anchor(self.language, name)
    }
}

#[derive(Template)]
#[template(path = "table.html")]
struct OneTable<'p> {
    table: &'p Table,
}

/// The page in all its languages, with links to the other files beside it.
pub(crate) fn page(versions: &[Localized], files: &[&str]) -> String {
    let whole = Whole { versions, files };
    whole
        .render()
        .unwrap_or_else(|error| unreachable!("writing to memory does not fail: {error}"))
}
