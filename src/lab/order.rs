//! Which trial comes when: every cell of an experiment once per round, in an order shuffled anew in each, so that drift
//! favours no model. A pure function of the plan and the seed, so that an interrupted run can be gone on with.

use hola_loadgen::schedule::splitmix64;

use super::record::{Arm, Design, Level, Run};

/// A trial that is to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Planned<'r> {
    /// Place in the order of the whole run, from 0.
    pub position: u32,
    /// Its experiment: the place in the run.
    pub experiment: usize,
    /// Round, from 0.
    pub round: u32,
    /// Level.
    pub level: &'r Level,
    /// Model.
    pub model: &'r str,
    /// Which copy of the model.
    pub arm: Arm,
}

/// Every trial of a run, in order: experiment after experiment, and within one round after round.
pub fn of(run: &Run) -> Vec<Planned<'_>> {
    let mut order = Vec::new();
    for (experiment, design) in run.experiments.iter().enumerate() {
        for round in 0..design.trials_per_cell {
            let mut cells = cells(design);
            let of_experiment = splitmix64(run.seed, u64::MAX - (1 << 32) - experiment as u64);
            shuffle(
                &mut cells,
                splitmix64(of_experiment, u64::MAX - u64::from(round)),
            );
            order.extend(cells.into_iter().map(|(level, model, arm)| Planned {
                position: 0,
                experiment,
                round,
                level,
                model,
                arm,
            }));
        }
    }
    for (planned, position) in order.iter_mut().zip(0..) {
        planned.position = position;
    }
    order
}

/// The cells of a round; the control has one more, as its own rival (A/A).
pub(super) fn cells(design: &Design) -> Vec<(&Level, &str, Arm)> {
    let mut cells = Vec::new();
    for level in &design.levels {
        for model in design.models_at(level) {
            cells.push((level, model, Arm::Model));
            if model == design.control {
                cells.push((level, model, Arm::Again));
            }
        }
    }
    cells
}

/// Fisher and Yates' shuffle, as Durstenfeld wrote it (Algorithm 235, CACM 1964).
fn shuffle<T>(items: &mut [T], seed: u64) {
    for last in (1..items.len()).rev() {
        // The bias of a remainder is below 2^-50 for so few items.
        let choices = last as u64 + 1;
        let chosen = splitmix64(seed, choices) % choices;
        items.swap(last, usize::try_from(chosen).unwrap_or(last));
    }
}

#[cfg(test)]
mod tests {
    use super::shuffle;

    #[test]
    fn shuffles_every_item_to_every_place_about_equally_often() {
        const SHUFFLES: u64 = 6_000;
        let mut seen = [[0u32; 6]; 6];
        for seed in 0..SHUFFLES {
            let mut items = [0, 1, 2, 3, 4, 5];
            shuffle(&mut items, seed);
            for (place, item) in items.into_iter().enumerate() {
                seen[place][item] += 1;
            }
        }
        // 1,000 expected, standard deviation 29: six of those are never reached by chance.
        assert!(
            seen.iter()
                .flatten()
                .all(|count| (825..1_175).contains(count)),
            "{seen:?}"
        );
    }

    #[test]
    fn shuffles_the_same_way_for_the_same_seed() {
        let shuffled = |seed| {
            let mut items: Vec<u32> = (0..20).collect();
            shuffle(&mut items, seed);
            items
        };
        assert_eq!(shuffled(7), shuffled(7));
        assert_ne!(shuffled(7), shuffled(8));
    }
}
