//! Which percentiles a sample supports, and how histograms are written as text. Claim V11 of `proof.rs` compares percentiles
//! and sums with the sorted samples.

use hola_loadgen::{Histograms, percentile_ns};

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
        for (count, is_enough) in [(least, true), (least - 1, false)] {
            let values: Vec<u64> = (1..=count).collect();
            let percentile = percentile_ns(&filled(&values).response, permille);
            assert_eq!(percentile.is_some(), is_enough, "{permille} of {count}");
        }
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
