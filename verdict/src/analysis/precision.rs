//! When the blocks of an experiment are enough.

use hola_lab::plan::Design;
use hola_lab::record::{Block, Run};

use super::{Analysis, LevelKey, Missing};

/// Whether every interval is as narrow as the design asks: the lab's stopping rule. It uses only widths, never a
/// verdict. Participants whose servers failed, or for which the rate is too high, do not delay the stop.
pub fn precision_reached(run: &Run, blocks: &[Block], design: &Design) -> bool {
    let Some(precision) = &design.precision else {
        return false;
    };
    let analysis = Analysis::new(run, blocks);
    let mut is_any = false;
    for level in &precision.levels {
        let at = LevelKey::new(&design.experiment, level);
        for participant in analysis.compared(at) {
            match analysis.to_control(at, participant, precision.metric) {
                Ok(found) if found.half_width() <= precision.half_width => is_any = true,
                Ok(_) | Err(Missing::TooFewBlocks { .. }) => return false,
                Err(_) => {}
            }
        }
    }
    is_any
}
