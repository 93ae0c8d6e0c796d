//! The server of one participant of a block, from its start to its end.

use std::mem;

use hdrhistogram::Histogram;
use hola_loadgen::Observer;
use hola_loadgen::schedule::splitmix64;
use hola_servers::models;

use crate::metric::Metric;
use crate::order::shuffle;
use crate::plan::{Level, Load, Participant, Role, Task};
use crate::record::{Reading, Slice, to_f64};
use crate::running::RunningServer;
use crate::slice::{self, SliceContext};

/// How long the control is loaded to compute the size of the planted work.
const CALIBRATION_MS: u32 = 400;

/// A participant of a block, with its running server or the reason why it has none.
pub(crate) struct ParticipantServer<'s> {
    pub(crate) participant: &'s Participant,
    server: Result<RunningServer, String>,
    answered: u64,
}

/// Starts a server of every participant that has a load, in a newly shuffled order. Planted participants come last:
/// their added work is a share of the current cost of their control.
pub(crate) fn start_all<'s>(
    context: &SliceContext<'s>,
    seed: u64,
    planted_us: &mut Option<f64>,
) -> Vec<ParticipantServer<'s>> {
    let (lab, stage) = (context.lab, context.stage);
    let loads = |level: &&Level| matches!(level.task, Task::Load(_));
    let meets_load = |participant: &&Participant| {
        let mut levels = stage.levels.iter().filter(loads);
        levels.any(|level| level.participants.contains(&participant.name))
    };
    let mut order: Vec<&Participant> = stage.participants.iter().filter(meets_load).collect();
    shuffle(&mut order, splitmix64(seed, 0));
    order.sort_by_key(|participant| matches!(participant.role, Role::Planted(_)));
    let mut servers: Vec<ParticipantServer<'s>> = Vec::new();
    for participant in order {
        let mut options = Vec::new();
        if let Role::Planted(of) = &participant.role {
            let cost_us = calibrate(context, &servers, of, splitmix64(seed, u64::MAX));
            let added_us = cost_us.unwrap_or(0.0) * lab.planted_percent / 100.0;
            *planted_us = Some(added_us);
            options = vec!["--extra-work-ns".into(), format!("{:.0}", added_us * 1e3)];
        }
        let cpus = &stage.server_cpus;
        let server = RunningServer::start(lab, participant, cpus, &options);
        let target = lab.targets.named(&participant.server);
        let server = match server {
            Ok(server) if target.is_some_and(|spec| spec.compiles_while_running) => {
                warm_up(context, server, participant, seed)
            }
            server => server,
        };
        servers.push(ParticipantServer {
            participant,
            server,
            answered: 0,
        });
        if lab.should_stop() {
            break;
        }
    }
    servers
}

/// Loads a server whose runtime compiles its code while it runs, until a request no longer becomes cheaper.
///
/// # Errors
/// Returns the reason if it never is steady, or if a load fails.
fn warm_up(
    context: &SliceContext<'_>,
    server: RunningServer,
    participant: &Participant,
    seed: u64,
) -> Result<RunningServer, String> {
    const ROUNDS_MAX: u64 = 40;
    let load = Load {
        window_ms: 250,
        ..Load::with_clients(8)
    };
    let mut costs_us = Vec::new();
    for round in 0..ROUNDS_MAX {
        let seed = splitmix64(seed, round);
        let (slice, _) = slice::make(context, &server, &participant.name, &load, seed)?;
        costs_us.extend(slice.cpu_us_per_request());
        if is_steady(&costs_us) || context.lab.should_stop() {
            return Ok(server);
        }
    }
    let name = &participant.name;
    Err(format!(
        "a request still cost {name} less in every round of its warm-up"
    ))
}

/// Whether none of the last three costs is more than a twentieth below the one before it.
fn is_steady(costs_us: &[f64]) -> bool {
    let Some(last) = costs_us.last_chunk::<4>() else {
        return false;
    };
    last.windows(2).all(|pair| pair[1] > pair[0] * 0.95)
}

/// The control's CPU time per request at the level with the most cycles, in microseconds.
fn calibrate(
    context: &SliceContext<'_>,
    servers: &[ParticipantServer<'_>],
    control: &str,
    seed: u64,
) -> Option<f64> {
    let control = servers.iter().find(|one| one.participant.name == control)?;
    let levels = context.stage.levels.iter();
    let level = levels.max_by_key(|level| level.cycles)?;
    let Task::Load(load) = &level.task else {
        return None;
    };
    let load = Load {
        window_ms: CALIBRATION_MS,
        ..load.clone()
    };
    let server = control.server.as_ref().ok()?;
    let (slice, _) = slice::make(context, server, &control.participant.name, &load, seed).ok()?;
    slice.cpu_us_per_request()
}

impl ParticipantServer<'_> {
    /// Makes one slice on its server. If the server has died, keeps the reason, and returns it from then on.
    pub(crate) fn slice(
        &mut self,
        context: &SliceContext<'_>,
        load: &Load,
        seed: u64,
    ) -> Result<(Slice, Option<Histogram<u64>>), String> {
        let server = self.server.as_mut().map_err(|reason| reason.clone())?;
        let made = slice::make(context, server, &self.participant.name, load, seed);
        if !server.is_alive() {
            let reason = format!("{} ended while it was loaded", self.participant.name);
            let ended = mem::replace(&mut self.server, Err(reason.clone()));
            // It says how it ended, and its last words.
            let reason = match ended.map(RunningServer::stop) {
                Ok(Err(how)) => format!("{reason}: {how}"),
                _ => reason,
            };
            self.server = Err(reason.clone());
            return Err(reason);
        }
        if let Ok((slice, _)) = &made {
            self.answered += slice.answered;
        }
        made
    }

    /// Stops its server, and compares its count of answers with the generator's. The server may count more, because of
    /// the warm-ups, but never fewer. Keeps how evenly its workers shared the clients.
    pub(crate) fn stop(self, readings: &mut [Reading]) {
        let Ok(server) = self.server else { return };
        let Participant {
            name,
            server: model,
            ..
        } = self.participant;
        let (complaint, busiest) = match server.stop() {
            Err(reason) => (Some(reason), None),
            Ok(None) => (None, None),
            Ok(Some(ended)) if ended.counters.answers < self.answered => {
                let (counted, seen) = (ended.counters.answers, self.answered);
                let complaint =
                    format!("the server counted {counted} answers, and {seen} were seen");
                (Some(complaint), None)
            }
            Ok(Some(ended)) => {
                let model = models::find(model);
                let workers_accept = model.is_some_and(|model| !model.accept.is_empty());
                let busiest = busiest_of_mean(&ended.counters.accepted_by_worker);
                (None, busiest.filter(|_| workers_accept))
            }
        };
        for reading in readings.iter_mut().filter(|one| one.participant == *name) {
            if let Some(complaint) = &complaint {
                reading.notes.insert("end".into(), complaint.clone());
            }
            if let Some(busiest) = busiest {
                reading.figures.insert(Metric::BusiestWorker, busiest);
            }
        }
    }
}

/// Clients of the worker that had the most, divided by the mean of all workers; `None` for a single worker.
fn busiest_of_mean(clients: &[u64]) -> Option<f64> {
    let (busiest, all) = (clients.iter().max()?, clients.iter().sum::<u64>());
    let is_shared = clients.len() > 1 && all > 0;
    is_shared.then(|| *busiest as f64 * to_f64(clients.len()) / all as f64)
}

#[cfg(test)]
mod tests {
    use super::{busiest_of_mean, is_steady};

    #[test]
    fn clients_dealt_out_evenly_make_the_busiest_worker_the_mean_one() {
        assert_eq!(busiest_of_mean(&[5, 5, 5, 5]), Some(1.0));
        assert_eq!(busiest_of_mean(&[8, 0, 0, 0]), Some(4.0));
        assert_eq!(busiest_of_mean(&[8]), None);
    }

    #[test]
    fn a_server_is_steady_when_a_request_no_longer_becomes_cheaper() {
        assert!(!is_steady(&[90.0, 90.0, 90.0]));
        assert!(!is_steady(&[90.0, 89.0, 80.0, 79.0]));
        assert!(is_steady(&[200.0, 90.0, 89.0, 92.0, 91.0]));
    }
}
