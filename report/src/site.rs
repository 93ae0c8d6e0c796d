//! Pages of many runs that are read from disk, without a server: an index, a page for each run, badges, and a feed of
//! what changed from one run of a machine to its next.
//!
//! Addresses stay the same when runs are added or renamed: they are made of the hash of a run's records, and of the
//! names of claims. Nothing in a file depends on when it was made.

mod badge;
mod feed;

use std::cmp::Reverse;

use hola_base::{LANGUAGES, Language, Text, text};
use hola_lab::record::{Block, Run};
use hola_verdict::class::{Class, JudgedRun, Machine};
use hola_verdict::difference::Difference;

use crate::class::{self, ClassView};
use crate::document::{Details, Section, SectionItem, Table, TableCell};
use crate::facts::Facts;
use crate::{difference, html, page};

/// The folder of the badges.
pub const BADGES: &str = "badges";

/// Name of a run's page in [`run_folder()`].
const RUN_PAGE: &str = "report.html";

/// The index, from the page of a run.
const INDEX_FROM_RUN: &str = "../../index.html";

/// What changed from one run of a machine to the next.
#[derive(Debug)]
pub struct RunChange<'c> {
    /// The machine.
    pub machine: &'c Machine,
    /// The older run.
    pub base: &'c JudgedRun,
    /// The newer run.
    pub candidate: &'c JudgedRun,
    /// The comparison of the two.
    pub difference: Difference,
}

impl RunChange<'_> {
    /// Whether a verdict on a claim changed, or a figure became better or worse.
    pub fn is_change(&self) -> bool {
        !self.difference.claims.is_empty() || self.difference.called_share() > Some(0.0)
    }

    /// Anchor in the index, without the language.
    fn anchor(&self) -> String {
        let [base, candidate] = [self.base, self.candidate].map(|run| &run.identity.id);
        format!("change-{base:.8}-{candidate:.8}")
    }

    fn title(&self) -> String {
        let [base, candidate] = [self.base, self.candidate].map(|run| &run.identity.label);
        format!("{}: {base} → {candidate}", self.machine.name)
    }
}

/// The folder of a run's page, relative to the site.
pub fn run_folder(run: &JudgedRun) -> String {
    /// Length of a time in UTC.
    const TIME: usize = 20;
    // The time comes from records that anybody may have written.
    let time = run.started_at.chars();
    let time = time.filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-');
    let time: String = time.take(TIME).collect();
    let profile = run.profile.name();
    format!("runs/{time}-{profile}-{:.8}", run.identity.id)
}

/// The page of a run, as name and text: that of its report, with a link to the index.
pub fn run_page(run: &Run, blocks: &[Block]) -> (String, String) {
    let facts = Facts::new(run, blocks);
    let versions = LANGUAGES.map(|language| page(&facts, language));
    (RUN_PAGE.into(), html::page(&versions, &[INDEX_FROM_RUN]))
}

/// The index and the feeds, as name and text; `unread` is the number of folders that could not be read. Changes are told
/// from the newest to the oldest.
pub fn index(class: &Class, changes: &mut [RunChange<'_>], unread: usize) -> Vec<(String, String)> {
    let order = |one: &RunChange<'_>| (one.candidate.started_at.clone(), one.anchor());
    changes.sort_by_cached_key(|one| Reverse(order(one)));
    let view = ClassView {
        run_page: Some(|run| format!("{}/{RUN_PAGE}", run_folder(run))),
        ..ClassView::new(class, unread)
    };
    let versions = LANGUAGES.map(|language| {
        let mut page = class::page(view, language);
        let place = page.sections.len() - 1;
        page.sections
            .insert(place, changes_section(changes, language));
        page.sections.push(badges_section(class, language));
        page
    });
    let mut files = Vec::new();
    for language in LANGUAGES {
        let name = feed::file_name(language).to_owned();
        files.push((name, feed::feed(class, changes, language)));
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let index = html::page(&versions, &names);
    files.insert(0, ("index.html".into(), index));
    files
}

/// A badge for each claim in each language, as name and text.
pub fn badges(class: &Class) -> Vec<(String, String)> {
    let of = |language: Language| {
        let claims = class.claims.iter();
        claims.map(move |claim| {
            (
                badge::file_name(claim, language),
                badge::svg(claim, language),
            )
        })
    };
    LANGUAGES.into_iter().flat_map(of).collect()
}

fn changes_section(changes: &[RunChange<'_>], language: Language) -> Section {
    const TITLE: Text = text("What changed", "Qué ha cambiado");
    const NOTHING: Text = text(
        "Nothing changed from one run of a machine to the next, or no machine has two runs.",
        "Nada cambió entre una ejecución de una máquina y la siguiente, o ninguna máquina tiene dos.",
    );
    let fold = |change: &RunChange<'_>| {
        let sentences = difference::sentences(&change.difference, language);
        let mut parts = vec![SectionItem::Items(sentences)];
        let table = difference::changes(&change.difference, language);
        parts.extend(table.map(SectionItem::Table));
        SectionItem::Details(Details {
            anchor: change.anchor(),
            title: change.title(),
            word: None,
            parts,
        })
    };
    let mut parts: Vec<SectionItem> = changes.iter().map(fold).collect();
    if parts.is_empty() {
        parts.push(SectionItem::Text(language.of(NOTHING).into()));
    }
    Section::new("changes", language.of(TITLE), parts)
}

fn badges_section(class: &Class, language: Language) -> Section {
    const TITLE: Text = text("Badges and addresses", "Insignias y direcciones");
    const ADDRESSES: Text = text(
        "Addresses stay the same when runs are added: of a badge, of a run's page, and of each claim, machine and change \
         on this page.",
        "Las direcciones no cambian cuando se añaden ejecuciones: la de una insignia, la de la página de una ejecución, y \
         las de cada afirmación, máquina y cambio en esta página.",
    );
    const COLUMNS: [Text; 2] = [text("Claim", "Afirmación"), text("Badge", "Insignia")];
    let mut table = Table::new(2, COLUMNS.map(|column| language.of(column)));
    for claim in &class.claims {
        let path = format!("{BADGES}/{}", badge::file_name(claim, language));
        table.rows.push(vec![
            claim.claim.id.into(),
            TableCell::from(path.as_str()).linked(Some(path.clone())),
        ]);
    }
    let parts = vec![
        SectionItem::Text(language.of(ADDRESSES).into()),
        SectionItem::folded(
            "badge-files",
            language.of(COLUMNS[1]),
            vec![SectionItem::Table(table)],
        ),
    ];
    Section::new("addresses", language.of(TITLE), parts)
}
