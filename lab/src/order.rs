//! The random order of the participants in each cycle of a block. It follows from the seed of the run.

use hola_loadgen::schedule::splitmix64;

use crate::plan::{Level, Stage};

/// The order of the participants of a level in each cycle of block `index`, as places in [`Level::participants`].
pub fn orders(
    seed: u64,
    experiment: &str,
    stage: &Stage,
    level: &Level,
    index: u32,
) -> Vec<Vec<usize>> {
    let mut numbered = stage.levels.iter().zip(1..);
    let number = numbered.find(|(one, _)| one.name == level.name);
    let number = number.map_or(0, |(_, number)| number);
    let seed = splitmix64(block_seed(seed, experiment, stage, index), number);
    orders_of(level, seed).collect()
}

/// The same with the seed of the level.
pub(crate) fn orders_of(level: &Level, seed: u64) -> impl Iterator<Item = Vec<usize>> {
    let mut order: Vec<usize> = (0..level.participants.len()).collect();
    (0..level.cycles).map(move |cycle| {
        shuffle(&mut order, splitmix64(seed, u64::from(cycle)));
        order.clone()
    })
}

/// The seed of a block; it does not depend on the blocks made before.
pub(crate) fn block_seed(seed: u64, experiment: &str, stage: &Stage, index: u32) -> u64 {
    let name = format!("{experiment}/{}", stage.name);
    let mix = |seed, byte: u8| splitmix64(seed, byte.into());
    splitmix64(name.bytes().fold(seed, mix), index.into())
}

/// Fisher and Yates' shuffle, as Durstenfeld wrote it (Algorithm 235, CACM 1964).
pub(crate) fn shuffle<T>(items: &mut [T], seed: u64) {
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
        // 1,000 expected, standard deviation 29: chance never reaches six standard deviations.
        assert!(
            seen.iter()
                .flatten()
                .all(|count| (825..1_175).contains(count)),
            "{seen:?}"
        );
    }
}
