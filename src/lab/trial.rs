//! One trial: a fresh server process, one workload, one measurement.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hola_loadgen::schedule::splitmix64;
use hola_loadgen::summary::{Arrivals, Summary};
use hola_loadgen::workload::GREETING;
use hola_loadgen::{Histograms, Measurement, Observer, Pace, Stop, Workload};
use hola_servers::models::{self, Model};

use super::beside::{Beside, Disturbance};
use super::bill::{self, Seen};
use super::capacity::{self, Capacity};
use super::count;
use super::environment::CpuTicks;
use super::procedures::Procedure;
use super::recipe::{Kind, Recipe};
use super::record::{Design, Level, Measured};
use super::served::{Ended, Loaded, Served};
use super::server_process::{ServerProcess, share};
use super::target::{Target, Targets};
use super::tree::Watch;

/// What a trial is made of.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'s> {
    /// Program to serve with.
    pub hola: &'s Path,
    /// Reference targets, of which the model may be one.
    pub targets: &'s Targets,
    /// Plan of the experiment.
    pub design: &'s Design,
    /// Level of it.
    pub level: &'s Level,
    /// Model or reference target, by its name on the command line.
    pub model: &'s str,
    /// Seed of everything random in the trial.
    pub seed: u64,
    /// Raised when the user wants an end.
    pub interrupted: &'s AtomicBool,
}

impl Setting<'_> {
    /// CPUs of the server.
    pub fn server_cpus(&self) -> &[usize] {
        let placement = self.level.placement.as_ref();
        placement.map_or(&self.design.server_cpus, |placement| &placement.server_cpus)
    }

    /// CPUs of the generator.
    pub fn generator_cpus(&self) -> &[usize] {
        let placement = self.level.placement.as_ref();
        placement.map_or(&self.design.generator_cpus, |placement| {
            &placement.generator_cpus
        })
    }

    /// What is asked for.
    pub fn path(&self) -> &str {
        self.level.path_for(self.model)
    }

    /// A fresh server of the model, with the level's options, or the target as it is.
    ///
    /// # Errors
    /// One plain sentence: why there is none.
    pub fn start_server(&self) -> Result<Served, String> {
        if let Some(spec) = self.targets.named(self.model) {
            let places = &self.targets.places;
            return Target::start(spec, places, self.server_cpus()).map(Served::Target);
        }
        let workers = self.pool_workers().map(|workers| workers.to_string());
        let mut options: Vec<&str> = self
            .level
            .server_options
            .iter()
            .map(String::as_str)
            .collect();
        if let Some(workers) = &workers {
            options.extend(["--workers", workers]);
        }
        ServerProcess::start(self.hola, self.model, self.server_cpus(), &options)
            .map(Served::Model)
            .map_err(|error| error.to_string())
    }

    /// The measured window.
    pub fn window(&self) -> Duration {
        Duration::from_secs_f64(self.design.trial_s)
    }

    /// Workers that the level gives to a model of which each holds one client.
    fn pool_workers(&self) -> Option<u32> {
        let is_pool = |model: &Model| model.capacity == models::Capacity::Workers;
        self.level
            .pool_workers
            .filter(|_| models::find(self.model).is_some_and(is_pool))
    }
}

/// Makes one trial.
///
/// # Errors
/// One plain sentence: why there is nothing to record.
pub fn make(setting: &Setting<'_>, recipe: Recipe) -> Result<Measured, String> {
    let measured = match recipe.kind {
        Kind::Load => load(setting, recipe.beside)?,
        Kind::Procedure(procedure) => found(procedure(setting)?),
    };
    if setting.interrupted.load(Ordering::Relaxed) {
        return Err("interrupted".into());
    }
    Ok(measured)
}

/// What a procedure found, as a trial records it. Its server's bill is in the figures, as far as it says anything.
fn found(found: Procedure) -> Measured {
    Measured {
        figures: found.figures,
        remarks: found.remarks,
        validity: found.validity,
        ..Measured::default()
    }
}

/// Puts the level's load on a fresh server, beside whatever else goes on there.
fn load(setting: &Setting<'_>, beside: Option<Disturbance>) -> Result<Measured, String> {
    let capacity = match setting.level.rate_of_capacity {
        Some(_) => Some(capacity::measure(setting)?),
        None => None,
    };
    let server = setting.start_server()?;
    let workload = workload(setting, server.address(), capacity.as_ref());
    let at_most = workload.warmup + setting.window();
    let (target, cpus) = (server.address(), setting.generator_cpus());
    let beside_seed = splitmix64(setting.seed, 1);
    let other = beside
        .map(|disturbance| disturbance.start(target, cpus, at_most, beside_seed))
        .transpose()?;
    // Looking costs the server time, so it is looked at in the warm-up, under the same load, and left alone afterwards.
    let watch = Watch::start(server.pid(), workload.warmup);
    let ticks_before = CpuTicks::of(setting.server_cpus());
    let loaded = server.load(&workload, &Interruptible(setting.interrupted));
    let peak = watch.peak();
    let ticks_after = CpuTicks::of(setting.server_cpus());
    let mut figures = other.map_or_else(BTreeMap::new, Beside::finish);
    let count = (workload.path == count::PATH).then(|| count::ask(server.address()));
    let ended = match server.stop() {
        Err(_) if beside.is_some_and(Disturbance::may_kill) => None,
        ended => Some(ended?),
    };
    let Loaded {
        outcome,
        window_cpu_us,
    } = loaded;
    let mut load = outcome.map_err(|error| error.to_string())?;
    load.summary.model = Some(setting.model.into());
    // A CPU of its own shows what the server did there; on a shared one only the server's own books remain.
    let shared = |cpu| setting.generator_cpus().contains(cpu);
    let alone = !setting.server_cpus().iter().any(shared);
    let seen = Seen {
        user_share: alone
            .then(|| ticks_after.user_share_since(ticks_before))
            .flatten(),
        window_cpu_us,
        peak,
    };
    figures.extend(of_load(&load.summary, beside, ended.is_some()));
    let mut measured = measured(load, ended.as_ref(), seen);
    if let Some(capacity) = capacity {
        capacity.add_to(&mut measured, &mut figures);
    }
    if let (Some(count), Some(Ended::Model(bill))) = (count, &ended) {
        count::judge(count, bill, &mut figures, &mut measured.validity);
    }
    measured.figures = figures;
    Ok(measured)
}

fn workload(setting: &Setting<'_>, target: SocketAddr, capacity: Option<&Capacity>) -> Workload {
    let (design, level) = (setting.design, setting.level);
    let share = level.rate_of_capacity.zip(capacity);
    let of_capacity = share.map(|(share, capacity)| share * capacity.good_per_s);
    let pace = match level.rate_per_s.or(of_capacity) {
        None => Pace::Closed {
            clients: level.clients,
        },
        Some(rate_per_s) => Pace::Open {
            rate_per_s,
            arrivals: Arrivals::Poisson,
        },
    };
    Workload {
        pace,
        path: setting.path().to_owned(),
        expected_body: expected_body(setting.path()),
        requests_per_connection: level.requests_per_connection,
        stop: Stop::After(setting.window()),
        warmup: Duration::from_secs_f64(design.warmup_s),
        timeout: Duration::from_secs_f64(level.timeout_s),
        cpus: setting.generator_cpus().to_vec(),
        seed: setting.seed,
        ..Workload::new(target)
    }
}

/// The body of a right answer, where it is the same each time and known without computing it again.
pub(super) fn expected_body(path: &str) -> Option<Vec<u8>> {
    match path.strip_prefix("/wait/") {
        Some(ms) => Some(format!("waited {ms} ms\n").into_bytes()),
        None => (path == "/").then(|| GREETING.to_vec()),
    }
}

/// Figures that a load has when something else goes on beside it.
fn of_load(
    summary: &Summary,
    beside: Option<Disturbance>,
    survived: bool,
) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::new();
    if beside.is_some_and(Disturbance::may_kill) {
        let failed = summary.counts.failed_total();
        let share = share(failed, failed + summary.counts.ok);
        figures.extend(share.map(|share| ("others_failed_share".to_owned(), share)));
        figures.insert("survived_share".to_owned(), f64::from(u8::from(survived)));
    }
    figures
}

/// Ends a measurement early when the user asks for it.
pub(super) struct Interruptible<'f>(pub(super) &'f AtomicBool);

impl Observer for Interruptible<'_> {
    fn should_stop(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

fn measured(mut load: Measurement, ended: Option<&Ended>, seen: Seen) -> Measured {
    let validity = ended.map_or_else(Vec::new, |ended| bill::checks(ended, &load));
    let server = ended.and_then(|ended| bill::cost(ended, &load, seen));
    // A trial's record has a place of its own for it, older than the summary's.
    let kernel = load.summary.kernel.take().unwrap_or_default();
    Measured {
        response_histogram: Some(Histograms::encode(&load.histograms.response)),
        load: Some(load.summary),
        server,
        kernel,
        validity,
        ..Measured::default()
    }
}
