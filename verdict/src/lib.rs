//! Computes intervals from the records of a comparison, and a verdict on each claim from the intervals.
//!
//! [`Analysis`] computes the estimates, [`claims`] decides each claim from them, [`difference`] compares two runs, and
//! [`class`] puts those of many machines together.
//! The only input is [`hola_lab::record`].

pub mod analysis;
pub mod claims;
pub mod class;
pub mod difference;
mod estimate;
mod random_effects;
pub mod statistics;

pub use analysis::{Analysis, LevelKey, precision_reached};
pub use estimate::Estimate;
pub use random_effects::{MACHINES_MIN, RandomEffects};

/// Version of the rules that judge a run: analysis, words and claims together. A run stores its version. A run with
/// another version must be measured again before its verdicts are compared.
pub const RULES_VERSION: u32 = 5;
