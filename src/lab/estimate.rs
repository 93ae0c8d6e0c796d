//! How long a plan takes, said before it starts.

use std::collections::BTreeSet;

use hola_servers::models;
use hola_servers::settings::DRAIN_S;

use super::order;
use super::record::{Arm, Design, Level, Run};

/// What a load's trial takes besides its window and warm-up, in seconds: a server to start, to prove, to stop and to bill,
/// and a line to write. Seen over all experiments on two busy CPUs: 0.015 to 0.03 s, and a disk may be slower.
pub const TRIAL_S: f64 = 0.04;

/// The same of a reference target, in seconds: interpreters and a hundred processes take longer to start and to end. Seen
/// on two busy CPUs: 0.1 s, and 0.3 s for Apache's hundred processes.
pub const TARGET_S: f64 = 0.2;

/// Time one trial of a model or target at a level takes, in seconds.
pub fn trial_s(design: &Design, level: &Level, model: &str) -> f64 {
    let load_s = design.warmup_s + design.trial_s;
    // What a server was asked for beyond its capacity it still answers, to nobody, before it ends.
    let beyond = level
        .rate_of_capacity
        .map_or(0.0, |share| (share - 1.0).max(0.0));
    let around_s = models::find(model).map_or(TARGET_S, |_| TRIAL_S);
    load_s + (beyond * load_s).min(DRAIN_S.into()) + design.extra_s + around_s
}

/// Trials of an experiment, the control's second copies included.
pub fn trials(design: &Design) -> usize {
    order::cells(design).len() * design.trials_per_cell as usize
}

/// Time an experiment takes, in seconds.
pub fn experiment_s(design: &Design) -> f64 {
    let cells = order::cells(design);
    let of_cell = |(level, model, _): &(&Level, &str, Arm)| trial_s(design, level, model);
    let round_s: f64 = cells.iter().map(of_cell).sum();
    round_s * f64::from(design.trials_per_cell)
}

/// Time that is left of a run of which these positions have been made, in seconds.
pub fn left_s(run: &Run, made: &BTreeSet<u32>) -> f64 {
    order::of(run)
        .iter()
        .filter(|planned| !made.contains(&planned.position))
        .map(|planned| {
            let design = &run.experiments[planned.experiment];
            trial_s(design, planned.level, planned.model)
        })
        .sum()
}
