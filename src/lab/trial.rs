//! One trial: a fresh server process, one workload, one measurement.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hola_loadgen::summary::Check;
use hola_loadgen::{Histograms, Measurement, Observer, Pace, Stop, Workload};

use super::environment::CpuTicks;
use super::record::{Design, Measured, ServerCost};
use super::server_process::{Bill, ServerProcess};
use super::tree::{Peak, Watch};

/// Makes one trial of `model` with `clients` concurrent clients.
///
/// # Errors
/// One plain sentence: why there is nothing to record.
pub fn make(
    hola: &Path,
    design: &Design,
    model: &str,
    clients: u32,
    seed: u64,
    interrupted: &AtomicBool,
) -> Result<Measured, String> {
    let server = ServerProcess::start(hola, model, &design.server_cpus, &[])
        .map_err(|error| error.to_string())?;
    let workload = workload(design, &server, clients, seed);
    // Looking costs the server time, so it is looked at in the warm-up, under the same load, and left alone afterwards.
    let watch = Watch::start(server.pid(), workload.warmup);
    let ticks_before = CpuTicks::of(&design.server_cpus);
    let loaded = hola_loadgen::run(&workload, &Interruptible(interrupted));
    let peak = watch.peak();
    let ticks_after = CpuTicks::of(&design.server_cpus);
    let bill = server.stop()?;
    let mut load = loaded.map_err(|error| error.to_string())?;
    if interrupted.load(Ordering::Relaxed) {
        return Err("interrupted".into());
    }
    load.summary.model = Some(model.into());
    // A CPU of its own shows what the server did there; on a shared one only the server's own books remain.
    let alone = !design
        .server_cpus
        .iter()
        .any(|cpu| design.generator_cpus.contains(cpu));
    let sampled = alone
        .then(|| ticks_after.user_share_since(ticks_before))
        .flatten();
    let user_share = sampled.unwrap_or(bill.user_share);
    Ok(measured(load, &bill, user_share, peak))
}

fn workload(design: &Design, server: &ServerProcess, clients: u32, seed: u64) -> Workload {
    Workload {
        pace: Pace::Closed { clients },
        requests_per_connection: design.requests_per_connection,
        stop: Stop::After(Duration::from_secs_f64(design.trial_s)),
        warmup: Duration::from_secs_f64(design.warmup_s),
        cpus: design.generator_cpus.clone(),
        seed,
        ..Workload::new(server.address())
    }
}

/// Ends a measurement early when the user asks for it.
struct Interruptible<'f>(&'f AtomicBool);

impl Observer for Interruptible<'_> {
    fn should_stop(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

fn measured(mut load: Measurement, bill: &Bill, user_share: f64, peak: Peak) -> Measured {
    let requests = bill.counters.answers;
    let cpu_user_us = round(to_f64(bill.cpu_us) * user_share);
    let cpu_us_per_request = (requests > 0).then(|| to_f64(bill.cpu_us) / to_f64(requests));
    let validity = checks(&load, bill);
    // A trial's record has a place of its own for it, older than the summary's.
    let kernel = load.summary.kernel.take().unwrap_or_default();
    Measured {
        response_histogram: Histograms::encode(&load.histograms.response),
        load: load.summary,
        server: ServerCost {
            cpu_user_us,
            cpu_system_us: bill.cpu_us.saturating_sub(cpu_user_us),
            conversations: bill.counters.closed,
            requests,
            cpu_us_per_request,
            pss_peak_kib: peak.pss_kib,
            threads_peak: peak.threads,
            processes_peak: peak.processes,
            switches_voluntary: bill.switches_voluntary,
            switches_involuntary: bill.switches_involuntary,
            faults_minor: bill.faults_minor,
            wakeups: bill.counters.wakeups,
            conversations_by_worker: by_worker(&bill.counters.accepted_by_worker),
            settings: bill.settings.clone(),
        },
        kernel,
        validity,
    }
}

/// Only the tallies that somebody used: a model without workers of its own counts on the first.
fn by_worker(accepted: &[u64]) -> Vec<u64> {
    let used = accepted.iter().rposition(|&count| count > 0);
    accepted[..used.map_or(0, |last| last + 1)].to_vec()
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
fn round(share_of_count: f64) -> u64 {
    share_of_count.round() as u64
}

/// What only the whole trial can show, because it takes the server's account.
fn checks(load: &Measurement, bill: &Bill) -> Vec<Check> {
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
