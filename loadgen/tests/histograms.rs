//! Percentiles have exact ranks, and shards merge without loss.

use hola_loadgen::{Histograms, percentile_ns};
use proptest::prelude::*;

fn filled(values: &[u64]) -> Histograms {
    let mut histograms = Histograms::new();
    for value in values {
        histograms.response.saturating_record(*value);
    }
    histograms
}

#[test]
fn a_percentile_needs_ten_samples_beyond_it() {
    for (permille, least) in [(500, 20), (900, 100), (990, 1000), (999, 10_000)] {
        let values: Vec<u64> = (1..=least).collect();
        assert!(
            percentile_ns(&filled(&values).response, permille).is_some(),
            "{permille} of {least}"
        );
        let fewer = &values[1..];
        assert_eq!(
            percentile_ns(&filled(fewer).response, permille),
            None,
            "{permille} of {}",
            fewer.len()
        );
    }
}

#[test]
fn percentiles_beyond_the_answered_requests_are_named_as_censored() {
    let mut histograms = filled(&(1..=1000).collect::<Vec<_>>());
    (901..=1000).for_each(|value| histograms.failed.saturating_record(value));
    let response = histograms.latencies().response;
    assert_eq!(response.censored, ["p99", "max"]);
}

#[test]
fn an_encoded_histogram_reads_back_the_same() {
    let histograms = filled(&[1, 2_000, 3_000_000, 4_000_000_000]);
    let text = Histograms::encode(&histograms.response);
    assert_eq!(Histograms::decode(&text).unwrap(), histograms.response);
    assert_eq!(Histograms::decode("not base64"), None);
}

proptest! {
    #[test]
    fn percentiles_match_the_sorted_samples(
        mut values in prop::collection::vec(1_u64..5_000_000_000, 20..2500),
    ) {
        let histograms = filled(&values);
        values.sort_unstable();
        for permille in [500_u64, 900, 990, 999] {
            let count = values.len() as u64;
            let supported = count * (1000 - permille) >= 10_000;
            let seen = percentile_ns(&histograms.response, permille);
            prop_assert_eq!(seen.is_some(), supported);
            if let Some(seen) = seen {
                let rank = (count * permille).div_ceil(1000);
                let exact = values[usize::try_from(rank).unwrap() - 1];
                prop_assert!(seen >= exact && seen - exact <= exact / 1000 + 1, "{} for {}", seen, exact);
            }
        }
    }

    #[test]
    fn merged_shards_equal_the_whole(
        values in prop::collection::vec(1_u64..5_000_000_000, 0..500), cut: prop::sample::Index,
    ) {
        let at = cut.index(values.len() + 1);
        let mut merged = filled(&values[..at]);
        merged.merge(&filled(&values[at..]));
        let whole = filled(&values);
        prop_assert_eq!(merged.latencies(), whole.latencies());
        prop_assert_eq!(merged.response, whole.response);
    }
}
