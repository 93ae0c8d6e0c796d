//! The newest full run in the repository, and its noise.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hola_lab::plan::{Level, Participant, Role};
use hola_lab::record::{Block, Reading, Run, Slice};
use hola_lab::store;
use hola_verdict::At;
use hola_verdict::statistics::{count, mean, pseudo_median};

use crate::world::Residuals;

/// The run and its blocks; `None` if no run has the current schema.
pub fn full_run() -> Option<(Run, Vec<Block>)> {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    let mut folders: Vec<PathBuf> = fs::read_dir(results)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path())
        .filter(|folder| {
            folder.to_string_lossy().ends_with("-full") && folder.join("blocks.jsonl").exists()
        })
        .collect();
    folders.sort();
    folders
        .last()
        .map(|folder| store::read(folder).expect("a run"))
}

/// Residuals of the blocks' ratios to the control, for all other participants of a level. Both servers of the control
/// are pooled. The residuals include the noise of a block's cycles. A simulated ratio has the noise of two
/// participants, so each gets its share.
pub fn residuals(run: &Run, blocks: &[Block], at: At<'_>) -> Residuals {
    let design = run
        .designs
        .iter()
        .find(|design| design.experiment == at.experiment);
    let (stage, level) = design
        .and_then(|design| design.level(at.level))
        .expect("the place is in the run");
    let blocks: Vec<&Block> = blocks
        .iter()
        .filter(|block| block.experiment == at.experiment && block.stage == stage.name)
        .collect();
    let (controls, others): (Vec<&Participant>, Vec<&Participant>) = stage
        .participants
        .iter()
        .partition(|one| one.name == level.control || matches!(one.role, Role::Again(_)));
    let mut of_blocks = Vec::new();
    for participant in others {
        let ratios = blocks.iter().filter_map(|block| {
            let arms: Vec<_> = controls
                .iter()
                .map(|control| logs(block, level, control))
                .collect();
            let cycles: Vec<f64> = logs(block, level, participant)
                .iter()
                .filter_map(|(cycle, own)| {
                    let there = arms.iter().filter_map(|arm| arm.get(cycle).copied());
                    Some(own - mean(&there.collect::<Vec<_>>())?)
                })
                .collect();
            pseudo_median(&cycles)
        });
        let ratios: Vec<f64> = ratios.collect();
        if let Some(mean) = mean(&ratios) {
            // Deviations from the mean of a few values are smaller than those from the true value.
            let few = count(ratios.len()) / (count(ratios.len()) - 1.0);
            let share = (few / 2.0).sqrt();
            of_blocks.extend(ratios.iter().map(|ratio| (ratio - mean) * share));
        }
    }
    Residuals {
        blocks: of_blocks,
        cycles: vec![0.0],
        // Drift that all participants share cancels in a ratio.
        drift: vec![0.0],
    }
}

/// Logarithm of the CPU per request in each cycle.
fn logs(block: &Block, level: &Level, participant: &Participant) -> BTreeMap<u32, f64> {
    let is_own = |one: &&Reading| one.participant == participant.name && one.level == level.name;
    let slices = block
        .readings
        .iter()
        .filter(is_own)
        .flat_map(Reading::counted);
    let cost = |slice: &Slice| Some((slice.cycle, slice.cpu_us_per_request()?.ln()));
    slices.filter_map(cost).collect()
}

/// Number of blocks of the level's stage, and of cycles of the level.
pub fn size(run: &Run, blocks: &[Block], at: At<'_>) -> (u32, u32) {
    let design = run
        .designs
        .iter()
        .find(|design| design.experiment == at.experiment);
    let (stage, level) = design
        .and_then(|design| design.level(at.level))
        .expect("in the run");
    let made = blocks
        .iter()
        .filter(|block| block.experiment == at.experiment && block.stage == stage.name)
        .count();
    (u32::try_from(made).expect("a small number"), level.cycles)
}
