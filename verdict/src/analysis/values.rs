//! A participant's values at a level, by block and by cycle, and the estimates from them.

use std::collections::BTreeMap;

use hola_lab::metric::{Metric, Scale, ValueSource};
use hola_lab::record::Reading;

use super::missing::{EstimateResult, Missing};
use crate::estimate::{Estimate, computed, shown};
use crate::statistics::{BLOCKS_MIN, pseudo_median};

/// One participant's values at a level, by block and by cycle, on the computation scale.
pub(super) type Values = BTreeMap<u32, BTreeMap<u32, f64>>;

/// A reading's values by cycle, on the computation scale. A value that exists once per block counts as cycle 0.
pub(super) fn cycles(reading: &Reading, metric: Metric) -> BTreeMap<u32, f64> {
    let definition = metric.definition();
    let on_scale =
        |value| Some(computed(value, definition.scale)).filter(|value| value.is_finite());
    let once = |value: Option<f64>| value.map(|value| (0, value)).into_iter().collect();
    match definition.from {
        ValueSource::Slice(figure) => reading
            .counted()
            .filter_map(|slice| Some((slice.cycle, on_scale(figure(slice)?)?)))
            .collect(),
        ValueSource::Block(figure) => once(figure(reading).and_then(on_scale)),
        ValueSource::Procedure => once(reading.figure(metric).and_then(on_scale)),
    }
}

pub(super) fn estimate(values: &Values, metric: Metric) -> EstimateResult {
    let blocks = values
        .values()
        .map(|cycles| cycles.values().copied().collect());
    let blocks: Vec<Vec<f64>> = blocks.collect();
    let found = Estimate::from_cycles(&blocks, metric.definition().scale);
    found.ok_or(Missing::too_few(values.len()))
}

/// Each block's pseudo-median over its cycles, converted by [`shown`].
pub(super) fn located(values: &Values, metric: Metric) -> BTreeMap<u32, f64> {
    let scale = metric.definition().scale;
    let located = |(index, cycles): (&u32, &BTreeMap<u32, f64>)| {
        let cycles: Vec<f64> = cycles.values().copied().collect();
        Some((*index, shown(pseudo_median(&cycles)?, scale)))
    };
    values.iter().filter_map(located).collect()
}

/// An estimate over the blocks that have both values; `combine` returns the block's value on the computation scale.
pub(crate) fn over_blocks(
    left: &BTreeMap<u32, f64>,
    right: &BTreeMap<u32, f64>,
    scale: Scale,
    combine: impl Fn(f64, f64) -> f64,
) -> EstimateResult {
    let both = |(index, left): (&u32, &f64)| Some(combine(*left, *right.get(index)?));
    let mut values: Vec<f64> = left.iter().filter_map(both).collect();
    values.retain(|value| value.is_finite());
    Estimate::from_blocks(&values, scale).ok_or(Missing::too_few(values.len()))
}

pub(super) fn enough(blocks: usize) -> Result<(), Missing> {
    match blocks >= BLOCKS_MIN {
        true => Ok(()),
        false => Err(Missing::too_few(blocks)),
    }
}
