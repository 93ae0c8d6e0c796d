//! How long a plan takes, said before it starts.

use std::collections::BTreeSet;

use super::order;
use super::record::{Design, Run};

/// What a load's trial takes besides its window and warm-up, in seconds: a server to start, to prove, to stop and to bill,
/// and a line to write. Measured on two CPUs of 2.5 GHz as the difference of runs with short and long windows.
pub const TRIAL_S: f64 = 0.1;

/// Trials of one round of an experiment, the control's second copies included.
pub fn trials_per_round(design: &Design) -> usize {
    let at = |level| {
        let models = design.models_at(level).count();
        let controls = design
            .models_at(level)
            .filter(|model| *model == design.control);
        models + controls.count()
    };
    design.levels.iter().map(at).sum()
}

/// Trials of an experiment.
pub fn trials(design: &Design) -> usize {
    trials_per_round(design) * design.trials_per_cell as usize
}

/// Time one trial of an experiment takes, in seconds.
pub fn trial_s(design: &Design) -> f64 {
    design.warmup_s + design.trial_s + design.extra_s + TRIAL_S
}

/// Time an experiment takes, in seconds.
pub fn experiment_s(design: &Design) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "trials are few")]
    let trials = trials(design) as f64;
    trials * trial_s(design)
}

/// Time that is left of a run of which these positions have been made, in seconds.
pub fn left_s(run: &Run, made: &BTreeSet<u32>) -> f64 {
    order::of(run)
        .iter()
        .filter(|planned| !made.contains(&planned.position))
        .map(|planned| trial_s(&run.experiments[planned.experiment]))
        .sum()
}
