//! The two controls of the method, in every run: the control against itself, and a planted difference of known size.

use hola_lab::metric::{Metric, Scale};
use hola_lab::plan::{Participant, Role};

use super::{Analysis, At};
use crate::estimate::Estimate;
use crate::statistics::{SIGNIFICANCE, holm, mean};

/// The metric of both controls: the planted work adds to it, and most of the claims are about it.
const METRIC: Metric = Metric::CpuPerRequest;

/// A control passes despite a significant difference if that is smaller than this. The margin within which costs are
/// called the same is 5 %, and a long run finds differences of 1 % between two processes of one program.
const TOLERANCE: f64 = 0.03;

/// The two controls of the method.
#[derive(Clone, Debug, Default)]
pub struct Controls {
    /// The control against itself, for each level with a second control server.
    pub again: Vec<SelfComparison>,
    /// The planted difference, for each level with one.
    pub planted: Vec<PlantedDifference>,
}

/// The control against itself (A/A).
#[derive(Clone, Debug)]
pub struct SelfComparison {
    /// Experiment.
    pub experiment: String,
    /// Level.
    pub level: String,
    /// The second server.
    pub participant: String,
    /// Its ratio to the first.
    pub estimate: Estimate,
    /// Whether the two do not differ significantly, or by less than 3 %, after Holm's correction over all levels.
    pub passes: bool,
}

/// A planted difference.
#[derive(Clone, Debug)]
pub struct PlantedDifference {
    /// Experiment.
    pub experiment: String,
    /// Level.
    pub level: String,
    /// The participant with more work.
    pub participant: String,
    /// Expected ratio to the control, from the added work: the mean over blocks.
    pub expected: f64,
    /// Measured ratio to the control.
    pub measured: Estimate,
    /// Measured over expected, block by block.
    pub error: Estimate,
    /// Whether the two do not differ significantly, or by less than 3 %, after Holm's correction over all levels.
    pub recovered: bool,
}

impl Controls {
    /// Whether there is at least one control, and all of them passed.
    pub fn passed(&self) -> bool {
        !(self.again.is_empty() && self.planted.is_empty())
            && self.again.iter().all(|one| one.passes)
            && self.planted.iter().all(|one| one.recovered)
    }
}

impl Analysis<'_> {
    /// The two controls of the method, for every level that has an estimate of them.
    pub fn controls(&self) -> Controls {
        let mut controls = Controls::default();
        for design in &self.run().designs {
            for (stage, level) in design.levels() {
                let at = At {
                    experiment: &design.experiment,
                    level: &level.name,
                };
                let names = level.participants.iter();
                for one in names.filter_map(|name| stage.participant(name)) {
                    match &one.role {
                        Role::Compared => {}
                        Role::Again(of) => controls.again.extend(self.again(at, one, of)),
                        Role::Planted(_) => controls.planted.extend(self.planted(at, one)),
                    }
                }
            }
        }
        let passes = judge(controls.again.iter().map(|one| one.estimate));
        for (one, passes) in controls.again.iter_mut().zip(passes) {
            one.passes = passes;
        }
        let recovered = judge(controls.planted.iter().map(|one| one.error));
        for (one, recovered) in controls.planted.iter_mut().zip(recovered) {
            one.recovered = recovered;
        }
        controls
    }

    fn again(&self, at: At<'_>, participant: &Participant, of: &str) -> Option<SelfComparison> {
        Some(SelfComparison {
            experiment: at.experiment.into(),
            level: at.level.into(),
            participant: participant.name.clone(),
            estimate: self.ratio(at, &participant.name, of, METRIC)?,
            passes: false,
        })
    }

    fn planted(&self, at: At<'_>, participant: &Participant) -> Option<PlantedDifference> {
        let control = self.control_without(at, &participant.name);
        let paired = self.paired(at, &participant.name, &control, METRIC).ok()?;
        let measured = super::located(&paired, METRIC);
        let arms: Vec<_> = control
            .iter()
            .filter_map(|arm| self.block_values(at, arm, METRIC).ok())
            .collect();
        let expected = |index: &u32| {
            let blocks = &self.place(at)?.blocks;
            let planted_us = blocks
                .iter()
                .find(|block| block.index == *index)?
                .planted_us?;
            let logs: Vec<f64> = arms
                .iter()
                .filter_map(|arm| Some(arm.get(index)?.ln()))
                .collect();
            Some(1.0 + planted_us / mean(&logs)?.exp())
        };
        let pairs: Vec<(f64, f64)> = measured
            .iter()
            .filter_map(|(index, measured)| Some((*measured, expected(index)?)))
            .collect();
        let errors: Vec<f64> = pairs
            .iter()
            .map(|(measured, expected)| (measured / expected).ln())
            .collect();
        Some(PlantedDifference {
            experiment: at.experiment.into(),
            level: at.level.into(),
            participant: participant.name.clone(),
            expected: mean(
                &pairs
                    .iter()
                    .map(|(_, expected)| *expected)
                    .collect::<Vec<_>>(),
            )?,
            measured: super::estimate(&paired, METRIC)?,
            error: Estimate::from_blocks(&errors, Scale::Ratio)?,
            recovered: false,
        })
    }
}

/// Whether each estimate does not differ from 1 significantly after Holm's correction over all, or lies within the
/// tolerance. Without the correction, one of ten levels with 95 % intervals would fail by chance in four runs of ten.
fn judge(estimates: impl Iterator<Item = Estimate>) -> Vec<bool> {
    let estimates: Vec<Estimate> = estimates.collect();
    let p_values: Vec<f64> = estimates.iter().map(|one| one.p_value(1.0)).collect();
    estimates
        .iter()
        .zip(holm(&p_values))
        .map(|(one, p)| {
            p >= SIGNIFICANCE || one.is_within(1.0 / (1.0 + TOLERANCE), 1.0 + TOLERANCE)
        })
        .collect()
}
