//! The two controls of the method, in every run: the control against itself, and a planted difference of known size.

use hola_lab::metric::{Metric, Scale};
use hola_lab::plan::Role;

use super::{Analysis, LevelKey};
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
    /// The control against itself (A/A), for each level with a second control server.
    pub again: Vec<ControlResult>,
    /// The planted difference, for each level that has one.
    pub planted: Vec<ControlResult>,
}

/// The result of a control at a level.
#[derive(Clone, Debug)]
pub struct ControlResult {
    /// Experiment.
    pub experiment: String,
    /// Level.
    pub level: String,
    /// Expected ratio to the control: 1, or from the planted work the mean over blocks.
    pub expected: f64,
    /// Measured ratio to the control.
    pub measured: Estimate,
    /// Measured over expected, block by block.
    pub error: Estimate,
    /// Whether the two do not differ significantly, or by less than 3 %, after Holm's correction over all levels.
    pub passes: bool,
}

impl Controls {
    /// Whether there is at least one control, and all of them passed.
    pub fn passed(&self) -> bool {
        let mut all = self.again.iter().chain(&self.planted).peekable();
        all.peek().is_some() && all.all(|one| one.passes)
    }
}

impl Analysis<'_> {
    /// The two controls of the method, for every level that has an estimate of them.
    pub fn controls(&self) -> Controls {
        let mut controls = Controls::default();
        for design in &self.run().designs {
            for (stage, level) in design.levels() {
                let at = LevelKey::new(&design.experiment, &level.name);
                let names = level.participants.iter();
                for one in names.filter_map(|name| stage.participant(name)) {
                    match &one.role {
                        Role::Compared => {}
                        Role::Again(of) => controls.again.extend(self.again(at, &one.name, of)),
                        Role::Planted(_) => controls.planted.extend(self.planted(at, &one.name)),
                    }
                }
            }
        }
        judge(&mut controls.again);
        judge(&mut controls.planted);
        controls
    }

    fn again(&self, at: LevelKey<'_>, participant: &str, other: &str) -> Option<ControlResult> {
        let measured = self.ratio(at, participant, other, METRIC).ok()?;
        Some(ControlResult::new(at, 1.0, measured, measured))
    }

    fn planted(&self, at: LevelKey<'_>, participant: &str) -> Option<ControlResult> {
        let control = self.control_without(at, participant).into_iter();
        let costs = control.filter_map(|name| self.block_values(at, name, METRIC).ok());
        let costs: Vec<_> = costs.collect();
        let expected = |index: u32| {
            let mut blocks = self.records(at)?.blocks.iter();
            let planted_us = blocks.find(|block| block.index == index)?.planted_us?;
            let costs = costs.iter().filter_map(|costs| costs.get(&index));
            let logs: Vec<f64> = costs.map(|cost| cost.ln()).collect();
            Some(1.0 + planted_us / mean(&logs)?.exp())
        };
        let measured = self.to_control_by_block(at, participant, METRIC).ok()?;
        let pairs = measured.into_iter().filter_map(|(index, measured)| {
            let expected = expected(index)?;
            Some((expected, (measured / expected).ln()))
        });
        let (expected, errors): (Vec<f64>, Vec<f64>) = pairs.unzip();
        Some(ControlResult::new(
            at,
            mean(&expected)?,
            self.to_control(at, participant, METRIC).ok()?,
            Estimate::from_blocks(&errors, Scale::Ratio)?,
        ))
    }
}

impl ControlResult {
    /// A result that is not judged yet.
    fn new(at: LevelKey<'_>, expected: f64, measured: Estimate, error: Estimate) -> Self {
        ControlResult {
            experiment: at.experiment.into(),
            level: at.level.into(),
            expected,
            measured,
            error,
            passes: false,
        }
    }
}

/// Whether each error does not differ from 1 significantly after Holm's correction over all, or lies within the
/// tolerance. Without the correction, one of ten levels with 95 % intervals would fail by chance in four runs of ten.
fn judge(results: &mut [ControlResult]) {
    let p_values: Vec<f64> = results.iter().map(|one| one.error.p_value(1.0)).collect();
    for (one, p_value) in results.iter_mut().zip(holm(&p_values)) {
        one.passes = p_value >= SIGNIFICANCE
            || one
                .error
                .is_within(1.0 / (1.0 + TOLERANCE), 1.0 + TOLERANCE);
    }
}
