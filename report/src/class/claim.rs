//! All votes on one claim, and what they rest on.

use hola_base::{Language, Text, text};
use hola_verdict::Estimate;
use hola_verdict::claims::Expect;
use hola_verdict::class::{ClaimVotes, QuantitySummary};

use super::{ClassView, tables};
use crate::charts::Hue;
use crate::charts::dots::{DotChart, Row};
use crate::document::{Chart, Details, SectionItem, Table, TableCell, Tone};
use crate::{labels, numbers};

const MEAN: Text = text("mean of the machines", "media de las máquinas");
const TITLE: Text = text("What the machines measured", "Lo que midieron las máquinas");
const NEXT: Text = text("one more machine", "una máquina más");

/// A claim, which opens to show the votes.
pub(super) fn details(view: ClassView<'_>, claim: &ClaimVotes, language: Language) -> Details {
    let mut parts = Vec::from_iter(
        claim
            .key_quantity()
            .and_then(|key| chart(view, key, language)),
    );
    parts.extend([
        SectionItem::Table(quantities(claim, language)),
        SectionItem::Table(votes(view, claim, language)),
    ]);
    if !claim.properties.is_empty() {
        parts.push(SectionItem::Table(properties(claim, language)));
    }
    Details {
        anchor: format!("claim-{}", claim.claim.id),
        title: language.of(claim.claim.statement).into(),
        word: word(claim, language),
        parts,
    }
}

/// The verdict of the most machines, and how many they are: `holds on 22 of 30`. `None` if no machine measured the claim.
pub(crate) fn word(claim: &ClaimVotes, language: Language) -> Option<(String, Tone)> {
    let verdict = claim.leading()?;
    let (word, tone) = labels::verdict(verdict, language);
    let (count, all) = (claim.count(verdict), claim.votes.len());
    let text = language.choose(
        || format!("{word} on {count} of {all}"),
        || format!("{word} en {count} de {all}"),
    );
    Some((text, tone))
}

/// The quantity on which most votes rest, on every machine.
fn chart(view: ClassView<'_>, key: &QuantitySummary, language: Language) -> Option<SectionItem> {
    const CAPTION: Text = text(
        "A dot and its interval of 95 % for each machine, then the mean of the machines, and the interval for one more \
         machine. The line is the claim's threshold.",
        "Un punto y su intervalo del 95 % para cada máquina, después la media de las máquinas, y el intervalo para una \
         máquina más. La línea es el umbral de la afirmación.",
    );
    let what = key.what.in_language(language);
    let row = |name: &str, hue, estimate: Estimate| Row {
        name: name.into(),
        hue,
        figure: numbers::plain(estimate.value, language),
        estimate,
    };
    let machines = key.values.iter();
    let machines = machines.map(|value| {
        let name = &view.class.machines[value.machine].name;
        row(name, Hue::Target, value.estimate)
    });
    let mut rows: Vec<Row> = machines.collect();
    if let Some(effects) = key.effects {
        let (low, high) = effects.prediction;
        let next = Estimate {
            low,
            high,
            ..effects.mean
        };
        rows.push(row(language.of(MEAN), Hue::Process, effects.mean));
        rows.push(row(language.of(NEXT), Hue::Task, next));
    }
    let drawing = DotChart {
        label: what.into(),
        title: language.of(TITLE).into(),
        x_label: key.threshold.text(language),
        is_log: rows.iter().all(|row| row.estimate.low > 0.0),
        line: match key.threshold {
            Expect::Above(threshold) | Expect::Below(threshold) | Expect::Within(threshold, _) => {
                threshold
            }
        },
        write: &|value| numbers::round(value, language),
        rows,
    }
    .draw();
    Chart::new(what.into(), language.of(CAPTION), drawing).map(SectionItem::Chart)
}

/// Every tested quantity, over the machines that measured it.
fn quantities(claim: &ClaimVotes, language: Language) -> Table {
    const COLUMNS: [Text; 3] = [
        text("Tested", "Se comprobó"),
        text("Expected", "Se espera"),
        text("Machines", "Máquinas"),
    ];
    let titles = COLUMNS.map(|column| language.of(column).to_owned());
    let titles = titles.into_iter().chain(tables::effect_titles(language));
    let mut table = Table::new(2, titles).with_prose(&[0]);
    for quantity in &claim.quantities {
        let mut row = vec![
            quantity.what.in_language(language).into(),
            quantity.threshold.text(language).into(),
            tables::whole(quantity.values.len()),
        ];
        row.extend(tables::effects(Some(quantity), language));
        table.rows.push(row);
    }
    table
}

/// The vote of each machine.
fn votes(view: ClassView<'_>, claim: &ClaimVotes, language: Language) -> Table {
    const COLUMNS: [Text; 3] = [
        text("Machine", "Máquina"),
        text("Verdict [95 %]", "Veredicto [95 %]"),
        text("It rests on", "Se apoya en"),
    ];
    let mut table = Table::new(3, COLUMNS.map(|column| language.of(column))).with_prose(&[2]);
    for vote in &claim.votes {
        let run = view.class.run_of(vote);
        let link = view.claim_in_run(run, claim.claim.id, language);
        let findings = vote.decision.key_findings().into_iter();
        let findings = findings.map(|finding| finding.what.in_language(language));
        let findings: Vec<&str> = findings.collect();
        table.rows.push(vec![
            view.class.machines[vote.machine].name.as_str().into(),
            tables::vote(vote, language).linked(link),
            findings.join("; ").into(),
        ]);
    }
    table
}

/// The votes by the properties in which machines differ.
fn properties(claim: &ClaimVotes, language: Language) -> Table {
    const COLUMNS: [Text; 2] = [
        text("Property of the machine", "Propiedad de la máquina"),
        text("Value", "Valor"),
    ];
    let titles = COLUMNS.map(|column| language.of(column).to_owned());
    let p_value = language
        .choose(|| "p, corrected", || "p, corregida")
        .to_owned();
    let verdicts = tables::verdict_titles(language).into_iter();
    let mut table = Table::new(2, titles.into_iter().chain(verdicts).chain([p_value]));
    for votes in &claim.properties {
        for (value, counts) in &votes.groups {
            let mut row: Vec<TableCell> = vec![
                tables::property(votes.property, language).into(),
                tables::property_value(value, language).into(),
            ];
            row.extend(tables::counts(|verdict| {
                counts.get(&verdict).copied().unwrap_or_default()
            }));
            let p_value = numbers::plain(votes.p_holm, language);
            row.push(TableCell::number(p_value, votes.p_holm));
            table.rows.push(row);
        }
    }
    table
}
