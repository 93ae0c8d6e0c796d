//! The verdicts on the claims: a line for each claim, which opens to show the evidence.

use hola_base::{Language, Text, text};
use hola_verdict::claims::{Claim, Decision, Finding, Verdict};

use crate::document::{Details, Section, SectionItem, Table, TableCell};
use crate::facts::Facts;
use crate::{labels, numbers};

/// The claims, those decided first.
pub(crate) fn section(facts: &Facts<'_>, language: Language) -> Section {
    let order = [
        Verdict::Holds,
        Verdict::Fails,
        Verdict::Depends,
        Verdict::Undecided,
        Verdict::NotMeasured,
    ];
    let folds = order.into_iter().flat_map(|verdict| {
        let decisions = facts.decisions.iter();
        decisions.filter(move |(_, decision)| decision.verdict == verdict)
    });
    let parts =
        folds.map(|(claim, decision)| SectionItem::Details(details(claim, decision, language)));
    let title = language.choose(|| "What people say, decided", || "Lo que se dice, decidido");
    Section::new("claims", title, parts.collect())
}

fn details(claim: &Claim, decision: &Decision, language: Language) -> Details {
    const WHY: Text = text("Why it could be so or not: ", "Por qué podría ser o no: ");
    const LEFT_OUT: Text = text("What is left out: ", "Lo que queda fuera: ");
    const COMMAND: Text = text("Measure it again:", "Medirla de nuevo:");
    let labelled =
        |label: Text, text: &str| SectionItem::Text(format!("{}{text}", language.of(label)));
    let reason = decision.reason.in_language(language);
    let mut parts = vec![SectionItem::Text(reason.into())];
    if !decision.findings.is_empty() {
        parts.push(SectionItem::Table(findings(&decision.findings, language)));
    }
    parts.extend([
        labelled(WHY, language.of(claim.why)),
        labelled(LEFT_OUT, language.of(claim.left_out)),
        labelled(COMMAND, ""),
        SectionItem::Command(claim.rerun()),
    ]);
    Details {
        anchor: format!("claim-{}", claim.id),
        title: language.of(claim.statement).into(),
        word: Some(labels::verdict(decision.verdict, language)),
        parts,
    }
}

/// The tested quantities; those on which the verdict rests come first.
fn findings(findings: &[Finding], language: Language) -> Table {
    const COLUMNS: [Text; 5] = [
        text("Tested", "Se comprobó"),
        text("Outcome", "Resultado"),
        text("The verdict rests on it", "El veredicto se apoya en ello"),
        text("Expected", "Se espera"),
        text("Found [95 %]", "Se halló [95 %]"),
    ];
    let mut table = Table::new(3, COLUMNS.map(|column| language.of(column))).with_prose(&[0, 4]);
    let (decided, others): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding.decided);
    for finding in decided.into_iter().chain(others) {
        let found = match &finding.estimate {
            Ok(estimate) => {
                TableCell::number(numbers::estimate(estimate, language), estimate.value)
            }
            Err(why) => format!("{} ({})", numbers::NONE, labels::missing(why, language)).into(),
        };
        let rests = match finding.decided {
            true => language.choose(|| "yes", || "sí"),
            false => "",
        };
        table.rows.push(vec![
            finding.what.in_language(language).into(),
            TableCell::word(labels::outcome(finding.outcome, language)),
            rests.into(),
            finding.threshold.text(language).into(),
            found,
        ]);
    }
    table
}
