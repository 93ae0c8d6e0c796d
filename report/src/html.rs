//! The page: both languages in one file without external resources.

use askama::Template;
use hola_base::Language;

use crate::document::{Page, SectionItem, Table};

#[derive(Template)]
#[template(path = "page.html")]
struct Whole<'p> {
    versions: &'p [Page],
    files: &'p [&'p str],
}

#[derive(Template)]
#[template(path = "part.html")]
struct OnePart<'p> {
    part: &'p SectionItem,
    language: Language,
}

#[derive(Template)]
#[template(path = "table.html")]
struct OneTable<'p> {
    table: &'p Table,
}

/// The page in all its languages, with links to the other files beside it.
pub fn page(versions: &[Page], files: &[&str]) -> String {
    let page = Whole { versions, files }.render();
    page.unwrap_or_else(|error| unreachable!("writing to memory does not fail: {error}"))
}
