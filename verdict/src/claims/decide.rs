//! Computes a verdict from findings.
//!
//! Holm's correction covers all findings of a claim; a finding that is not significant after it is undecided. So noise
//! decides a claim wrongly in at most one of twenty runs. Noise hardly ever causes *depends*, which needs two decided
//! parts.

use hola_base::{Language, Text, text};
use hola_lab::record::StoredText;

use super::finding::{Decision, Finding, Outcome, Verdict, key_findings};
use crate::statistics::{SIGNIFICANCE, holm};

/// A part of a claim, decided by itself.
pub(super) struct ClaimPart {
    label: Text,
    needs: Needs,
    findings: Vec<Finding>,
}

/// Parts of a claim, a line for each: its label in English and in Spanish, and its findings, all of which have to hold.
macro_rules! parts {
    ($($en:expr, $es:expr => $findings:expr;)*) => {
        [$($crate::claims::decide::ClaimPart::new(hola_base::text($en, $es), $findings)),*]
    };
}
pub(super) use parts;

/// How many of a part's findings have to hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    All,
    Any,
}

impl ClaimPart {
    /// A part that holds if all its findings do.
    pub(super) fn new(label: Text, findings: impl Into<Vec<Finding>>) -> Self {
        ClaimPart {
            label,
            needs: Needs::All,
            findings: findings.into(),
        }
    }

    /// The outcome of the part, from its findings.
    fn outcome(&self) -> Outcome {
        let has = |outcome| self.findings.iter().any(|one| one.outcome == outcome);
        let are_all = |outcome| self.findings.iter().all(|one| one.outcome == outcome);
        let (decisive, other) = match self.needs {
            Needs::All => (Outcome::Fails, Outcome::Holds),
            Needs::Any => (Outcome::Holds, Outcome::Fails),
        };
        match () {
            () if has(decisive) => decisive,
            () if are_all(other) && !self.findings.is_empty() => other,
            () if has(Outcome::Undecided) => Outcome::Undecided,
            () => Outcome::Missing,
        }
    }
}

/// A claim that holds if all findings do.
pub(super) fn all(findings: impl Into<Vec<Finding>>) -> Decision {
    by_part([ClaimPart::new(text("", ""), findings)])
}

/// A claim that holds if any finding does.
pub(super) fn any(findings: impl Into<Vec<Finding>>) -> Decision {
    let mut part = ClaimPart::new(text("", ""), findings);
    part.needs = Needs::Any;
    by_part([part])
}

/// A claim of several parts, each decided by itself. Parts that the run has not measured are ignored.
pub(super) fn by_part(parts: impl Into<Vec<ClaimPart>>) -> Decision {
    let mut parts = parts.into();
    judge(parts.iter_mut().flat_map(|part| &mut part.findings));
    let outcomes: Vec<Outcome> = parts.iter().map(ClaimPart::outcome).collect();
    let has = |outcome| outcomes.contains(&outcome);
    let verdict = match (
        has(Outcome::Holds),
        has(Outcome::Fails),
        has(Outcome::Undecided),
    ) {
        // Two decided parts differ, even if others are undecided.
        (true, true, _) => Verdict::Depends,
        (_, _, true) => Verdict::Undecided,
        (true, false, false) => Verdict::Holds,
        (false, true, false) => Verdict::Fails,
        (false, false, false) => Verdict::NotMeasured,
    };
    for (part, outcome) in parts.iter_mut().zip(outcomes) {
        let is_basis = match verdict {
            Verdict::Holds => outcome == Outcome::Holds,
            Verdict::Fails => outcome == Outcome::Fails,
            Verdict::Depends => matches!(outcome, Outcome::Holds | Outcome::Fails),
            Verdict::Undecided => outcome == Outcome::Undecided,
            Verdict::NotMeasured => false,
        };
        for finding in &mut part.findings {
            finding.decided = is_basis && finding.outcome == outcome;
        }
    }
    Decision {
        verdict,
        reason: StoredText::from_each(|language| reason(verdict, &parts, language)),
        findings: parts.into_iter().flat_map(|part| part.findings).collect(),
    }
}

/// A claim that no comparison of this kind can decide.
pub(super) fn not_measurable(reason: Text) -> Decision {
    Decision {
        verdict: Verdict::NotMeasured,
        findings: Vec::new(),
        reason: reason.into(),
    }
}

impl Decision {
    /// Adds findings that are shown but do not decide.
    pub(super) fn showing(mut self, shown: impl IntoIterator<Item = Finding>) -> Self {
        let mut shown: Vec<Finding> = shown.into_iter().collect();
        judge(&mut shown);
        self.findings.extend(shown);
        self
    }

    /// Appends a sentence to the reason, if there is one.
    pub(super) fn noting(mut self, sentence: Option<StoredText>) -> Self {
        if let Some(sentence) = sentence {
            self.reason.en.extend([" ", &sentence.en]);
            self.reason.es.extend([" ", &sentence.es]);
        }
        self
    }
}

/// Gives every finding its outcome.
fn judge<'f>(findings: impl IntoIterator<Item = &'f mut Finding>) {
    let mut tested: Vec<(&mut Finding, Outcome, f64)> = findings
        .into_iter()
        .filter_map(|finding| {
            let (side, p_value) = finding.threshold.side(finding.estimate.as_ref().ok()?);
            Some((finding, side, p_value))
        })
        .collect();
    let corrected = holm(&tested.iter().map(|(_, _, p)| *p).collect::<Vec<_>>());
    for ((finding, side, _), p_value) in tested.iter_mut().zip(corrected) {
        finding.p_value = p_value;
        finding.outcome = if p_value < SIGNIFICANCE {
            *side
        } else {
            Outcome::Undecided
        };
    }
}

fn reason(verdict: Verdict, parts: &[ClaimPart], language: Language) -> String {
    let findings = || parts.iter().flat_map(|part| &part.findings);
    let key = key_findings(verdict, findings()).first().copied();
    match verdict {
        Verdict::Holds | Verdict::Fails => sentence(key, language),
        Verdict::Depends => {
            let labels = |outcome| {
                let those = parts.iter().filter(|part| part.outcome() == outcome);
                let labels: Vec<&str> = those.map(|part| language.of(part.label)).collect();
                labels.join("; ")
            };
            let (holds, fails) = (labels(Outcome::Holds), labels(Outcome::Fails));
            language.choose(
                || format!("It holds for: {holds}. It fails for: {fails}."),
                || format!("Se cumple para: {holds}. No se cumple para: {fails}."),
            )
        }
        Verdict::Undecided => {
            let title = language.choose(|| "Resolution", || "Resolución");
            let resolution = key.and_then(|one| one.resolution(language));
            let resolution = resolution.unwrap_or_default();
            format!("{title} {resolution}. {}", sentence(key, language))
        }
        Verdict::NotMeasured => {
            let missing = findings().find(|one| one.outcome == Outcome::Missing);
            sentence(missing, language)
        }
    }
}

fn sentence(finding: Option<&Finding>, language: Language) -> String {
    const NOTHING: Text = text("Nothing of it was measured.", "Nada de ello se midió.");
    match finding {
        Some(finding) => format!("{}.", finding.text(language)),
        None => language.of(NOTHING).into(),
    }
}
