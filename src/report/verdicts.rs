//! A verdict for every claim, and where models stop gaining.

use crate::analysis::Analysis;
use crate::claims::decide::{Decision, Finding, Verdict};
use crate::claims::rising::{self, Turn};
use crate::claims::words::{self as said, card};
use crate::claims::{Claim, find};
use crate::experiments::level_name;
use crate::lab::record::Run;
use crate::language::Language;

use super::view::{Card, Cell, Section, Table, Tone, Verdicts};
use super::{answer, numbers, pictures};

/// Every verdict at a glance, and a card for each.
pub(super) fn verdicts(decisions: &[Decision], language: Language) -> Verdicts {
    let known: Vec<(&Decision, &'static Claim)> = decisions
        .iter()
        .filter_map(|decision| Some((decision, find(decision.claim)?)))
        .collect();
    let mut table = Table::new("", 3, &card::overview_columns(language));
    for (decision, claim) in &known {
        table.push(vec![
            language.of(claim.statement).into(),
            verdict(decision.verdict, language),
            card::basis(decision, claim, language).into(),
        ]);
    }
    Verdicts {
        overview: Section {
            title: card::heading(language).into(),
            paragraphs: vec![card::tally(decisions, language)],
            tables: vec![table],
            command: None,
        },
        cards: known
            .into_iter()
            .map(|(decision, claim)| card(decision, claim, language))
            .collect(),
    }
}

fn verdict(verdict: Verdict, language: Language) -> Cell {
    Cell::Verdict {
        word: said::verdict(verdict, language).into(),
        tone: match verdict {
            Verdict::Holds => Tone::Better,
            Verdict::Fails => Tone::Worse,
            Verdict::Depends | Verdict::NotMeasured => Tone::Neutral,
        },
    }
}

fn card(decision: &Decision, claim: &Claim, language: Language) -> Card {
    let [why, left_out, command] = card::card_labels(language);
    // A claim that depends has to say on what.
    let found = match decision.verdict {
        Verdict::Depends => said::sentence(decision, claim, language),
        _ => card::basis(decision, claim, language),
    };
    Card {
        name: claim.id.into(),
        statement: language.of(claim.statement).into(),
        verdict: verdict(decision.verdict, language),
        paragraphs: vec![
            found,
            format!("{why}: {}", language.of(claim.why)),
            format!("{left_out}: {}", language.of(claim.not_measured)),
        ],
        charts: pictures::findings(decision, language),
        findings: findings(&decision.findings, language),
        command: decision
            .rerun
            .clone()
            .map(|line| (command.to_owned(), line)),
    }
}

fn findings(findings: &[Finding], language: Language) -> Table {
    let mut table = Table::new("", 9, &card::finding_columns(language));
    for finding in findings {
        let (found, trials) = match &finding.effect {
            Ok(effect) => (said::effect(effect, language), effect.trials.to_string()),
            Err(gap) => (said::gap(gap, language), numbers::NONE.into()),
        };
        let comes_to = finding
            .outcome
            .map_or(numbers::NONE, |one| card::outcome(one, language));
        table.push(vec![
            finding.experiment.as_str().into(),
            card::figure(finding, language).into(),
            finding.model.as_str().into(),
            level_name(&finding.level, language).into_owned().into(),
            level_name(finding.over.as_deref().unwrap_or(numbers::NONE), language)
                .into_owned()
                .into(),
            said::expectation(finding.expect, false, language).into(),
            found.into(),
            trials.into(),
            comes_to.into(),
        ]);
    }
    table
}

/// Where each model of an experiment of rising load stops gaining, and why; `None` for other experiments.
pub(super) fn turning_points(
    run: &Run,
    analysis: &Analysis<'_>,
    language: Language,
) -> Option<Section> {
    let turns = rising::turns(analysis, &run.models);
    let (title, explanation, columns) = card::turning_labels(language);
    let mut table = Table::new("", columns.len(), &columns);
    for Turn { model, point } in &turns {
        let mut row = vec![Cell::Model {
            title: answer::title(run, model, language).into(),
            name: (*model).into(),
        }];
        row.extend(match point {
            Some(point) => [
                level_name(&point.level, language).into_owned(),
                level_name(&point.next, language).into_owned(),
                card::shape(point.shape, language).into(),
                card::causes(point, language),
            ]
            .map(Cell::from),
            None => [
                numbers::NONE,
                numbers::NONE,
                numbers::NONE,
                card::gains_throughout(language),
            ]
            .map(Cell::from),
        });
        table.push(row);
    }
    (!turns.is_empty()).then(|| Section {
        title: title.into(),
        paragraphs: vec![explanation.into()],
        tables: vec![table],
        command: None,
    })
}
