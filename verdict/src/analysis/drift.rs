//! Takes the machine's drift out of the slices of a block.
//!
//! The speed of a machine changes within a tenth of a second, and many participants lie between a participant's slice
//! and its control's. What the slices just before and just after a slice have in common, beyond what their participants
//! cost anyway, is the drift of that moment. It is subtracted, as trends are in a field trial whose plots have neighbours
//! (Papadakis, "Méthode statistique pour des expériences sur champ", 1937). The slice itself is not used, so the estimate
//! of its drift is independent of its own noise.

use std::collections::BTreeMap;

use super::values::Values;
use crate::statistics::{median, pseudo_median};

/// Slices on each side that tell the drift of a slice. More would lie too far away: the correlation is gone after half
/// a second.
const NEIGHBOURS: usize = 2;
/// Fewest participants: with fewer, the neighbours would be the control itself and little else.
pub(super) const PARTICIPANTS_MIN: usize = 6;
/// The costs of participants and the drift depend on each other. More rounds change nothing.
const ROUNDS: u32 = 2;

/// The values of all participants without the drift. `orders` has the order of the participants in each cycle of a
/// block.
pub(super) fn without_drift(
    values: &[Values],
    orders: impl Fn(u32) -> Vec<Vec<usize>>,
) -> Vec<Values> {
    let mut steady = values.to_vec();
    let mut blocks: Vec<u32> = values.iter().flat_map(BTreeMap::keys).copied().collect();
    blocks.sort_unstable();
    blocks.dedup();
    for block in blocks {
        let of_block = |values: &Values| values.get(&block).cloned().unwrap_or_default();
        let cycles: Vec<Cycles> = values.iter().map(of_block).collect();
        let without = without_drift_of_block(&cycles, &orders(block));
        for (all, own) in steady.iter_mut().zip(without) {
            all.entry(block).and_modify(|cycles| *cycles = own);
        }
    }
    steady
}

/// A participant's values in a block, by cycle.
type Cycles = BTreeMap<u32, f64>;

fn without_drift_of_block(values: &[Cycles], orders: &[Vec<usize>]) -> Vec<Cycles> {
    let of_cycles = |cycles: &Cycles| cycles.values().copied().collect::<Vec<f64>>();
    let mut steady = values.to_vec();
    let mut costs: Vec<Option<f64>> = values.iter().map(|own| median(&of_cycles(own))).collect();
    for _ in 0..ROUNDS {
        for (cycle, order) in (0..).zip(orders) {
            let slice = |&participant: &usize| {
                let value = *values.get(participant)?.get(&cycle)?;
                Some((participant, value, value - costs[participant]?))
            };
            let slices: Vec<(usize, f64, f64)> = order.iter().filter_map(slice).collect();
            for (place, (participant, value, _)) in slices.iter().enumerate() {
                let first = place.saturating_sub(NEIGHBOURS);
                let near = slices.iter().enumerate().skip(first);
                let near = near.take_while(|(other, _)| *other <= place + NEIGHBOURS);
                let near = near.filter(|(other, _)| *other != place);
                let beyond: Vec<f64> = near.map(|(_, (_, _, beyond))| *beyond).collect();
                if let Some(drift) = median(&beyond) {
                    steady[*participant].insert(cycle, value - drift);
                }
            }
        }
        costs = steady
            .iter()
            .map(|own| pseudo_median(&of_cycles(own)))
            .collect();
    }
    steady
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_neighbours_have_in_common_is_gone_and_what_participants_cost_stays() {
        // Eight participants, each with a cost of its own; the machine becomes slower and slower.
        let orders: Vec<Vec<usize>> = (0..6)
            .map(|cycle| (0..8).map(|place| (place * 3 + cycle) % 8).collect())
            .collect();
        let mut values = vec![Values::new(); 8];
        for (cycle, order) in (0..).zip(&orders) {
            for (place, &participant) in order.iter().enumerate() {
                let drift = 0.02 * f64::from(cycle * 8) + 0.02 * place as f64;
                let value = participant as f64 + drift;
                values[participant]
                    .entry(7)
                    .or_default()
                    .insert(cycle, value);
            }
        }
        let steady = without_drift(&values, |_| orders.clone());
        let mean = |values: &Values| values[&7].values().sum::<f64>() / 6.0;
        let spread = |values: &Values| {
            let own = values[&7].values().copied();
            own.clone().fold(f64::MIN, f64::max) - own.fold(f64::MAX, f64::min)
        };
        for participant in 1..8 {
            let cost = mean(&steady[participant]) - mean(&steady[0]);
            assert!(
                (cost - participant as f64).abs() < 0.05,
                "{participant}: {cost}"
            );
            assert!(spread(&steady[participant]) < spread(&values[participant]) / 3.0);
        }
    }

    #[test]
    fn a_participant_that_has_died_leaves_no_gap() {
        let orders = vec![vec![0, 1, 2, 3, 4, 5, 6]; 4];
        let own =
            |cycles: u32| Values::from([(0, (0..cycles).map(|cycle| (cycle, 1.0)).collect())]);
        let mut values = vec![own(4); 7];
        values[3] = own(2);
        let steady = without_drift(&values, |_| orders.clone());
        assert_eq!(steady, values);
    }
}
