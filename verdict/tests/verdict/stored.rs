//! The newest full run that is kept with the source, and the noise that it saw.

use std::fs;
use std::path::{Path, PathBuf};

use hola_lab::record::{Block, Reading, Run, Slice};
use hola_lab::store;
use hola_verdict::At;

use crate::world::Residuals;

/// The run and its blocks; `None` where there is none of the present schema.
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

/// What the blocks' ratios of all compared participants to the control left unexplained at a place. The noise of a block's cycles
/// is in them already. A made-up ratio has the noise of two participants, so each gets its share of it.
pub fn residuals(run: &Run, blocks: &[Block], at: At<'_>) -> Residuals {
    let (_, level) = run
        .designs
        .iter()
        .find(|design| design.experiment == at.experiment)
        .and_then(|design| design.level(at.level))
        .expect("the place is in the run");
    let share = 0.5_f64.sqrt();
    let mut of_blocks = Vec::new();
    let others = level
        .participants
        .iter()
        .filter(|name| **name != level.control);
    for participant in others {
        let mut means = Vec::new();
        for block in blocks
            .iter()
            .filter(|block| block.experiment == at.experiment)
        {
            let logs = |name: &str| -> Vec<(u32, f64)> {
                let readings = block.readings.iter();
                let mut own =
                    readings.filter(|one| one.participant == name && one.level == at.level);
                let slices = own.next().into_iter().flat_map(Reading::counted);
                let cost = |slice: &Slice| Some((slice.cycle, slice.cpu_us_per_request()?.ln()));
                slices.filter_map(cost).collect()
            };
            let control = logs(&level.control);
            let ratios: Vec<f64> = logs(participant)
                .iter()
                .filter_map(|(cycle, own)| {
                    let (_, control) = control.iter().find(|(other, _)| other == cycle)?;
                    Some(own - control)
                })
                .collect();
            if let Some(mean) = mean(&ratios) {
                means.push(mean);
            }
        }
        if let Some(mean) = mean(&means) {
            of_blocks.extend(means.iter().map(|block| (block - mean) * share));
        }
    }
    Residuals {
        blocks: of_blocks,
        cycles: vec![0.0],
        // What all participants share drops out of a ratio.
        drift: vec![0.0],
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    let count = u32::try_from(values.len())
        .ok()
        .filter(|&count| count > 0)?;
    Some(values.iter().sum::<f64>() / f64::from(count))
}

/// Blocks that a stage of the run has, and cycles of its level.
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
