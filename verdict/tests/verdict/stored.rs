//! The newest full run in the repository, and its noise.

use std::fs;
use std::path::{Path, PathBuf};

use hola_lab::metric::Metric;
use hola_lab::record::{Block, Run};
use hola_lab::store;
use hola_verdict::statistics::{count, mean};
use hola_verdict::{Analysis, LevelKey};

use crate::world::Residuals;

/// The run and its blocks; `None` if no run has the current schema.
pub fn full_run() -> Option<(Run, Vec<Block>)> {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    let entries = fs::read_dir(results).expect("a folder").flatten();
    let is_full_run = |folder: &PathBuf| {
        folder.to_string_lossy().ends_with("-full") && folder.join("blocks.jsonl").exists()
    };
    let newest = entries.map(|entry| entry.path()).filter(is_full_run).max();
    newest.map(|folder| store::read(&folder).expect("a run"))
}

/// Residuals of the blocks' ratios to the control, for all participants that are compared with it. The residuals include
/// the noise of a block's cycles. A simulated ratio has the noise of two participants, so each gets its share.
pub fn residuals(analysis: &Analysis<'_>, at: LevelKey<'_>) -> Residuals {
    let mut of_blocks = Vec::new();
    for name in analysis.compared(at) {
        let ratios = analysis.to_control_by_block(at, name, Metric::CpuPerRequest);
        let ratios = ratios.unwrap_or_default().into_values();
        let logs: Vec<f64> = ratios.map(f64::ln).collect();
        if let Some(mean) = mean(&logs) {
            // Deviations from the mean of a few values are smaller than those from the true value.
            let few = count(logs.len()) / (count(logs.len()) - 1.0);
            let share = (few / 2.0).sqrt();
            of_blocks.extend(logs.iter().map(|log| (log - mean) * share));
        }
    }
    Residuals {
        blocks: of_blocks,
        cycles: vec![0.0],
        // Drift that all participants share cancels in a ratio.
        drift: vec![0.0],
    }
}

/// Number of blocks of the level's stage, and of cycles of the level.
pub fn size(run: &Run, blocks: &[Block], at: LevelKey<'_>) -> (u32, u32) {
    let mut designs = run.designs.iter();
    let design = designs.find(|design| design.experiment == at.experiment);
    let found = design.and_then(|design| design.level(at.level));
    let (stage, level) = found.expect("the level is in the run");
    let is_own = |block: &&Block| block.experiment == at.experiment && block.stage == stage.name;
    let made = blocks.iter().filter(is_own).count();
    (u32::try_from(made).expect("a small number"), level.cycles)
}
