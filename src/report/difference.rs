//! Two runs side by side, laid out: regressions first.

mod json;
mod words;

use crate::analysis::difference::{Change, Difference, Unmatched, Verdict};
use crate::analysis::mismatch::Mismatch;
use crate::claims::changes::Changes;

use super::view::{Cell, Section, Table, Tone};
use super::{markdown, method, numbers, plain};

/// What the difference between two runs comes to, free of any format.
#[derive(Clone, Copy, Debug)]
pub struct Page<'p> {
    /// The runs, compared.
    pub difference: &'p Difference<'p>,
    /// The claims that they decide.
    pub claims: &'p Changes,
    /// Whether cells that are the same are listed too.
    pub lists_all: bool,
}

impl Page<'_> {
    /// As text for a terminal.
    pub fn text(&self) -> String {
        plain::page(&self.title(), &self.warnings(), &self.sections())
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        markdown::sections(&self.title(), &self.warnings(), &self.sections())
    }

    /// As JSON, every cell included.
    ///
    /// # Errors
    /// None that these shapes can have.
    pub fn json(&self) -> serde_json::Result<String> {
        json::document(self)
    }

    fn title(&self) -> String {
        words::title(&self.difference.base.name, &self.difference.candidate.name)
    }

    /// What a reader must know before any number, a sentence each.
    fn warnings(&self) -> Vec<String> {
        let mismatches: &[Mismatch<'_>] = &self.difference.mismatches;
        mismatches.iter().map(words::warning).collect()
    }

    fn sections(&self) -> Vec<Section> {
        let mut sections = vec![
            self.changes(Verdict::Worse),
            self.changes(Verdict::Better),
            self.sum(),
        ];
        if self.lists_all {
            let rest = [Verdict::Same, Verdict::TooFew].map(|verdict| self.changes(verdict));
            let has_any = |section: &Section| !section.tables.is_empty();
            sections.extend(rest.into_iter().filter(has_any));
        }
        sections.extend(self.unmatched());
        sections.push(self.verdicts());
        sections.push(self.runs());
        let mut reading = section(words::READING.to_owned());
        reading.paragraphs.push(words::METHOD.to_owned());
        sections.push(reading);
        sections
    }

    fn changes(&self, verdict: Verdict) -> Section {
        let found = self.difference.of(verdict);
        let mut section = section(words::heading(verdict, found.len()));
        if !found.is_empty() {
            let mut table = Table::new("", 4, &words::CHANGE_COLUMNS);
            for change in found {
                table.push(row(change));
            }
            section.tables.push(table);
        }
        section
    }

    /// How many cells are the same, and how many are not.
    fn sum(&self) -> Section {
        let difference = self.difference;
        let mut section = section(words::SUM.to_owned());
        let too_few = difference.count(Verdict::TooFew);
        section.paragraphs = vec![words::same(
            difference.count(Verdict::Same),
            difference.judged(),
            too_few,
        )];
        if let Some(share) = difference.different_share() {
            section.paragraphs.push(words::different(
                difference.judged() - difference.count(Verdict::Same),
                difference.judged(),
                &numbers::percent(share),
            ));
        }
        section
    }

    /// What only one of the runs has; several levels of one model on a line.
    fn unmatched(&self) -> Option<Section> {
        let mut groups: Vec<Vec<Unmatched<'_>>> = Vec::new();
        for one in &self.difference.unmatched {
            match groups.iter_mut().find(|group| is_alike(&group[0], one)) {
                Some(group) => group.push(*one),
                None => groups.push(vec![*one]),
            }
        }
        let mut section = section(words::UNMATCHED.to_owned());
        section.paragraphs = groups.iter().map(|group| words::unmatched(group)).collect();
        (!groups.is_empty()).then_some(section)
    }

    fn verdicts(&self) -> Section {
        let mut section = section(words::CLAIMS.to_owned());
        section.paragraphs.push(words::agreement(self.claims));
        if !self.claims.changed.is_empty() {
            let mut table = Table::new("", 3, &words::CLAIM_COLUMNS);
            for change in &self.claims.changed {
                table.push(vec![
                    change.claim.into(),
                    words::claim_verdict(change.before).into(),
                    words::claim_verdict(change.after).into(),
                ]);
            }
            section.tables.push(table);
        }
        section
    }

    fn runs(&self) -> Section {
        let mut section = section(words::RUNS.to_owned());
        let mut table = Table::new("", 4, &words::RUN_COLUMNS);
        let sides = [self.difference.base, self.difference.candidate];
        for (side, run) in words::SIDES.into_iter().zip(sides) {
            table.push(vec![
                side.into(),
                run.name.as_str().into(),
                run.started_at.as_str().into(),
                method::version(run).into(),
            ]);
        }
        section.tables.push(table);
        section
    }
}

fn section(title: String) -> Section {
    Section {
        title,
        ..Section::default()
    }
}

fn row(change: &Change<'_>) -> Vec<Cell> {
    let figure = |value| numbers::figure(change.metric, value);
    let ratio = change.ratio.as_ref();
    vec![
        change.experiment.into(),
        change.level.into(),
        change.model.into(),
        super::words::metric(change.metric).into(),
        figure(change.base.median).into(),
        figure(change.candidate.median).into(),
        ratio
            .map_or_else(|| numbers::NONE.to_owned(), numbers::times_with_interval)
            .into(),
        numbers::p(change.p_holm).into(),
        change
            .floor
            .map_or_else(|| numbers::NONE.to_owned(), numbers::times)
            .into(),
        Cell::Verdict {
            word: words::verdict(change.verdict).to_owned(),
            tone: tone(change.verdict),
        },
    ]
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Better => Tone::Better,
        Verdict::Worse => Tone::Worse,
        Verdict::Same | Verdict::TooFew => Tone::Neutral,
    }
}

/// Whether two differ in their levels alone.
fn is_alike<'a>(one: &Unmatched<'a>, other: &Unmatched<'a>) -> bool {
    let apart_from_level = |unmatched: &Unmatched<'a>| Unmatched {
        cell: unmatched.cell.map(|(model, _)| (model, "")),
        ..*unmatched
    };
    apart_from_level(one) == apart_from_level(other)
}
