//! How far a run has come, by its records.

use hola_lab::plan::Design;
use hola_lab::record::{Block, Run, RunStatus};

/// How far a run has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RunProgress {
    /// Name of the run.
    pub(super) name: String,
    /// Whether it runs, as far as its records say: those of a run that was killed say so for ever.
    pub(super) status: RunStatus,
    /// Its experiments, in the order of the plan.
    pub(super) experiments: Vec<ExperimentProgress>,
    /// The newest block, if there is one.
    pub(super) newest: Option<NewestBlock>,
    /// Most time that is left, in seconds.
    pub(super) left_s: f64,
}

/// The block that was kept last.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NewestBlock {
    /// Its experiment.
    pub(super) experiment: String,
    /// Its stage.
    pub(super) stage: String,
    /// Its number within the stage, from 1.
    pub(super) number: u32,
    /// How long it took, in seconds.
    pub(super) took_s: f64,
}

/// How far an experiment has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ExperimentProgress {
    /// Its name.
    pub(super) name: String,
    /// Blocks that are kept.
    pub(super) blocks: usize,
    /// Most blocks of all its stages.
    pub(super) blocks_max: usize,
    /// Whether it is the one whose blocks are being made.
    pub(super) is_current: bool,
    /// Share of its budget that is used up, 0…1; 1 once it has ended.
    pub(super) share: f64,
}

impl RunProgress {
    /// How far a run has come that has kept those blocks.
    pub(super) fn new(run: &Run, blocks: &[Block]) -> Self {
        let is_of = |design: &Design, block: &Block| block.experiment == design.experiment;
        let has_begun = |design: &Design| blocks.iter().any(|block| is_of(design, block));
        // A later one has no blocks yet. Whether this one is precise enough is known once the next one has a block.
        let current = run.designs.iter().rposition(has_begun).unwrap_or(0);
        let is_running = run.status == RunStatus::Running;
        let mut left_s = 0.0;
        let mut experiments = Vec::new();
        for (number, design) in run.designs.iter().enumerate() {
            let own = blocks.iter().filter(|block| is_of(design, block));
            let spent_s: f64 = own.clone().map(|block| block.took_s).sum();
            let (is_current, is_later) = (is_running && number == current, number > current);
            if is_running && (is_current || is_later) {
                left_s += (design.budget_s - spent_s).max(0.0);
            }
            let is_ended = run.status == RunStatus::Complete || number < current;
            let used = match design.budget_s > 0.0 {
                true => (spent_s / design.budget_s).min(1.0),
                false => 0.0,
            };
            experiments.push(ExperimentProgress {
                name: design.experiment.clone(),
                blocks: own.count(),
                blocks_max: design.stages.len() * design.blocks_max as usize,
                is_current,
                share: if is_ended { 1.0 } else { used },
            });
        }
        RunProgress {
            name: run.name.clone(),
            status: run.status,
            experiments,
            newest: blocks.last().map(|block| NewestBlock {
                experiment: block.experiment.clone(),
                stage: block.stage.clone(),
                number: block.index + 1,
                took_s: block.took_s,
            }),
            left_s,
        }
    }
}
