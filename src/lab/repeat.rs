//! Trials that another guest of the host disturbed are made again.
//!
//! On a shared host the hypervisor now and then gives the CPU to somebody else (steal time, proc(5)), and a trial of half a
//! second then shows the neighbour. Whether a trial is made again, and which of its attempts counts, is decided by the
//! stolen time alone and never by what was measured: nothing is selected by its result.

use std::time::{Duration, Instant};

use super::environment::CpuTicks;
use super::estimate;
use super::record::{Design, Measured};
use super::run::now;

/// Largest share of the CPU time asked for during a trial that may be stolen, 0…1: beyond that it is made again.
pub const STOLEN_MOST: f64 = 0.05;

/// Most attempts at one trial.
const ATTEMPTS_MOST: u32 = 3;

/// Share of an experiment's planned time that attempts after the first may take: the announced time has to hold.
const ALLOWANCE: f64 = 0.06;

/// The attempt at a trial that counts.
#[derive(Debug)]
pub(super) struct Attempt {
    /// UTC, RFC 3339.
    pub(super) started_at: String,
    /// What came of it.
    pub(super) outcome: Result<Measured, String>,
    /// Attempts made in all.
    pub(super) attempts: u32,
    /// Share of the CPU time asked for that was stolen from this one, 0…1.
    pub(super) stolen_share: Option<f64>,
}

/// Time that an experiment has left for further attempts.
#[derive(Debug)]
pub(super) struct Allowance(Duration);

impl Allowance {
    /// What an experiment has at its start.
    pub(super) fn of(design: &Design) -> Self {
        Self(Duration::from_secs_f64(
            estimate::experiment_s(design) * ALLOWANCE,
        ))
    }

    /// Makes a trial, again if it was disturbed and there is time; of all attempts the least disturbed counts.
    pub(super) fn make(
        &mut self,
        trial: impl FnMut() -> Result<Measured, String>,
        is_over: impl Fn() -> bool,
    ) -> Attempt {
        self.make_by(trial, CpuTicks::of_machine, is_over)
    }

    fn make_by(
        &mut self,
        mut trial: impl FnMut() -> Result<Measured, String>,
        mut ticks: impl FnMut() -> CpuTicks,
        is_over: impl Fn() -> bool,
    ) -> Attempt {
        let mut attempt = || {
            let (started_at, before) = (now(), ticks());
            let outcome = trial();
            Attempt {
                started_at,
                outcome,
                attempts: 1,
                stolen_share: ticks().stolen_share_since(before),
            }
        };
        let mut kept = attempt();
        while kept.stolen() > STOLEN_MOST && kept.attempts < ATTEMPTS_MOST && !is_over() {
            if self.0.is_zero() {
                break;
            }
            let begun = Instant::now();
            let again = attempt();
            self.0 = self.0.saturating_sub(begun.elapsed());
            let attempts = kept.attempts + 1;
            if again.stolen() < kept.stolen() {
                kept = again;
            }
            kept.attempts = attempts;
        }
        kept
    }
}

impl Attempt {
    /// Without a hypervisor there is nobody to steal.
    fn stolen(&self) -> f64 {
        self.stolen_share.unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Attempts of which such shares in percent are stolen, each known by its number.
    fn made(stolen_percent: &[u64], allowance: Duration) -> (Attempt, Duration) {
        let mut numbers = 0..;
        // Read before and after each attempt, of which each asks for a hundred ticks.
        let mut shares = stolen_percent.iter().flat_map(|&share| [None, Some(share)]);
        let (mut busy, mut stolen) = (0, 0);
        let ticks = || {
            if let Some(share) = shares.next().expect("no more attempts") {
                busy += 100 - share;
                stolen += share;
            }
            CpuTicks::parse(&format!("cpu {busy} 0 0 0 0 0 0 {stolen}"))
        };
        let trial = || {
            let figures =
                BTreeMap::from([("number".to_owned(), f64::from(numbers.next().unwrap_or(9)))]);
            Ok(Measured {
                figures,
                ..Measured::default()
            })
        };
        let mut left = Allowance(allowance);
        let attempt = left.make_by(trial, ticks, || false);
        (attempt, left.0)
    }

    fn number(attempt: &Attempt) -> f64 {
        attempt.outcome.as_ref().expect("made").figures["number"]
    }

    #[test]
    fn an_undisturbed_trial_is_made_once() {
        let (attempt, left) = made(&[5], Duration::from_secs(1));
        assert_eq!((attempt.attempts, number(&attempt)), (1, 0.0));
        assert_eq!(attempt.stolen_share, Some(0.05));
        assert_eq!(left, Duration::from_secs(1));
    }

    #[test]
    fn a_disturbed_trial_is_made_until_one_is_not() {
        let (attempt, left) = made(&[20, 3], Duration::from_secs(1));
        assert_eq!((attempt.attempts, number(&attempt)), (2, 1.0));
        assert!(left < Duration::from_secs(1));
    }

    #[test]
    fn of_disturbed_attempts_the_least_disturbed_counts() {
        let (attempt, _) = made(&[20, 10, 30], Duration::from_secs(1));
        assert_eq!((attempt.attempts, number(&attempt)), (3, 1.0));
        assert_eq!(attempt.stolen_share, Some(0.1));
    }

    #[test]
    fn without_time_left_the_first_counts() {
        let (attempt, _) = made(&[20], Duration::ZERO);
        assert_eq!((attempt.attempts, number(&attempt)), (1, 0.0));
    }
}
