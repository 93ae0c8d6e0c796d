//! From what a server and its load say at the end to what a trial records of its cost, and the checks that take both.

use hola_loadgen::Measurement;
use hola_loadgen::summary::{Check, Counts};

use super::record::ServerCost;
use super::served::Ended;
use super::server_process::{Bill, share};
use super::target::Cost;
use super::tree::Peak;

/// What is known besides of a server under a load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Share of user time on the server's CPU, where it had that to itself: the better account of how its time was split.
    pub(super) user_share: Option<f64>,
    /// CPU time of the measured window, in microseconds, of a server that does not count its requests.
    pub(super) window_cpu_us: Option<u64>,
    /// Its process tree at its largest.
    pub(super) peak: Peak,
}

/// What it cost, as a trial records it; `None` where nobody can say.
pub(super) fn cost(ended: &Ended, load: &Measurement, seen: Seen) -> Option<ServerCost> {
    match ended {
        Ended::Model(bill) => Some(of_model(bill, seen)),
        Ended::Target(cost) => Some(of_target(
            cost,
            seen.window_cpu_us?,
            answered(&load.summary.counts),
            seen,
        )),
    }
}

/// What only the whole trial can show, because it takes the server's own count; a target has none.
pub(super) fn checks(ended: &Ended, load: &Measurement) -> Vec<Check> {
    let Ended::Model(bill) = ended else {
        return Vec::new();
    };
    let counters = &bill.counters;
    let counts = &load.summary.counts;
    vec![
        Check {
            check: "server_agrees".into(),
            ok: counters.answers >= counts.ok,
            detail: format!(
                "the server answered {} requests, {} were counted good",
                counters.answers, counts.ok
            ),
        },
        Check {
            check: "server_whole".into(),
            ok: counters.refused == 0 && counters.crashed == 0 && counters.backed_off == 0,
            detail: format!(
                "{} clients refused, {} conversations crashed, accepting backed off {} times",
                counters.refused, counters.crashed, counters.backed_off
            ),
        },
    ]
}

fn of_model(bill: &Bill, seen: Seen) -> ServerCost {
    let requests = bill.counters.answers;
    let cpu_user_us = part(bill.cpu_us, seen.user_share.unwrap_or(bill.user_share));
    ServerCost {
        cpu_user_us,
        cpu_system_us: bill.cpu_us.saturating_sub(cpu_user_us),
        accounted_by: Some(bill.accounted_by),
        conversations: Some(bill.counters.closed),
        requests,
        cpu_us_per_request: per(bill.cpu_us, requests),
        pss_peak_kib: seen.peak.pss_kib,
        threads_peak: seen.peak.threads,
        processes_peak: seen.peak.processes,
        switches_voluntary: Some(bill.switches_voluntary),
        switches_involuntary: Some(bill.switches_involuntary),
        faults_minor: Some(bill.faults_minor),
        wakeups: Some(bill.counters.wakeups),
        refused: Some(bill.counters.refused),
        backed_off: Some(bill.counters.backed_off),
        conversations_by_worker: by_worker(&bill.counters.accepted_by_worker),
        settings: bill.settings.clone(),
    }
}

fn of_target(cost: &Cost, cpu_us: u64, requests: u64, seen: Seen) -> ServerCost {
    let of_life = share(cost.user_us, cost.user_us + cost.system_us);
    let cpu_user_us = part(cpu_us, seen.user_share.or(of_life).unwrap_or(0.0));
    ServerCost {
        cpu_user_us,
        cpu_system_us: cpu_us.saturating_sub(cpu_user_us),
        accounted_by: Some(cost.accounted_by),
        conversations: None,
        requests,
        cpu_us_per_request: per(cpu_us, requests),
        pss_peak_kib: seen.peak.pss_kib,
        threads_peak: seen.peak.threads,
        processes_peak: seen.peak.processes,
        switches_voluntary: None,
        switches_involuntary: None,
        faults_minor: None,
        wakeups: None,
        refused: None,
        backed_off: None,
        conversations_by_worker: Vec::new(),
        settings: serde_json::Value::Null,
    }
}

/// Requests that the generator saw answered, rightly or not.
fn answered(counts: &Counts) -> u64 {
    let is_answer = |cause: &str| cause.starts_with("status_") || cause == "bad_body";
    let failed = counts.failed.iter().filter(|(cause, _)| is_answer(cause));
    let wrong: u64 = failed.flat_map(|(_, phases)| phases.values()).sum();
    counts.ok + wrong
}

/// Only the tallies that somebody used: a model without workers of its own counts on the first.
fn by_worker(accepted: &[u64]) -> Vec<u64> {
    let used = accepted.iter().rposition(|&count| count > 0);
    accepted[..used.map_or(0, |last| last + 1)].to_vec()
}

fn per(cpu_us: u64, requests: u64) -> Option<f64> {
    (requests > 0).then(|| to_f64(cpu_us) / to_f64(requests))
}

#[allow(
    clippy::cast_precision_loss,
    reason = "microseconds and requests of a trial are far below 2^53"
)]
fn to_f64(count: u64) -> f64 {
    count as f64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count is between 0 and it"
)]
fn part(count: u64, share: f64) -> u64 {
    (to_f64(count) * share).round() as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn wrong_answers_were_answered_and_refusals_were_not() {
        let phase = |phase: &str, count| BTreeMap::from([(phase.to_owned(), count)]);
        let counts = Counts {
            ok: 90,
            failed: BTreeMap::from([
                ("status_503".to_owned(), phase("whole", 3)),
                ("bad_body".to_owned(), phase("whole", 2)),
                ("refused".to_owned(), phase("connect", 7)),
                ("timeout".to_owned(), phase("before_first_byte", 5)),
            ]),
            ..Counts::default()
        };
        assert_eq!(answered(&counts), 95);
    }
}
