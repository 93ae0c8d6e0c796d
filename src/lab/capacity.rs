//! What a model can serve, measured just before it is asked for more.

use std::collections::BTreeMap;
use std::time::Duration;

use hola_loadgen::summary::Check;
use hola_loadgen::{Pace, Stop, Workload};

use super::record::Measured;
use super::trial::{Interruptible, Setting, expected_body};

/// Clients of the closed loop: enough that the server is never without work.
const CLIENTS: u32 = 64;
/// Measured window: a few thousand requests of a fifth of a millisecond.
const WINDOW: Duration = Duration::from_millis(300);
/// Load before it.
const WARMUP: Duration = Duration::from_millis(100);

/// Checks that say that a rate is the generator's and not the server's.
const GENERATOR_CHECKS: [&str; 3] = ["generator", "time_away", "throttling"];

/// What a closed loop got out of a model.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Capacity {
    /// Good answers per second.
    pub(super) good_per_s: f64,
    check: Check,
}

/// Measures the capacity of the setting's model with a server of its own.
///
/// # Errors
/// One plain sentence: why there is no figure.
pub(super) fn measure(setting: &Setting<'_>) -> Result<Capacity, String> {
    let server = setting.start_server()?;
    let workload = Workload {
        pace: Pace::Closed { clients: CLIENTS },
        path: setting.path().to_owned(),
        expected_body: expected_body(setting.path()),
        requests_per_connection: setting.level.requests_per_connection,
        stop: Stop::After(WINDOW),
        warmup: WARMUP,
        cpus: setting.generator_cpus().to_vec(),
        seed: setting.seed,
        ..Workload::new(server.address())
    };
    let loaded = hola_loadgen::run(&workload, &Interruptible(setting.interrupted));
    server.stop()?;
    let summary = loaded.map_err(|error| error.to_string())?.summary;
    let good_per_s = summary.rates.good_per_s;
    if good_per_s <= 0.0 {
        return Err("nothing was answered when its capacity was measured".into());
    }
    // Of a generator at its limit, or one that did not run all the time, the rate is the generator's.
    let bound = summary
        .validity
        .iter()
        .find(|check| !check.ok && GENERATOR_CHECKS.contains(&check.check.as_str()));
    Ok(Capacity {
        good_per_s,
        check: Check {
            check: "capacity".into(),
            ok: bound.is_none(),
            detail: bound.map_or_else(
                || format!("{good_per_s:.0} good answers per second in a closed loop"),
                |check| check.detail.clone(),
            ),
        },
    })
}

impl Capacity {
    /// Adds what it was, how much of it the load got, and whether it can be believed.
    pub(super) fn add_to(self, measured: &mut Measured, figures: &mut BTreeMap<String, f64>) {
        figures.insert("capacity_per_s".into(), self.good_per_s);
        if let Some(load) = &measured.load {
            let share = load.rates.good_per_s / self.good_per_s;
            figures.insert("goodput_of_capacity_share".into(), share);
        }
        measured.validity.push(self.check);
    }
}
