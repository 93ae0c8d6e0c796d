//! A verdict for every claim, and where models stop gaining.

use crate::analysis::Analysis;
use crate::claims::decide::{Decision, Finding, Verdict};
use crate::claims::rising::{self, Turn};
use crate::claims::rule::Expect;
use crate::claims::words::{self as said, Language, card};
use crate::claims::{Claim, find};
use crate::lab::record::Run;

use super::view::{Card, Cell, Section, Table, Tone, Verdicts};
use super::{answer, numbers};

/// Language of reports.
const LANGUAGE: Language = Language::English;

/// Every verdict at a glance, and a card for each.
pub(super) fn verdicts(decisions: &[Decision]) -> Verdicts {
    let known: Vec<(&Decision, &'static Claim)> = decisions
        .iter()
        .filter_map(|decision| Some((decision, find(decision.claim)?)))
        .collect();
    let mut table = Table::new("", 3, &card::overview_columns(LANGUAGE));
    for (decision, claim) in &known {
        table.push(vec![
            LANGUAGE.of(claim.statement).into(),
            verdict(decision.verdict),
            card::basis(decision, claim, LANGUAGE).into(),
        ]);
    }
    Verdicts {
        overview: Section {
            title: card::heading(LANGUAGE).into(),
            paragraphs: vec![card::tally(decisions, LANGUAGE)],
            tables: vec![table],
            command: None,
        },
        cards: known
            .into_iter()
            .map(|(decision, claim)| card(decision, claim))
            .collect(),
    }
}

fn verdict(verdict: Verdict) -> Cell {
    Cell::Verdict {
        word: said::verdict(verdict, LANGUAGE).into(),
        tone: match verdict {
            Verdict::Holds => Tone::Better,
            Verdict::Fails => Tone::Worse,
            Verdict::Depends | Verdict::NotMeasured => Tone::Neutral,
        },
    }
}

fn card(decision: &Decision, claim: &Claim) -> Card {
    let [why, left_out, command] = card::card_labels(LANGUAGE);
    // A claim that depends has to say on what.
    let found = match decision.verdict {
        Verdict::Depends => said::sentence(decision, claim, LANGUAGE),
        _ => card::basis(decision, claim, LANGUAGE),
    };
    Card {
        name: claim.id.into(),
        statement: LANGUAGE.of(claim.statement).into(),
        verdict: verdict(decision.verdict),
        paragraphs: vec![
            found,
            format!("{why}: {}", LANGUAGE.of(claim.why)),
            format!("{left_out}: {}", LANGUAGE.of(claim.not_measured)),
        ],
        findings: findings(&decision.findings),
        command: decision
            .rerun
            .clone()
            .map(|line| (command.to_owned(), line)),
    }
}

fn findings(findings: &[Finding]) -> Table {
    let mut table = Table::new("", 9, &card::finding_columns(LANGUAGE));
    for finding in findings {
        let (found, trials) = match &finding.effect {
            Ok(effect) => (said::effect(effect, LANGUAGE), effect.trials.to_string()),
            Err(gap) => (said::gap(gap, LANGUAGE), numbers::NONE.into()),
        };
        let comes_to = finding
            .outcome
            .map_or(numbers::NONE, |one| card::outcome(one, LANGUAGE));
        table.push(vec![
            finding.experiment.as_str().into(),
            card::figure(finding, LANGUAGE).into(),
            finding.model.as_str().into(),
            finding.level.as_str().into(),
            finding.over.as_deref().unwrap_or(numbers::NONE).into(),
            expectation(finding.expect).into(),
            found.into(),
            trials.into(),
            comes_to.into(),
        ]);
    }
    table
}

fn expectation(expect: Expect) -> String {
    said::expectation(expect, false, LANGUAGE)
}

/// Where each model of an experiment of rising load stops gaining, and why; `None` for other experiments.
pub(super) fn turning_points(run: &Run, analysis: &Analysis<'_>) -> Option<Section> {
    let turns = rising::turns(analysis, &run.models);
    let (title, explanation, columns) = card::turning_labels(LANGUAGE);
    let mut table = Table::new("", columns.len(), &columns);
    for Turn { model, point } in &turns {
        let mut row = vec![Cell::Model {
            title: answer::title(run, model).into(),
            name: (*model).into(),
        }];
        row.extend(match point {
            Some(point) => [
                point.level.clone(),
                point.next.clone(),
                card::shape(point.shape, LANGUAGE).into(),
                card::causes(point, LANGUAGE),
            ]
            .map(Cell::from),
            None => [
                numbers::NONE,
                numbers::NONE,
                numbers::NONE,
                card::gains_throughout(LANGUAGE),
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
