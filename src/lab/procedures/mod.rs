//! Measurements that are not a plain load, and disturbances to go on beside one.
//!
//! A procedure (`idle`, `backlog`, `spawn`) makes one trial on a fresh process and returns figures, unit last in their
//! names. A disturbance (`slow`, `heavy`, `crashes`) is a guard: it goes on from its start until [`Drop`] or `finish`,
//! which gives its counts.

mod aside;
pub mod backlog;
pub(super) mod client;
pub mod crashes;
pub mod heavy;
pub mod idle;
pub mod slow;
pub mod spawn;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use hola_loadgen::summary::Check;

use super::server_process::Bill;

/// What one trial of a procedure found.
#[derive(Clone, Debug, Default)]
pub struct Procedure {
    /// Figures by name, unit last in it.
    pub figures: BTreeMap<String, f64>,
    /// What is no number, by name, such as the `limit` that was met.
    pub remarks: BTreeMap<String, String>,
    /// Whether the figures can be believed.
    pub validity: Vec<Check>,
    /// What the server reported and cost, where there was one.
    pub bill: Option<Bill>,
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

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn takes_percentiles_by_nearest_rank() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 0.5), Some(50.0));
        assert_eq!(percentile(&sorted, 0.99), Some(99.0));
        assert_eq!(percentile(&sorted, 1.0), Some(100.0));
        assert_eq!(percentile(&[7.0], 0.01), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
