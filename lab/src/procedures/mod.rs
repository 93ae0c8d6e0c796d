//! Measurements that are not a plain load, and disturbances to go on beside one.
//!
//! A procedure (`idle`, `backlog`, `spawn`) makes one trial on a fresh process and returns figures, unit last in their
//! names. A disturbance (`slow`, `heavy`, `crashes`) is a guard: it goes on from its start until [`Drop`] or `finish`,
//! which gives its counts.

pub(super) mod client;
pub mod spawn;

use crate::image::Image;
use crate::metric::Metric;
use crate::plan::Participant;
use crate::target::Targets;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
pub struct Fresh<'f> {
    pub image: &'f Image,
    pub targets: &'f Targets,
    pub participant: &'f Participant,
    pub server_cpus: &'f [usize],
    pub generator_cpus: &'f [usize],
    pub seed: u64,
    pub interrupted: &'f AtomicBool,
}
pub struct Found {
    pub figures: BTreeMap<Metric, f64>,
    pub notes: BTreeMap<String, String>,
}
pub fn run(_: &crate::plan::Procedure, _: &Fresh<'_>) -> Result<Found, String> {
    Err("not yet".into())
}
pub fn estimate_s(_: &crate::plan::Procedure) -> f64 {
    1.0
}

use hola_loadgen::summary::Check;
use std::sync::atomic::Ordering;
/// What one trial of a procedure found.
#[derive(Clone, Debug, Default)]
pub struct Procedure {
    /// Figures by name, unit last in it.
    pub figures: BTreeMap<String, f64>,
    /// What is no number, by name, such as the `limit` that was met.
    pub remarks: BTreeMap<String, String>,
    /// Whether the figures can be believed.
    pub validity: Vec<Check>,
    /// x
    pub bill: Option<()>,
}

impl Procedure {
    fn figure(&mut self, name: &str, value: f64) {
        self.figures.insert(name.to_owned(), value);
    }

    fn count(&mut self, name: &str, count: usize) {
        self.figure(name, to_f64(count));
    }

    fn check(&mut self, check: &str, ok: bool, detail: String) {
        self.validity.push(Check {
            check: check.to_owned(),
            ok,
            detail,
        });
    }
}

/// The error of a procedure that the user has ended.
fn stop_if(interrupted: &AtomicBool) -> Result<(), String> {
    if interrupted.load(Ordering::Relaxed) {
        return Err("interrupted".into());
    }
    Ok(())
}

#[allow(
    clippy::cast_precision_loss,
    reason = "clients and samples of a trial are far below 2^53"
)]
fn to_f64(count: usize) -> f64 {
    count as f64
}

fn microseconds(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// The smallest sample that a share `q` of all does not exceed (nearest rank); `None` of nothing.
fn percentile(sorted: &[f64], q: f64) -> Option<f64> {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is between 0 and it"
    )]
    let rank = (q * to_f64(sorted.len())).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}
