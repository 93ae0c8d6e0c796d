//! Two runs side by side, laid out: regressions first.

mod json;
mod words;

use hola_servers::models::Bilingual;

use crate::analysis::difference::shared::Shared;
use crate::analysis::difference::{Change, Difference, Unmatched, Verdict};
use crate::analysis::mismatch::Mismatch;
use crate::claims::changes::Changes;
use crate::claims::words as said;
use crate::experiments::level_name;
use crate::language::Language;

use super::view::{Cell, Section, Table, Tone};
use super::{html, markdown, method, numbers, plain};

/// What the difference between two runs comes to, free of any format.
#[derive(Clone, Copy, Debug)]
pub struct Page<'p> {
    /// The runs, compared.
    pub difference: &'p Difference<'p>,
    /// The claims that they decide.
    pub claims: &'p Changes,
    /// Whether cells that are the same are listed too.
    pub lists_all: bool,
    /// What it is told in.
    pub language: Language,
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

    /// As one HTML page.
    pub fn html(&self) -> String {
        html::sections(
            &self.title(),
            &self.warnings(),
            &self.sections(),
            self.language,
        )
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
        mismatches
            .iter()
            .map(|one| words::warning(one, self.language))
            .collect()
    }

    fn sections(&self) -> Vec<Section> {
        let mut sections: Vec<Section> = self.shared().into_iter().collect();
        sections.extend([
            self.changes(Verdict::Worse),
            self.changes(Verdict::Better),
            self.sum(),
        ]);
        if self.lists_all {
            let rest = [Verdict::Same, Verdict::TooFew].map(|verdict| self.changes(verdict));
            let has_any = |section: &Section| !section.tables.is_empty();
            sections.extend(rest.into_iter().filter(has_any));
        }
        sections.extend(self.unmatched());
        sections.push(self.verdicts());
        sections.push(self.runs());
        let mut reading = self.section(words::READING);
        let method = self.language.of(words::METHOD);
        reading.paragraphs.push(method.to_owned());
        sections.push(reading);
        sections
    }

    /// What all models of an experiment did together, what became worse first.
    fn shared(&self) -> Option<Section> {
        let found = [Verdict::Worse, Verdict::Better].map(|verdict| {
            let all = self.difference.shared.iter();
            all.filter(move |shared| shared.verdict == verdict)
        });
        let columns = words::SHARED_COLUMNS.map(|text| self.language.of(text));
        let mut table = Table::new("", 2, &columns);
        for shared in found.into_iter().flatten() {
            table.push(shared_row(shared, self.language));
        }
        (!table.rows.is_empty()).then(|| {
            let mut section = self.section(words::SHARED);
            let meaning = self.language.of(words::SHARED_MEANS);
            section.paragraphs.push(meaning.to_owned());
            section.tables.push(table);
            section
        })
    }

    fn changes(&self, verdict: Verdict) -> Section {
        let found = self.difference.of(verdict);
        let mut section = Section {
            title: words::heading(verdict, found.len(), self.language),
            ..Section::default()
        };
        if !found.is_empty() {
            let columns = words::CHANGE_COLUMNS.map(|text| self.language.of(text));
            let mut table = Table::new("", 4, &columns);
            for change in found {
                table.push(row(change, self.language));
            }
            section.tables.push(table);
        }
        section
    }

    /// How many cells are the same, and how many are not.
    fn sum(&self) -> Section {
        let difference = self.difference;
        let mut section = self.section(words::SUM);
        let too_few = difference.count(Verdict::TooFew);
        section.paragraphs = vec![words::same(
            difference.count(Verdict::Same),
            difference.judged(),
            too_few,
            self.language,
        )];
        if let Some(share) = difference.different_share() {
            section.paragraphs.push(words::different(
                difference.judged() - difference.count(Verdict::Same),
                difference.judged(),
                &numbers::percent(share, self.language),
                self.language,
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
        let mut section = self.section(words::UNMATCHED);
        section.paragraphs = groups
            .iter()
            .map(|group| words::unmatched(group, self.language))
            .collect();
        (!groups.is_empty()).then_some(section)
    }

    fn verdicts(&self) -> Section {
        let mut section = self.section(words::CLAIMS);
        section
            .paragraphs
            .push(words::agreement(self.claims, self.language));
        if !self.claims.changed.is_empty() {
            let columns = words::CLAIM_COLUMNS.map(|text| self.language.of(text));
            let mut table = Table::new("", 3, &columns);
            for change in &self.claims.changed {
                table.push(vec![
                    change.claim.into(),
                    said::verdict(change.before, self.language).into(),
                    said::verdict(change.after, self.language).into(),
                ]);
            }
            section.tables.push(table);
        }
        section
    }

    fn section(&self, title: Bilingual) -> Section {
        Section {
            title: self.language.of(title).to_owned(),
            ..Section::default()
        }
    }

    fn runs(&self) -> Section {
        let mut section = self.section(words::RUNS);
        let columns = words::RUN_COLUMNS.map(|text| self.language.of(text));
        let mut table = Table::new("", 4, &columns);
        let sides = [self.difference.base, self.difference.candidate];
        for (side, run) in words::SIDES.into_iter().zip(sides) {
            table.push(vec![
                self.language.of(side).into(),
                run.name.as_str().into(),
                run.started_at.as_str().into(),
                method::version(run, self.language).into(),
            ]);
        }
        section.tables.push(table);
        section
    }
}

fn row(change: &Change<'_>, language: Language) -> Vec<Cell> {
    let figure = |value| numbers::figure(change.metric, value, language);
    let ratio = change.ratio.as_ref();
    vec![
        change.experiment.into(),
        level_name(change.level, language).into_owned().into(),
        change.model.into(),
        super::words::metric(change.metric, language).into(),
        figure(change.base.median).into(),
        figure(change.candidate.median).into(),
        ratio
            .map_or_else(
                || numbers::NONE.to_owned(),
                |ratio| numbers::times_with_interval(ratio, language),
            )
            .into(),
        numbers::p(change.p_holm, language).into(),
        factor(change.floor, language),
        Cell::Verdict {
            word: words::verdict(change.verdict, language).to_owned(),
            tone: tone(change.verdict),
        },
    ]
}

fn shared_row(shared: &Shared<'_>, language: Language) -> Vec<Cell> {
    vec![
        shared.experiment.into(),
        super::words::metric(shared.metric, language).into(),
        numbers::times(shared.factor, language).into(),
        factor(shared.floor, language),
        Cell::Verdict {
            word: words::verdict(shared.verdict, language).to_owned(),
            tone: tone(shared.verdict),
        },
    ]
}

fn factor(factor: Option<f64>, language: Language) -> Cell {
    let written = factor.map(|factor| numbers::times(factor, language));
    written.unwrap_or_else(|| numbers::NONE.to_owned()).into()
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
