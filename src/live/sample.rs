//! What happened between two readings.

use serde::Serialize;

use super::probe::ProbeFigures;
use super::reading::{LiveReading, WorkerCounts};

/// One second of a server's life, as a page or a terminal shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct LiveSample {
    /// Clients connected at its end.
    pub(crate) clients: u64,
    /// Requests answered per second.
    pub(crate) requests_per_s: f64,
    /// Clients accepted per second.
    pub(crate) accepted_per_s: f64,
    /// Clients refused since the start.
    pub(crate) refused: u64,
    /// Conversations that clients broke off, since the start.
    pub(crate) broken: u64,
    /// Conversations closed at a deadline, since the start.
    pub(crate) expired: u64,
    /// Conversations that crashed, since the start.
    pub(crate) crashed: u64,
    /// Processes at its end.
    pub(crate) processes: u64,
    /// Threads of all of them.
    pub(crate) threads: u64,
    /// CPU time per second, in percent of one CPU.
    pub(crate) cpu_percent: f64,
    /// Proportional set size, in KiB; `null` if it is not known.
    pub(crate) memory_kib: Option<u64>,
    /// Workers that have become ready, by number.
    pub(crate) workers: Vec<LiveWorker>,
    /// What the probe saw; `null` if there is none.
    pub(crate) probe: Option<ProbeFigures>,
}

/// What one worker did in that second.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct LiveWorker {
    /// Its number, from 0.
    pub(crate) number: usize,
    /// Clients it holds at the end.
    pub(crate) clients: u64,
    /// Requests it answered per second.
    pub(crate) requests_per_s: f64,
}

impl LiveSample {
    /// The second between two readings; rates are by the time that has really passed.
    pub(super) fn between(
        before: &LiveReading,
        after: &LiveReading,
        probe: Option<ProbeFigures>,
    ) -> Self {
        let seconds = after.at.duration_since(before.at).as_secs_f64();
        // Two readings at the same instant tell of nothing.
        let per_s = |amount: f64| if seconds > 0.0 { amount / seconds } else { 0.0 };
        let rate = |before: u64, after: u64| per_s(after.saturating_sub(before) as f64);
        let cpu_s = (after.usage.cpu_us - before.usage.cpu_us).max(0.0) / 1e6;
        let pairs = before.workers.iter().zip(&after.workers).enumerate();
        let is_ready = |worker: &WorkerCounts| worker.starts > 0;
        let workers = pairs.filter(|(_, (_, after))| is_ready(after));
        let (from, to) = (&before.counts, &after.counts);
        LiveSample {
            clients: after.workers.iter().map(|worker| worker.clients).sum(),
            requests_per_s: rate(from.answers, to.answers),
            accepted_per_s: rate(from.accepted, to.accepted),
            refused: to.refused,
            broken: to.broken,
            expired: to.expired,
            crashed: to.crashed,
            processes: after.usage.processes,
            threads: after.usage.threads,
            cpu_percent: 100.0 * per_s(cpu_s),
            memory_kib: after.usage.memory_kib,
            workers: workers
                .map(|(number, (before, after))| LiveWorker {
                    number,
                    clients: after.clients,
                    requests_per_s: rate(before.answers, after.answers),
                })
                .collect(),
            probe,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use hola_lab::process_tree::TreeUsage;
    use hola_servers::counters::Snapshot;

    use super::*;

    fn reading(at: Instant, answers: u64, cpu_us: f64) -> LiveReading {
        let worker = |clients, starts| WorkerCounts {
            clients,
            answers,
            starts,
        };
        LiveReading {
            at,
            usage: TreeUsage {
                processes: 2,
                threads: 5,
                cpu_us,
                memory_kib: None,
            },
            counts: Snapshot {
                accepted: answers / 2,
                answers,
                refused: 1,
                ..Snapshot::default()
            },
            workers: vec![worker(3, 1), worker(9, 0), worker(4, 2)],
        }
    }

    #[test]
    fn rates_are_by_the_time_that_has_passed_and_counts_are_the_newest() {
        let begun = Instant::now();
        let before = reading(begun, 100, 1e6);
        let after = reading(begun + Duration::from_secs(2), 400, 4e6);
        let sample = LiveSample::between(&before, &after, None);
        assert_eq!(
            (sample.requests_per_s, sample.accepted_per_s),
            (150.0, 75.0)
        );
        assert_eq!((sample.processes, sample.threads), (2, 5));
        assert_eq!((sample.cpu_percent, sample.refused), (150.0, 1));
        assert_eq!(sample.clients, 16);
    }

    #[test]
    fn a_worker_that_never_became_ready_is_left_out() {
        let begun = Instant::now();
        let later = begun + Duration::from_secs(1);
        let sample = LiveSample::between(&reading(begun, 0, 0.0), &reading(later, 7, 0.0), None);
        let shown = sample
            .workers
            .iter()
            .map(|worker| (worker.number, worker.clients));
        assert_eq!(shown.collect::<Vec<_>>(), [(0, 3), (2, 4)]);
        assert!(sample.workers.iter().all(|one| one.requests_per_s == 7.0));
    }

    #[test]
    fn counts_that_went_back_are_no_negative_rates() {
        let begun = Instant::now();
        let later = begun + Duration::from_secs(1);
        let sample = LiveSample::between(&reading(begun, 9, 5e6), &reading(later, 3, 1e6), None);
        assert_eq!((sample.requests_per_s, sample.cpu_percent), (0.0, 0.0));
        let at_once = LiveSample::between(&reading(begun, 0, 0.0), &reading(begun, 3, 1e6), None);
        assert_eq!((at_once.requests_per_s, at_once.cpu_percent), (0.0, 0.0));
    }
}
