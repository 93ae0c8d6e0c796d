//! A badge for a claim: the verdict of the machines, with its interval.

use askama::Template;
use hola_base::Language;
use hola_verdict::claims::Verdict;
use hola_verdict::class::ClaimVotes;

use crate::charts::text_width;
use crate::class;
use crate::document::Tone;
use crate::{labels, numbers};

/// Room on both sides of a text, in pixels.
const ROOM: f64 = 16.0;

#[derive(Template)]
#[template(path = "badge.svg")]
struct Badge<'b> {
    /// The name of the claim.
    name: &'b str,
    message: &'b str,
    /// Width of the part with the name, in pixels.
    left: f64,
    /// Width of the part with the message, in pixels.
    right: f64,
    /// Colours of the message, as variables of the style sheet.
    back: &'b str,
    ink: &'b str,
}

/// Name of the badge of a claim.
pub(super) fn file_name(claim: &ClaimVotes, language: Language) -> String {
    let ending = language.choose(|| "svg", || "es.svg");
    format!("{}.{ending}", claim.claim.id)
}

/// The badge of a claim.
pub(super) fn svg(claim: &ClaimVotes, language: Language) -> String {
    let (message, tone) = message(claim, language);
    let (back, ink) = match tone {
        Tone::Good => ("--good-soft", "--good"),
        Tone::Bad => ("--bad-soft", "--bad"),
        Tone::Neutral => ("--soft", "--ink"),
        Tone::Open => ("--page", "--quiet"),
    };
    let badge = Badge {
        name: claim.claim.id,
        message: &message,
        left: text_width(claim.claim.id) + ROOM,
        right: text_width(&message) + ROOM,
        back,
        ink,
    };
    let badge = badge.render();
    badge.unwrap_or_else(|error| unreachable!("writing to memory does not fail: {error}"))
}

/// The verdict of the only machine with its intervals, or that of the most machines with the interval of their mean.
/// Without a summary over machines, the interval is what all intervals of the machines cover.
fn message(claim: &ClaimVotes, language: Language) -> (String, Tone) {
    let Some((word, tone)) = class::word(claim, language) else {
        return labels::verdict(Verdict::NotMeasured, language);
    };
    if let [only] = claim.votes.as_slice() {
        let (word, tone) = labels::verdict(only.decision.verdict, language);
        let findings = only.decision.key_findings().into_iter();
        let found = findings.filter_map(|finding| finding.estimate.as_ref().ok());
        let found = found.map(|estimate| numbers::estimate(estimate, language));
        return (
            with_interval(word, &found.collect::<Vec<_>>().join("; ")),
            tone,
        );
    }
    let interval = claim.key_quantity().map(|key| match key.effects {
        Some(effects) => numbers::estimate(&effects.mean, language),
        None => numbers::ends(key.reach(), language),
    });
    (with_interval(word, &interval.unwrap_or_default()), tone)
}

fn with_interval(word: String, interval: &str) -> String {
    match interval {
        "" => word,
        _ => format!("{word} · {interval}"),
    }
}
