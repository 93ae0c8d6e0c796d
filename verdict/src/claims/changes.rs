//! What becomes of the claims from one run to another.

use super::decide::{Decision, Verdict};

/// The verdicts of two runs, side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Claims whose verdict is not the same.
    pub changed: Vec<Change>,
    /// Claims with the same verdict in both.
    pub agreeing: usize,
    /// Claims that neither run measured: their verdicts agree on nothing.
    pub not_measured: usize,
}

/// A claim whose verdict is not the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Identifier of the claim.
    pub claim: &'static str,
    /// Verdict of the first run.
    pub before: Verdict,
    /// Verdict of the second.
    pub after: Verdict,
}

impl Changes {
    /// Claims that at least one of the runs measured.
    pub fn measured(&self) -> usize {
        self.changed.len() + self.agreeing
    }
}

/// Compares verdicts, in the order of the first list. A claim that is missing from either counts as not measured there.
pub fn between(before: &[Decision], after: &[Decision]) -> Changes {
    let verdict_in = |list: &[Decision], claim| {
        let decision = list.iter().find(|one| one.claim == claim);
        decision.map_or(Verdict::NotMeasured, |one| one.verdict)
    };
    let first = before.iter().map(|one| one.claim);
    let is_new = |one: &&Decision| before.iter().all(|old| old.claim != one.claim);
    let second = after.iter().filter(is_new).map(|one| one.claim);
    let mut changes = Changes::default();
    for claim in first.chain(second) {
        let (before, after) = (verdict_in(before, claim), verdict_in(after, claim));
        if before != after {
            changes.changed.push(Change {
                claim,
                before,
                after,
            });
        } else if before == Verdict::NotMeasured {
            changes.not_measured += 1;
        } else {
            changes.agreeing += 1;
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(claim: &'static str, verdict: Verdict) -> Decision {
        Decision {
            claim,
            verdict,
            from_level: None,
            findings: Vec::new(),
            rerun: None,
        }
    }

    #[test]
    fn changed_verdicts_are_named_and_the_others_counted() {
        let before = [
            decision("thread-light", Verdict::Holds),
            decision("fork-vs-thread", Verdict::Holds),
            decision("debug-hard", Verdict::NotMeasured),
            decision("isolation", Verdict::Depends),
        ];
        let after = [
            decision("fork-vs-thread", Verdict::Holds),
            decision("thread-light", Verdict::Depends),
            decision("debug-hard", Verdict::NotMeasured),
            decision("sharing", Verdict::Fails),
        ];
        let found = between(&before, &after);
        let change = |claim, before, after| Change {
            claim,
            before,
            after,
        };
        assert_eq!(
            found.changed,
            [
                change("thread-light", Verdict::Holds, Verdict::Depends),
                change("isolation", Verdict::Depends, Verdict::NotMeasured),
                change("sharing", Verdict::NotMeasured, Verdict::Fails),
            ]
        );
        assert_eq!(
            (found.agreeing, found.measured(), found.not_measured),
            (1, 4, 1)
        );
    }
}
