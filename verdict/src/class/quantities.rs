//! What a claim tests, over all machines.

use std::cmp::Reverse;

use hola_lab::record::StoredText;

use super::MachineVote;
use crate::claims::{Expect, Finding};
use crate::estimate::Estimate;
use crate::random_effects::RandomEffects;

/// One tested quantity on every machine that measured it.
#[derive(Clone, Debug)]
pub struct QuantitySummary {
    /// What was tested.
    pub what: StoredText,
    /// What the claim expects of it.
    pub threshold: Expect,
    /// Its estimate on each machine; at least one.
    pub values: Vec<MachineValue>,
    /// The summary; `None` for values with a unit, for differences, and with too few machines.
    pub effects: Option<RandomEffects>,
}

/// A quantity on one machine.
#[derive(Clone, Copy, Debug)]
pub struct MachineValue {
    /// The machine, as an index of [`super::Class::machines`].
    pub machine: usize,
    /// What it measured.
    pub estimate: Estimate,
}

impl QuantitySummary {
    /// The lowest and the highest end of the machines' intervals.
    pub fn reach(&self) -> (f64, f64) {
        let estimates = self.values.iter().map(|value| value.estimate);
        let none = (f64::INFINITY, f64::NEG_INFINITY);
        estimates.fold(none, |(low, high), one| {
            (one.low.min(low), one.high.max(high))
        })
    }

    fn is_of(&self, finding: &Finding) -> bool {
        (&self.what, self.threshold) == (&finding.what, finding.threshold)
    }
}

/// Every quantity that has an estimate on any machine, in the order of the claim's findings.
pub(super) fn summarise(votes: &[MachineVote]) -> Vec<QuantitySummary> {
    let mut found: Vec<(QuantitySummary, bool)> = Vec::new();
    for vote in votes {
        for finding in &vote.decision.findings {
            let Ok(estimate) = finding.estimate else {
                continue;
            };
            let value = MachineValue {
                machine: vote.machine,
                estimate,
            };
            match found.iter_mut().find(|(one, _)| one.is_of(finding)) {
                // A claim may show what it also tests.
                Some((one, _)) if one.values.iter().any(|it| it.machine == vote.machine) => {}
                Some((one, _)) => one.values.push(value),
                None => {
                    let first = QuantitySummary {
                        what: finding.what.clone(),
                        threshold: finding.threshold,
                        values: vec![value],
                        effects: None,
                    };
                    found.push((first, finding.is_ratio));
                }
            }
        }
    }
    let with_effects = |(mut one, is_ratio): (QuantitySummary, bool)| {
        let logs = one.values.iter();
        let logs: Vec<(f64, f64)> = logs
            .filter_map(|value| value.estimate.log_ratio())
            .collect();
        one.effects = is_ratio.then(|| RandomEffects::new(&logs)).flatten();
        one
    };
    found.into_iter().map(with_effects).collect()
}

/// The quantity on which most votes rest, the first one of equals.
pub(super) fn key(quantities: &[QuantitySummary], votes: &[MachineVote]) -> Option<usize> {
    let key_findings = votes.iter().flat_map(|vote| vote.decision.key_findings());
    let key_findings: Vec<&Finding> = key_findings.collect();
    let rests = |quantity: &QuantitySummary| {
        let own = key_findings.iter().filter(|one| quantity.is_of(one));
        own.count()
    };
    let counts = quantities.iter().map(rests).enumerate();
    let found = counts.filter(|(_, count)| *count > 0);
    let (index, _) = found.min_by_key(|(_, count)| Reverse(*count))?;
    Some(index)
}
