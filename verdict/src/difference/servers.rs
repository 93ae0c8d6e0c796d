//! Compares two servers of one run: both met every load in the same blocks and cycles, so nothing has to be estimated
//! of what the machine did meanwhile.

use super::{Difference, MetricChange, RecordedRun, Selection, judge, metrics};
use crate::analysis::{Analysis, LevelKey, Word};

impl Difference {
    /// Compares the participant `candidate` of a run with the participant `base`, wherever both took part.
    pub fn between_servers(
        recorded: RecordedRun<'_>,
        base: &str,
        candidate: &str,
        selection: &Selection,
    ) -> Self {
        let analysis = Analysis::new(recorded.run, recorded.blocks);
        let mut cells = Vec::new();
        for design in selection.designs(recorded.run) {
            for metric in metrics(&design.experiment, selection) {
                let compare = |at: LevelKey<'_>| {
                    let change = analysis.ratio(at, candidate, base, metric).ok()?;
                    Some(MetricChange {
                        experiment: at.experiment.into(),
                        level: at.level.into(),
                        participant: candidate.into(),
                        metric,
                        base: analysis.value(at, base, metric).ok()?,
                        candidate: analysis.value(at, candidate, metric).ok()?,
                        shared: None,
                        p_holm: 1.0,
                        word: Word::new(&change, metric),
                        change,
                    })
                };
                let levels = design.levels();
                let levels =
                    levels.map(|(_, level)| LevelKey::new(&design.experiment, &level.name));
                cells.extend(levels.filter_map(compare));
            }
        }
        judge(&mut cells);
        Difference {
            cells,
            ..Difference::default()
        }
    }
}
