//! From the records of a comparison to intervals, and from intervals to a verdict on each claim.
//!
//! [`Analysis`] estimates, [`claims`] judge what people say by it, [`difference`] compares two runs. Everything is computed
//! from [`hola_lab::record`] and from nothing else.

pub mod analysis;
pub mod claims;
pub mod difference;
mod estimate;
pub mod statistics;

pub use analysis::{Analysis, At, precision_reached};
pub use estimate::Estimate;

/// Version of the rules by which a run is judged: analysis, words and claims together. A run stores the version that judged
/// it; a run of another version has to be made anew before its verdicts are compared.
pub const RULES_VERSION: u32 = 3;
