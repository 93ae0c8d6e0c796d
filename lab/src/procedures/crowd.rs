//! A growing number of busy clients on one fresh server: how many are all served, and how goodput changes.
//!
//! Clients connect one by one, so that the accept queue is not the limit. Each uses one connection, and asks again as
//! soon as it has an answer. All clients of a step are served if no request of its window fails and no connection waits
//! to be accepted at its end. A step at which goodput has fallen by half is measured twice, and the mean counts.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hola_loadgen::{LoadError, Pace, Probe, Stop, Workload};

use super::limit::{self, Limit, LimitWatch};
use super::{FreshServer, ProcedureResult, SPARE_CLIENTS};
use crate::listening;
use crate::metric::Metric;

/// Clients of the first step; each further one has four times as many.
const CLIENTS_MIN: u32 = 64;
/// How many clients connect per second. If a model accepts fewer, the others wait in an accept queue of thousands.
const CONNECTS_PER_S: f64 = 4_000.0;
/// Load before the window, once all are connected: a client that is not accepted within a second is not served.
const WARMUP: Duration = Duration::from_secs(1);
/// The window.
const WINDOW: Duration = Duration::from_millis(300);
/// Below this share of the best goodput, no more clients are added.
const GOODPUT_SHARE_MIN: f64 = 0.5;
/// A generator thread that used this share of its CPU may have been the limit itself.
const GENERATOR_SHARE_MAX: f64 = 0.95;

/// Loads a fresh server with a growing number of clients, up to `clients_max`.
pub(super) fn measure(
    fresh: &FreshServer<'_>,
    clients_max: u32,
) -> Result<ProcedureResult, String> {
    let (most, end) = limit::most_clients(clients_max);
    let cap = most.saturating_add(SPARE_CLIENTS).to_string();
    let server = fresh.start(&[
        ("--max-clients", &cap),
        ("--backlog", limit::BACKLOG_MAX),
        ("--deadlines", "60"),
    ])?;
    let limits = LimitWatch::new(server.pid(), fresh.lab.interrupted);
    let mut made = Vec::new();
    let mut met = None;
    for clients in steps(most) {
        let Some(step) = step_of(fresh, server.address(), clients, &limits)? else {
            met = limits.reached();
            break;
        };
        made.push(step);
        if has_fallen(&made) {
            // One slow moment of the machine must not count as a collapse.
            let again = step_of(fresh, server.address(), clients, &limits)?;
            if let Some((step, again)) = made.last_mut().zip(again) {
                step.average(&again);
            }
        }
        let is_served = made.last().is_some_and(Step::is_served);
        met = limits.reached().filter(|_| !is_served);
        if met.is_none() && has_fallen(&made) {
            met = Some(Limit::Goodput);
        }
        if met.is_some() {
            break;
        }
    }
    let all_served = made.iter().all(Step::is_served);
    let unserved = || Limit::NotServed(format!("some of {most} clients are not served"));
    let end = if all_served { end } else { unserved() };
    let mut found = found(&made);
    found.note_limit(&met.unwrap_or(end));
    found.note_end(server.stop());
    Ok(found)
}

/// The result at one number of clients.
struct Step {
    clients: u32,
    good_per_s: f64,
    /// Requests that failed, and connections that waited to be accepted.
    unserved: u64,
    generator_share: f64,
}

impl Step {
    /// Combines this measurement with a second one of the same step.
    fn average(&mut self, again: &Step) {
        self.good_per_s = f64::midpoint(self.good_per_s, again.good_per_s);
        self.unserved += again.unserved;
        self.generator_share = self.generator_share.max(again.generator_share);
    }

    fn is_served(&self) -> bool {
        self.unserved == 0 && self.good_per_s > 0.0
    }
}

/// Makes one step; `None` if memory was low before its end.
fn step_of(
    fresh: &FreshServer<'_>,
    target: SocketAddr,
    clients: u32,
    limits: &LimitWatch<'_>,
) -> Result<Option<Step>, String> {
    let workload = Workload {
        pace: Pace::Closed { clients },
        requests_per_connection: None,
        ramp: joining(clients),
        warmup: WARMUP,
        stop: Stop::After(WINDOW),
        ..fresh.workload(target)
    };
    let accept_queue = AcceptQueue {
        address: target,
        waiting_at_end: AtomicU32::new(0),
    };
    let measured = hola_loadgen::run_probed(&workload, limits, &accept_queue);
    fresh.stop_if_interrupted()?;
    let summary = match measured {
        Ok(measured) if !measured.interrupted => measured.summary,
        Ok(_) | Err(LoadError::StoppedInWarmup) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let waiting = accept_queue.waiting_at_end.into_inner();
    Ok(Some(Step {
        clients,
        good_per_s: summary.rates.good_per_s,
        unserved: summary.counts.failed_total() + u64::from(waiting),
        generator_share: summary.generator.cpu_share,
    }))
}

fn has_fallen(made: &[Step]) -> bool {
    last_of_best(made) < GOODPUT_SHARE_MIN
}

/// Goodput of the last step, as a share of the best one's.
fn last_of_best(made: &[Step]) -> f64 {
    let best = made.iter().map(|step| step.good_per_s).fold(0.0, f64::max);
    made.last().map_or(0.0, |last| last.good_per_s / best)
}

fn found(made: &[Step]) -> ProcedureResult {
    let mut found = ProcedureResult::default();
    let served = made.iter().filter(|step| step.is_served());
    let held = served.map(|step| step.clients).max().unwrap_or(0);
    found.figure(Metric::ClientsHeld, f64::from(held));
    found.figure(Metric::CrowdGoodput, last_of_best(made));
    found.check("answers", held > 0, "no step was served");
    for step in made {
        let clients = step.clients;
        let goodput = format_args!("{:.0}", step.good_per_s);
        found.note(&format!("goodput_per_s_{clients}"), goodput);
        if step.unserved > 0 {
            found.note(&format!("unserved_{clients}"), step.unserved);
        }
        if step.generator_share > GENERATOR_SHARE_MAX {
            let share = format_args!("{:.2}", step.generator_share);
            found.note(&format!("generator_share_{clients}"), share);
        }
    }
    found
}

/// Reads the length of a server's accept queue when the window closes.
struct AcceptQueue {
    address: SocketAddr,
    waiting_at_end: AtomicU32,
}

impl Probe for AcceptQueue {
    fn window_closed(&self) {
        // If the queue cannot be read, unserved clients still show as failed requests.
        let waiting = listening::waiting(self.address).unwrap_or(0);
        self.waiting_at_end.store(waiting, Ordering::Relaxed);
    }
}

fn joining(clients: u32) -> Duration {
    Duration::from_secs_f64(f64::from(clients) / CONNECTS_PER_S)
}

/// Numbers of clients: four times as many each time, and `most` at the end.
fn steps(most: u32) -> impl Iterator<Item = u32> {
    let below = std::iter::successors(Some(CLIENTS_MIN), |clients| clients.checked_mul(4));
    below
        .take_while(move |&clients| clients < most)
        .chain([most])
}

/// Time that one repeat takes at most, in seconds.
pub(super) fn estimate_s(clients_max: u32) -> f64 {
    let (most, _) = limit::most_clients(clients_max);
    let step = |clients| (joining(clients) + WARMUP + WINDOW).as_secs_f64() + 0.1;
    0.3 + steps(most).map(step).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goodput_has_fallen_when_both_measurements_of_a_step_say_so() {
        let step = |clients, good_per_s| Step {
            clients,
            good_per_s,
            unserved: 0,
            generator_share: 0.5,
        };
        let mut made = vec![step(64, 1_000.0), step(256, 100.0)];
        assert!(has_fallen(&made));
        made[1].average(&step(256, 1_000.0));
        assert!(!has_fallen(&made));
        let found = found(&made);
        assert!((found.figures[&Metric::CrowdGoodput] - 0.55).abs() < 1e-9);
        assert_eq!(found.notes["goodput_per_s_256"], "550");
    }

    #[test]
    fn steps_by_fours_up_to_the_most() {
        assert_eq!(
            steps(10_000).collect::<Vec<_>>(),
            [64, 256, 1_024, 4_096, 10_000]
        );
        assert_eq!(steps(256).collect::<Vec<_>>(), [64, 256]);
        assert_eq!(steps(10).collect::<Vec<_>>(), [10]);
    }
}
