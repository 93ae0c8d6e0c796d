//! The experiments: one file and one line of [`EXPERIMENTS`] per question. Each makes a [`Design`] for a profile and a
//! machine.

mod accept;
mod backlog;
mod ballast;
mod capacity;
mod confounders;
mod cpu;
mod crash;
mod crowd;
mod deadlines;
mod equal_load;
mod first_read;
mod floor;
mod grid;
mod idle;
mod keep_alive;
mod messages;
mod mixed;
mod network;
mod overload;
mod roster;
mod scaling;
mod sharing;
mod slow_client;
mod spawn;
mod system_calls;
mod targets;
mod wait;

use hola_base::{Text, text};

pub use self::equal_load::HEADLINE;
use self::roster::{ALL, KINDS, QUICK, StageDraft};
pub use self::roster::{Setting, server_cards};
pub use self::targets::TARGETS;
use crate::metric::Metric;
use crate::plan::{Design, Load, Procedure};

/// A question, and how it is measured.
#[derive(Clone, Copy)]
pub struct Experiment {
    /// Name on the command line.
    pub name: &'static str,
    /// The question.
    pub question: Text,
    /// What result would change our mind.
    pub changes_mind: Text,
    /// Metrics compared; the headline metric is first.
    pub metrics: &'static [Metric],
    /// Its plan; `None` if the profile or the machine leaves it out.
    pub design: fn(&Setting<'_>) -> Option<Design>,
}

/// Every experiment, in execution order.
pub const EXPERIMENTS: &[Experiment] = &[
    equal_load::EXPERIMENT,
    targets::EXPERIMENT,
    capacity::EXPERIMENT,
    keep_alive::EXPERIMENT,
    messages::EXPERIMENT,
    wait::EXPERIMENT,
    cpu::EXPERIMENT,
    scaling::EXPERIMENT,
    sharing::EXPERIMENT,
    first_read::EXPERIMENT,
    deadlines::EXPERIMENT,
    accept::EXPERIMENT,
    ballast::EXPERIMENT,
    slow_client::EXPERIMENT,
    mixed::EXPERIMENT,
    crash::EXPERIMENT,
    overload::EXPERIMENT,
    crowd::EXPERIMENT,
    idle::EXPERIMENT,
    spawn::EXPERIMENT,
    backlog::EXPERIMENT,
    grid::EXPERIMENT,
    floor::EXPERIMENT,
    system_calls::EXPERIMENT,
    confounders::EXPERIMENT,
    network::EXPERIMENT,
];

/// The experiment of that name.
pub fn find(name: &str) -> Option<&'static Experiment> {
    EXPERIMENTS.iter().find(|one| one.name == name)
}
