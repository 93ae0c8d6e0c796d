//! What was found for a claim, against what it says.

use crate::analysis::bootstrap::Interval;
use crate::claims::decide::{Decision, Finding};
use crate::claims::effect::Outcome;
use crate::claims::rule::Expect;
use crate::claims::words::{self as said, card};
use crate::experiments::level_name;
use crate::language::Language;
use crate::report::charts::{
    self, Claimed, Forest, ForestEffect, ForestRow, Name, SMALL, Threshold,
};
use crate::report::view::{Chart, Table};
use crate::report::words;

use super::Around;

/// A chart for each figure and threshold of a claim, in the order of its rule; none where nothing was found.
pub(in crate::report) fn findings(decision: &Decision, language: Language) -> Vec<Chart> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in &decision.findings {
        let alike = |group: &&mut Vec<&Finding>| {
            group[0].expect == finding.expect && group[0].figure == finding.figure
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups.retain(|group| group.iter().any(|finding| finding.effect.is_ok()));
    let numbered = groups.iter().enumerate();
    numbered
        .filter_map(|(number, group)| chart(decision.claim, number, group, language))
        .collect()
}

fn chart(claim: &str, number: usize, group: &[&Finding], language: Language) -> Option<Chart> {
    let first = group.first()?;
    let is_ratio = first.over.is_some();
    let figure = card::figure(first, language);
    let rows: Vec<ForestRow> = group.iter().map(|finding| row(finding, language)).collect();
    let around = Around {
        id: format!("{}-{claim}-{number}", language.tag()),
        title: figure.clone(),
        caption: language.of(words::FINDINGS_CAPTION).to_owned(),
        summary: Vec::new(),
        table: Table::default(),
    };
    let (id, description) = (around.id.clone(), around.description());
    let claimed = claimed(first.expect, language);
    let write = |value| said::number(value, language);
    let signs = [words::AS_CLAIMED, words::AGAINST, words::LEFT_OPEN].map(|text| language.of(text));
    // There are a hundred of them.
    around.chart_in(&[SMALL], |frame| {
        let drawing = Forest {
            name: Name {
                id: &id,
                title: &figure,
                description: &description,
            },
            effect_title: &figure,
            is_ratio,
            write: &write,
            claimed: &claimed,
            signs,
            rows: &rows,
        };
        Some(charts::forest(frame, &drawing))
    })
}

fn claimed(expect: Expect, language: Language) -> Claimed {
    let threshold = |value| {
        Some(Threshold {
            value,
            text: said::number(value, language),
        })
    };
    match expect {
        Expect::MoreThan(least) => Claimed {
            from: threshold(least),
            to: None,
        },
        Expect::LessThan(most) => Claimed {
            from: None,
            to: threshold(most),
        },
        Expect::Between(low, high) => Claimed {
            from: threshold(low),
            to: threshold(high),
        },
    }
}

fn row(finding: &Finding, language: Language) -> ForestRow {
    let level = level_name(&finding.level, language);
    let place = match level.is_empty() {
        true => finding.model.clone(),
        false => format!("{} · {level}", finding.model),
    };
    let over = finding.over.as_ref();
    let over = over.map_or_else(String::new, |over| {
        format!("÷ {}", level_name(over, language))
    });
    let effect = match &finding.effect {
        Err(gap) => Err(said::gap(gap, language)),
        Ok(effect) => Ok(ForestEffect {
            value: effect.value,
            interval: Interval {
                low: effect.low,
                high: effect.high,
            },
            outcome: match finding.outcome {
                Some(Outcome::Holds) => charts::Outcome::AsClaimed,
                Some(Outcome::Fails) => charts::Outcome::Against,
                Some(Outcome::Noise | Outcome::Bound) | None => charts::Outcome::Open,
            },
            figure: said::effect(effect, language),
        }),
    };
    let found = match &effect {
        Ok(effect) => effect.figure.clone(),
        Err(why) => why.clone(),
    };
    ForestRow {
        say: format!("{place} {over}: {found}"),
        label: [place, over],
        effect,
    }
}
