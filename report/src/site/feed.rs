//! The feed of changes: Atom (RFC 4287). It has no address of its own, because the site does not know where it will be.

use askama::Template;
use hola_base::{Language, Text, text};
use hola_verdict::class::{Class, JudgedRun};

use super::RunChange;
use crate::difference;
use crate::document::TableCell;

#[derive(Template)]
#[template(path = "feed.xml")]
struct Feed<'f> {
    language: Language,
    title: &'f str,
    id: String,
    /// UTC, RFC 3339: when the newest run began.
    updated: &'f str,
    entries: Vec<Entry<'f>>,
}

struct Entry<'f> {
    title: String,
    id: String,
    /// UTC, RFC 3339: when the newer run began.
    updated: &'f str,
    /// Place of the change in the index.
    link: String,
    content: String,
}

/// Name of the feed in a language.
pub(super) fn file_name(language: Language) -> &'static str {
    language.choose(|| "feed.xml", || "feed.es.xml")
}

/// The feed in a language.
pub(super) fn feed(class: &Class, changes: &[RunChange<'_>], language: Language) -> String {
    const TITLE: Text = text(
        "What changed between runs",
        "Qué ha cambiado entre ejecuciones",
    );
    let order = |run: &&JudgedRun| (run.started_at.clone(), run.identity.id.clone());
    let oldest = class.runs().min_by_key(order);
    let newest = class.runs().max_by_key(order);
    let entries = changes.iter().map(|change| Entry {
        title: change.title(),
        id: identifier(&change.base.identity.id, &change.candidate.identity.id),
        updated: &change.candidate.started_at,
        link: format!("index.html#{}-{}", language.tag(), change.anchor()),
        content: content(change, language),
    });
    let oldest = oldest.map_or("", |run| &run.identity.id);
    let feed = Feed {
        language,
        title: language.of(TITLE),
        id: identifier(oldest, language.tag()),
        updated: newest.map_or("", |run| &run.started_at),
        entries: entries.collect(),
    };
    let feed = feed.render();
    feed.unwrap_or_else(|error| unreachable!("writing to memory does not fail: {error}"))
}

/// The verdicts that changed, and a line for each figure that became worse or better.
fn content(change: &RunChange<'_>, language: Language) -> String {
    /// Most of these lines; the index has all.
    const FIGURES_MAX: usize = 20;
    let mut lines = difference::verdicts(&change.difference, language);
    let table = difference::changes(&change.difference, language);
    let rows = table.into_iter().flat_map(|table| table.rows);
    lines.extend(rows.take(FIGURES_MAX).map(|row| {
        let cells: Vec<String> = row.iter().map(TableCell::one_line).collect();
        cells.join(" · ")
    }));
    lines.join("\n")
}

/// A name that is the same in every copy of the site: a UUID of version 8 (RFC 9562), of the first digits of both hashes.
fn identifier(left: &str, right: &str) -> String {
    let digit = |letter: char| {
        if letter.is_ascii_hexdigit() {
            letter
        } else {
            '0'
        }
    };
    let half = |hash: &str| -> String { format!("{hash:0<16.16}").chars().map(digit).collect() };
    let (left, right) = (half(left), half(right));
    let (first, second, third) = (&left[..8], &left[8..12], &left[12..15]);
    let (fourth, last) = (&right[..3], &right[3..15]);
    format!("urn:uuid:{first}-{second}-8{third}-8{fourth}-{last}")
}
