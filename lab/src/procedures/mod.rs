//! Measurements other than a load on a live server. Each starts its own fresh server or process.

mod backlog;
pub(crate) mod client;
mod crash;
mod crowd;
mod fresh_process;
mod idle;
mod kernel_memory;
mod limit;
mod overload;
pub mod share;
pub mod spawn;
pub(crate) mod system_calls;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use hola_loadgen::{Measurement, Observer, Workload};

use crate::lab::Lab;
use crate::metric::{Metric, Scale};
use crate::model_server::Ended;
use crate::plan::{Participant, Procedure};
use crate::record::to_f64;
use crate::running::RunningServer;

/// Clients that a server may hold in addition to the intended ones: a probe, a slow one, those of the load before.
pub(crate) const SPARE_CLIENTS: u32 = 64;

/// How to start a fresh server of one participant, and where its clients run.
#[derive(Debug)]
pub struct FreshServer<'f> {
    /// The program, the targets, and whether the user interrupts the run.
    pub lab: &'f Lab<'f>,
    /// The participant.
    pub participant: &'f Participant,
    /// CPUs of the server; none means any.
    pub server_cpus: &'f [usize],
    /// CPUs of the load generator; none means any.
    pub generator_cpus: &'f [usize],
    /// Seed of schedules.
    pub seed: u64,
}

impl FreshServer<'_> {
    /// Starts a server with these options and their values (an empty value for a flag). The participant's own options
    /// take precedence.
    fn start(&self, options: &[(&str, &str)]) -> Result<RunningServer, String> {
        let is_new = |name: &str| self.participant.options.iter().all(|own| own != name);
        let new = options.iter().filter(|(name, _)| is_new(name));
        let words = new.flat_map(|(name, value)| [*name, *value]);
        let words = words.filter(|word| !word.is_empty());
        let options: Vec<String> = words.map(str::to_owned).collect();
        RunningServer::start(self.lab, self.participant, self.server_cpus, &options)
    }

    /// The usual load on its server: no warm-up, new connections for the greeting.
    fn workload(&self, server: SocketAddr) -> Workload {
        Workload {
            warmup: Duration::ZERO,
            cpus: self.generator_cpus.to_vec(),
            seed: self.seed,
            ..Workload::new(server)
        }
    }

    /// Loads its server until the end of the workload, or until `observer` stops it.
    fn load(&self, load: &Workload, observer: &dyn Observer) -> Result<Measurement, String> {
        let measured = hola_loadgen::run(load, observer);
        self.stop_if_interrupted()?;
        measured.map_err(|error| error.to_string())
    }

    /// Returns an error if the user has interrupted the run.
    fn stop_if_interrupted(&self) -> Result<(), String> {
        match self.lab.should_stop() {
            true => Err("interrupted".into()),
            false => Ok(()),
        }
    }
}

/// What one repeat of a procedure found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcedureResult {
    /// Figures; none if a check failed.
    pub figures: BTreeMap<Metric, f64>,
    /// Other findings, by name, such as the limit that was reached; for a failed check, the reason.
    pub notes: BTreeMap<String, String>,
    /// Checks that failed, by name.
    pub failed_checks: Vec<String>,
}

impl ProcedureResult {
    /// Adds a figure, if there is one. Ignores a value that is not finite, and, for a metric compared as a ratio, a
    /// value that is not positive.
    fn figure(&mut self, metric: Metric, value: impl Into<Option<f64>>) {
        let is_ratio = metric.definition().scale == Scale::Ratio;
        let counts = |value: &f64| value.is_finite() && (*value > 0.0 || !is_ratio);
        let value: Option<f64> = value.into();
        if let Some(value) = value.filter(counts) {
            self.figures.insert(metric, value);
        }
    }

    fn note(&mut self, name: &str, what: impl Display) {
        self.notes.insert(name.into(), what.to_string());
    }

    fn note_limit(&mut self, limit: &limit::Limit) {
        let (name, detail) = limit.name_and_detail();
        self.note("limit", name);
        self.note("limit_detail", detail);
    }

    /// Records a failed check, with `detail` as a note.
    fn check(&mut self, name: &str, holds: bool, detail: impl Display) {
        if !holds {
            self.failed_checks.push(name.into());
            self.note(name, detail);
        }
    }

    /// Returns the report of a server, or records that it did not end normally.
    fn note_end(&mut self, ended: Result<Option<Ended>, String>) -> Option<Ended> {
        ended.unwrap_or_else(|reason| {
            self.note("end", reason);
            None
        })
    }
}

/// Makes one repeat of a procedure.
///
/// # Errors
/// Returns the reason if there is nothing to record.
pub fn run(procedure: &Procedure, fresh: &FreshServer<'_>) -> Result<ProcedureResult, String> {
    fresh.stop_if_interrupted()?;
    let mut found = match *procedure {
        Procedure::Idle { clients_max } => idle::measure(fresh, clients_max),
        Procedure::Crowd { clients_max } => crowd::measure(fresh, clients_max),
        Procedure::Backlog { backlog } => backlog::measure(fresh, backlog),
        Procedure::Spawn { count } => spawn::measure(fresh, count),
        Procedure::Share { shared, count } => share::measure(fresh, shared, count),
        Procedure::SystemCalls { requests } => system_calls::measure(fresh, requests),
        Procedure::Crash { death, window_ms } => {
            crash::measure(fresh, death, Duration::from_millis(window_ms.into()))
        }
        Procedure::Overload {
            of_capacity,
            duration_s,
            deadline_of_queue,
        } => {
            let duration = Duration::from_secs(duration_s.into());
            overload::measure(fresh, of_capacity, duration, deadline_of_queue)
        }
    }?;
    if !found.failed_checks.is_empty() {
        found.figures.clear();
    }
    Ok(found)
}

/// Estimated time of one repeat, in seconds.
pub fn estimate_s(procedure: &Procedure) -> f64 {
    match *procedure {
        Procedure::Idle { clients_max } => {
            0.5 + f64::from(limit::most_clients(clients_max).0) / 4_000.0
        }
        Procedure::Crowd { clients_max } => crowd::estimate_s(clients_max),
        Procedure::Backlog { .. } => 1.6,
        Procedure::Spawn { count } => 0.05 + f64::from(count) * 60e-6,
        Procedure::Share { shared, count } => 0.05 + f64::from(count) * share::estimate_s(shared),
        Procedure::SystemCalls { requests } => 0.3 + f64::from(requests) * 1e-3,
        Procedure::Crash { window_ms, .. } => 0.5 + f64::from(window_ms) / 1e3,
        Procedure::Overload { duration_s, .. } => 2.0 + f64::from(duration_s),
    }
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The time, in microseconds, that a share `q` of all times does not exceed (nearest rank); `None` without any.
fn percentile_us(times: &[Duration], q: f64) -> Option<f64> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is between 0 and it"
    )]
    let rank = (q * to_f64(sorted.len())).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().map(microseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_percentiles_by_nearest_rank() {
        let times: Vec<Duration> = (1..=100).rev().map(Duration::from_secs).collect();
        let seconds = |times: &[Duration], q| percentile_us(times, q).map(|us| us / 1e6);
        assert_eq!(seconds(&times, 0.5), Some(50.0));
        assert_eq!(seconds(&times, 0.99), Some(99.0));
        assert_eq!(seconds(&times, 1.0), Some(100.0));
        assert_eq!(seconds(&times[..1], 0.01), Some(100.0));
        assert_eq!(seconds(&[], 0.5), None);
    }

    #[test]
    fn keeps_zero_of_a_share_and_not_of_a_ratio_and_says_why_a_check_failed() {
        let mut found = ProcedureResult::default();
        found.figure(Metric::OthersFailed, 0.0);
        found.figure(Metric::SpawnTime, 0.0);
        found.figure(Metric::CrowdGoodput, f64::NAN);
        let metrics: Vec<_> = found.figures.keys().collect();
        assert_eq!(metrics, [&Metric::OthersFailed]);
        found.check("holds", true, "not told");
        found.check("fails", false, "3 of 4");
        assert_eq!(found.failed_checks, ["fails"]);
        assert_eq!(found.notes["fails"], "3 of 4");
        assert!(!found.notes.contains_key("holds"));
    }
}
