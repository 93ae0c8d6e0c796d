//! V11: percentiles are order statistics, and shards merge without loss.

use hola_loadgen::schedule::splitmix64;
use hola_loadgen::{Histograms, percentile_ns};

use super::{Finding, Scale};

pub(crate) fn ranks_and_merges(scale: Scale) -> Finding {
    let mut finding = Finding::default();
    let cases = scale.pick(20, 500);
    let mut compared = 0;
    for case in 0..cases {
        let count = 20 + splitmix64(case, 0) % 20_000;
        let mut values: Vec<u64> = (1..=count)
            .map(|index| {
                1 + splitmix64(case, index)
                    % 10_u64.pow(2 + u32::try_from(case % 8).expect("small"))
            })
            .collect();
        let mut shards: Vec<Histograms> = (0..4).map(|_| Histograms::new()).collect();
        let mut whole = Histograms::new();
        for (index, value) in values.iter().enumerate() {
            for target in [&mut whole, &mut shards[index % 4]] {
                enter(target, *value);
            }
        }
        let mut merged = Histograms::new();
        shards.iter().for_each(|shard| merged.merge(shard));
        finding.require(merged == whole, format!("case {case}: merge differs"));
        values.sort_unstable();
        for permille in [500, 900, 985, 990, 995, 999] {
            let seen = percentile_ns(&whole.response, permille);
            let supported = count * (1000 - permille) >= 10_000;
            let rank = usize::try_from((count * permille).div_ceil(1000)).expect("few");
            let exact = values[rank - 1];
            // Three digits: at most 0.1 % above.
            let right = seen.is_some_and(|seen| seen >= exact && seen - exact <= exact / 1000 + 1);
            finding.require(
                seen.is_some() == supported && (right || !supported),
                format!("case {case}, {permille} ‰ of {count}: {seen:?} for {exact}"),
            );
            compared += 1;
        }
    }
    finding.note(format!("{compared} percentiles, {cases} merges"));
    finding
}

/// Records a sample in every distribution, in each with a different value.
fn enter(histograms: &mut Histograms, value: u64) {
    histograms.response.saturating_record(value);
    histograms.service.saturating_record(value / 2 + 1);
    histograms.connect.saturating_record(value / 3 + 1);
    histograms.first_byte.saturating_record(value / 5 + 1);
    histograms.lag.saturating_record(value / 7 + 1);
    if value.is_multiple_of(10) {
        histograms.failed.saturating_record(value);
    }
}
