//! What people say, decided: a line for each claim, which opens to what the verdict rests on.

use hola_base::{Language, Text, text};
use hola_verdict::claims::{Claim, Decision, Finding, Verdict};

use crate::document::{Cell, Fold, Part, Section, Table};
use crate::facts::Facts;
use crate::{numbers, words};

/// The claims, those decided first.
pub(crate) fn section(facts: &Facts<'_>, language: Language) -> Section {
    let order = [
        Verdict::Holds,
        Verdict::Fails,
        Verdict::Depends,
        Verdict::Undecided,
        Verdict::NotMeasured,
    ];
    let of = |verdict| {
        facts
            .decisions
            .iter()
            .filter(move |(_, decision)| decision.verdict == verdict)
    };
    let folds = order.into_iter().flat_map(of);
    Section {
        anchor: "claims".into(),
        title: language
            .choose(|| "What people say, decided", || "Lo que se dice, decidido")
            .into(),
        parts: folds
            .map(|(claim, decision)| Part::Fold(fold(claim, decision, language)))
            .collect(),
    }
}

fn fold(claim: &Claim, decision: &Decision, language: Language) -> Fold {
    const WHY: Text = text("Why it could be so or not: ", "Por qué podría ser o no: ");
    const LEFT_OUT: Text = text("What is left out: ", "Lo que queda fuera: ");
    const COMMAND: Text = text("Measure it again:", "Medirla de nuevo:");
    let with = |before: Text, rest: &str| Part::Text(format!("{}{rest}", language.of(before)));
    let mut parts = vec![Part::Text(words::stored(&decision.reason, language).into())];
    if !decision.findings.is_empty() {
        parts.push(Part::Table(findings(&decision.findings, language)));
    }
    parts.push(with(WHY, language.of(claim.why)));
    parts.push(with(LEFT_OUT, language.of(claim.left_out)));
    parts.push(Part::Text(language.of(COMMAND).into()));
    parts.push(Part::Command(claim.rerun()));
    Fold {
        anchor: format!("claim-{}", claim.id),
        title: language.of(claim.statement).into(),
        word: Some(words::verdict(decision.verdict, language)),
        parts,
    }
}

/// What was tested, that on which the verdict rests first.
fn findings(findings: &[Finding], language: Language) -> Table {
    const COLUMNS: [Text; 5] = [
        text("Tested", "Se comprobó"),
        text("Outcome", "Resultado"),
        text("The verdict rests on it", "El veredicto se apoya en ello"),
        text("Expected", "Se espera"),
        text("Found [95 %]", "Se halló [95 %]"),
    ];
    let mut table =
        Table::new("", 3, &COLUMNS.map(|column| language.of(column))).with_prose(&[0, 4]);
    let (decided, others): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding.decided);
    for finding in decided.into_iter().chain(others) {
        let (word, tone) = words::outcome(finding.outcome, language);
        let found = match &finding.estimate {
            Ok(estimate) => Cell::number(numbers::estimate(estimate, language), estimate.value),
            Err(why) => format!("{} ({})", numbers::NONE, words::missing(why, language)).into(),
        };
        let rests = match finding.decided {
            true => language.choose(|| "yes", || "sí"),
            false => "",
        };
        table.rows.push(vec![
            words::stored(&finding.what, language).into(),
            Cell::word(word, tone),
            rests.into(),
            finding.threshold.text(language).into(),
            found,
        ]);
    }
    table
}
