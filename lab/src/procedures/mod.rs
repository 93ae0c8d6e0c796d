//! Measurements that are not a plain load, and disturbances to go on beside one.
//!
//! A procedure (`idle`, `backlog`, `spawn`) makes one trial on a fresh process and returns figures, unit last in their
//! names. A disturbance (`slow`, `heavy`, `crashes`) is a guard: it goes on from its start until [`Drop`] or `finish`,
//! which gives its counts.

pub(super) mod client;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use crate::image::Image;
use crate::metric::Metric;
use crate::plan::{Participant, Procedure};
use crate::target::Targets;
pub struct Fresh<'f> { pub image: &'f Image, pub targets: &'f Targets, pub participant: &'f Participant, pub server_cpus: &'f [usize], pub generator_cpus: &'f [usize], pub seed: u64, pub interrupted: &'f AtomicBool }
pub struct Found { pub figures: BTreeMap<Metric, f64>, pub notes: BTreeMap<String, String> }
pub fn run(_: &Procedure, _: &Fresh<'_>) -> Result<Found, String> { Err("not yet".into()) }
pub fn estimate_s(_: &Procedure) -> f64 { 1.0 }
