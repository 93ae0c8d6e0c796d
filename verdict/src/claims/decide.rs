//! The decider: a rule, put to the evidence.
//!
//! A claim whose parts all have to hold needs no correction for their number: each part is wrong in 5 % of experiments
//! at most, so all of them together are (an intersection–union test; Berger, 1982).

use serde::Serialize;

use super::effect::{Effect, Outcome};
use super::evidence::{Evidence, Gap};
use super::rule::{Expect, Rule};
use super::{Claim, places, source};

/// What becomes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The rule is met.
    Holds,
    /// The rule is refuted.
    Fails,
    /// It is met at some places and not at others; the findings name them.
    Depends,
    /// Nothing was measured that could decide it; the findings or the claim say why.
    NotMeasured,
}

/// A claim, decided.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    /// Identifier of the claim.
    pub claim: &'static str,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Where a crossover was found: the level from which on the test holds.
    pub from_level: Option<String>,
    /// What it rests on, place by place.
    pub findings: Vec<Finding>,
    /// The command that measures this again, and nothing else.
    pub rerun: Option<String>,
}

/// A test at one place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Experiment.
    pub experiment: String,
    /// Figure.
    pub figure: String,
    /// Model.
    pub model: String,
    /// Level; empty where there is none, as of a source.
    pub level: String,
    /// What the figure was divided by: a model, a level of the same model, or nothing.
    pub over: Option<String>,
    /// What was expected.
    pub expect: Expect,
    /// The effect, or why there is none.
    pub effect: Result<Effect, Gap>,
    /// What it comes to; absent without an effect.
    pub outcome: Option<Outcome>,
}

impl Decision {
    /// The finding that is nearest to its threshold among those that decided something: the weakest link.
    pub fn weakest(&self) -> Option<&Finding> {
        let decided = self
            .findings
            .iter()
            .filter(|finding| matches!(finding.outcome, Some(Outcome::Holds | Outcome::Fails)));
        decided.min_by(|a, b| a.distance().total_cmp(&b.distance()))
    }
}

impl Finding {
    /// Distance from the threshold, as a factor on a logarithmic scale.
    fn distance(&self) -> f64 {
        let value = self.effect.as_ref().map_or(f64::NAN, |effect| effect.value);
        let to = |threshold: f64| (value / threshold).ln().abs();
        match self.expect {
            Expect::MoreThan(threshold) | Expect::LessThan(threshold) => to(threshold),
            Expect::Between(low, high) => to(low).min(to(high)),
        }
    }
}

/// Decides a claim.
pub fn decide(claim: &'static Claim, evidence: &Evidence) -> Decision {
    let (verdict, findings, from_level) = put(&claim.rule, evidence);
    Decision {
        claim: claim.id,
        verdict,
        from_level,
        findings,
        rerun: claim.rule.rerun(),
    }
}

/// Puts a rule to the evidence: the verdict, what it rests on, and where a crossover was found.
pub fn put(rule: &Rule, evidence: &Evidence) -> (Verdict, Vec<Finding>, Option<String>) {
    let mut hearing = Hearing {
        evidence,
        findings: Vec::new(),
        from_level: None,
    };
    let verdict = hearing.put(rule);
    (verdict, hearing.findings, hearing.from_level)
}

/// A rule being put to the evidence, and what came to light so far.
struct Hearing<'e> {
    evidence: &'e Evidence,
    findings: Vec<Finding>,
    from_level: Option<String>,
}

impl Hearing<'_> {
    fn put(&mut self, rule: &Rule) -> Verdict {
        match rule {
            Rule::All(rules) => all(&self.put_each(rules)),
            Rule::Any(rules) => any(&self.put_each(rules)),
            Rule::Each(rules) => each(&self.put_each(rules)),
            Rule::Test(test) => {
                let found = places::at_each(test, self.evidence);
                self.record(found, every_place)
            }
            Rule::Crossover(test) => {
                let found = places::at_each(test, self.evidence);
                let (verdict, level) = crossover(&found);
                self.from_level = level;
                self.record(found, |_| verdict)
            }
            Rule::Source(test) => self.record(source::compare(test), every_place),
            Rule::NotMeasured(_) => Verdict::NotMeasured,
        }
    }

    fn put_each(&mut self, rules: &[Rule]) -> Vec<Verdict> {
        rules.iter().map(|rule| self.put(rule)).collect()
    }

    fn record(
        &mut self,
        found: Vec<Finding>,
        verdict: impl FnOnce(&[Finding]) -> Verdict,
    ) -> Verdict {
        let verdict = verdict(&found);
        self.findings.extend(found);
        verdict
    }
}

fn has(verdicts: &[Verdict], verdict: Verdict) -> bool {
    verdicts.contains(&verdict)
}

fn are(verdicts: &[Verdict], verdict: Verdict) -> bool {
    !verdicts.is_empty() && verdicts.iter().all(|&one| one == verdict)
}

/// One part that fails refutes the whole.
fn all(parts: &[Verdict]) -> Verdict {
    match () {
        () if has(parts, Verdict::Fails) => Verdict::Fails,
        () if has(parts, Verdict::NotMeasured) => Verdict::NotMeasured,
        () if are(parts, Verdict::Holds) => Verdict::Holds,
        () => Verdict::Depends,
    }
}

/// One part that holds is enough.
fn any(parts: &[Verdict]) -> Verdict {
    match () {
        () if has(parts, Verdict::Holds) => Verdict::Holds,
        () if has(parts, Verdict::NotMeasured) => Verdict::NotMeasured,
        () if are(parts, Verdict::Fails) => Verdict::Fails,
        () => Verdict::Depends,
    }
}

/// Cases that disagree make the claim depend on the case.
fn each(parts: &[Verdict]) -> Verdict {
    let disagree = has(parts, Verdict::Holds) && has(parts, Verdict::Fails);
    match () {
        () if disagree || has(parts, Verdict::Depends) => Verdict::Depends,
        // A case that was refuted stays so, whatever the open ones would have shown.
        () if has(parts, Verdict::Fails) => Verdict::Fails,
        () if are(parts, Verdict::Holds) => Verdict::Holds,
        () => Verdict::NotMeasured,
    }
}

/// The places of one test. Where it holds at some and cannot be told from noise at others, that is a difference between
/// places, too; where a planned place has no figure, nothing is said for all of them.
fn every_place(findings: &[Finding]) -> Verdict {
    let count = |outcome| {
        let same = findings.iter().filter(|one| one.outcome == outcome);
        same.count()
    };
    let (holds, fails) = (count(Some(Outcome::Holds)), count(Some(Outcome::Fails)));
    let (noise, missing) = (count(Some(Outcome::Noise)), count(None));
    let bound = count(Some(Outcome::Bound));
    match () {
        () if holds > 0 && fails > 0 => Verdict::Depends,
        () if fails > 0 => Verdict::Fails,
        () if holds == 0 || missing + bound > 0 => Verdict::NotMeasured,
        () if noise > 0 => Verdict::Depends,
        () => Verdict::Holds,
    }
}

/// Fails at the first level, holds at the last, and never turns back: the level from which on it holds.
fn crossover(findings: &[Finding]) -> (Verdict, Option<String>) {
    let (Some(first), Some(last)) = (findings.first(), findings.last()) else {
        return (Verdict::NotMeasured, None);
    };
    if findings.iter().any(|finding| finding.outcome.is_none()) {
        return (Verdict::NotMeasured, None);
    }
    let is = |finding: &Finding, outcome| finding.outcome == Some(outcome);
    let everywhere = |outcome| findings.iter().all(|finding| is(finding, outcome));
    let holds_first = findings.iter().position(|one| is(one, Outcome::Holds));
    let fails_last = findings.iter().rposition(|one| is(one, Outcome::Fails));
    let turns_back = holds_first
        .zip(fails_last)
        .is_some_and(|(holds, fails)| holds < fails);
    if turns_back || everywhere(Outcome::Holds) || everywhere(Outcome::Fails) {
        return (Verdict::Fails, None);
    }
    if !is(first, Outcome::Fails) || !is(last, Outcome::Holds) {
        return (Verdict::NotMeasured, None);
    }
    let holding = findings.iter().rev();
    let from = holding.take_while(|one| is(one, Outcome::Holds)).last();
    (Verdict::Holds, from.map(|finding| finding.level.clone()))
}
