//! How an experiment's trials are made: what of it is code and not data.

use super::beside::Disturbance;
use super::procedures;
use super::trial::Setting;

/// How a trial is made.
#[derive(Clone, Copy, Debug, Default)]
pub enum Kind {
    /// A load on a fresh server, as the level says.
    #[default]
    Load,
    /// Something else, with what the [`Setting`] holds.
    Procedure(Procedure),
}

/// Makes one trial; an error is one plain sentence: why there is nothing to record.
pub type Procedure = fn(&Setting<'_>) -> Result<procedures::Procedure, String>;

/// How the trials of one level are made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recipe {
    /// How a trial is made.
    pub kind: Kind,
    /// What goes on beside a load.
    pub beside: Option<Disturbance>,
}
