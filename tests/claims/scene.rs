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
    pub seed: u64,
    /// Trials of each cell.
    pub rounds: u32,
    draws: u64,
    /// What each round does to everybody.
    moods: Vec<f64>,
    pub evidence: Evidence,
}

impl Scene {
    pub fn new(seed: u64, rounds: u32) -> Self {
        let mut scene = Scene {
            seed: splitmix64(seed, 7),
            rounds,
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

    /// Measures a figure of every model at every level, and one model twice at each for the noise floor.
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
            let mut floor = 1.0;
            for (number, (model, truth)) in truths.iter().enumerate() {
                let seen = self.trials(truth[place]);
                if number == 0 {
                    let again = self.trials(truth[place]);
                    let bounds = ratio_interval(&again, &seen, self.seed);
                    floor = bounds.map_or(1.0, |bounds| bounds.high.max(1.0 / bounds.low));
                }
                self.evidence
                    .observe(Cell::new(experiment, level, model), figure, seen);
            }
            self.evidence.floor(experiment, level, figure, floor);
        }
    }
}
