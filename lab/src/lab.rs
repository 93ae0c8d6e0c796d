//! What all blocks of a run share.

use std::sync::atomic::{AtomicBool, Ordering};

use hola_loadgen::Observer;

use crate::pinned_program::PinnedProgram;
use crate::target::Targets;

/// What all blocks of a run share.
#[derive(Debug)]
pub struct Lab<'l> {
    /// The program that serves.
    pub program: &'l PinnedProgram,
    /// Reference targets.
    pub targets: &'l Targets,
    /// Seed of the run.
    pub seed: u64,
    /// Work to add to each request of a planted participant, as a percentage of what its control costs.
    pub planted_percent: f64,
    /// Set when the user interrupts the run.
    pub interrupted: &'l AtomicBool,
}

/// Ends a load when the user interrupts the run.
impl Observer for Lab<'_> {
    fn should_stop(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
