//! Synthetic evidence: known truths, seen through the noise of a shared machine.

use hola::analysis::bootstrap::ratio_interval;
use hola::analysis::sample::Observation;
use hola::claims::evidence::{Cell, Evidence};
use hola_loadgen::schedule::splitmix64;

/// Spread of the trials of a cell, as the standard deviation of the logarithm.
const TRIAL_NOISE: f64 = 0.1;
/// Spread of what a round does to all models alike.
const ROUND_NOISE: f64 = 0.2;

/// A world to take evidence from.
pub struct Scene {
    /// Seed of all noise.
    seed: u64,
    /// Numbers drawn so far.
    draws: u64,
    /// What each round does to everybody.
    moods: Vec<f64>,
    /// What is known of this world.
    pub evidence: Evidence,
}

impl Scene {
    /// A world of that many rounds.
    pub fn new(seed: u64, rounds: u32) -> Self {
        let mut scene = Scene {
            seed: splitmix64(seed, 7),
            draws: 0,
            moods: Vec::new(),
            evidence: Evidence::new(seed),
        };
        scene.moods = (0..rounds).map(|_| scene.factor(ROUND_NOISE)).collect();
        scene
    }

    /// A log-normal factor around 1 (Box–Muller).
    fn factor(&mut self, spread: f64) -> f64 {
        let mut uniform = || {
            self.draws += 1;
            (splitmix64(self.seed, self.draws) >> 11) as f64 / (1u64 << 53) as f64
        };
        let radius = (-2.0 * (1.0 - uniform()).ln()).sqrt();
        (spread * radius * (std::f64::consts::TAU * uniform()).cos()).exp()
    }

    fn trials(&mut self, truth: f64) -> Vec<Observation> {
        let moods = self.moods.clone();
        let mut all = Vec::new();
        for (round, mood) in (0..).zip(moods) {
            let value = truth * mood * self.factor(TRIAL_NOISE);
            all.push(Observation { round, value });
        }
        all
    }

    /// Measures a figure of every model at every level.
    pub fn measure(
        &mut self,
        experiment: &str,
        figure: &str,
        levels: &[&str],
        truths: &[(&str, &[f64])],
    ) {
        let models: Vec<&str> = truths.iter().map(|(model, _)| *model).collect();
        self.evidence.plan(experiment, levels, &models);
        for (place, level) in levels.iter().enumerate() {
            for (model, truth) in truths {
                let seen = self.trials(truth[place]);
                self.evidence
                    .observe(Cell::new(experiment, level, model), figure, seen);
            }
        }
    }

    /// Measures one model twice at every level, as if it were two: how far apart the two may be is the noise floor.
    pub fn measure_floor(&mut self, experiment: &str, figure: &str, levels: &[&str]) {
        for level in levels {
            let (once, again) = (self.trials(1.0), self.trials(1.0));
            let bounds = ratio_interval(&again, &once, self.seed).expect("trials enough");
            let floor = bounds.high.max(1.0 / bounds.low);
            self.evidence.floor(experiment, level, figure, floor);
        }
    }
}
