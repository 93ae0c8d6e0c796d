//! Two distributions drawn beside each other in a terminal.

use hdrhistogram::Histogram;

use super::time;
use crate::histograms::Histograms;

/// Most bins, so that a drawing fits beside its tables on a screen.
const BINS_MAX: usize = 18;

/// Longest bar, in columns; with two of them and their labels a line stays below 100.
const BAR: usize = 28;

/// Bins per factor of ten, from fine to coarse; with 24, two digits still distinguish the edges.
const PER_DECADE: [u32; 6] = [24, 12, 6, 3, 2, 1];

/// Blocks of one to seven eighths of a column.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Response and service times in logarithmic bins on one scale: lower edge, and a bar with its share of each; none if
/// there are no samples.
#[allow(clippy::cast_precision_loss)] // an hour of nanoseconds is exact in a double
pub(super) fn bins(histograms: &Histograms) -> Vec<[String; 5]> {
    let [response, service] = [&histograms.response, &histograms.service];
    if response.is_empty() {
        return Vec::new();
    }
    let edges = edges(
        response.min().min(service.min()),
        response.max().max(service.max()),
    );
    let [response, service] = [response, service].map(|histogram| shares(histogram, &edges));
    let most = response.iter().chain(&service).copied().fold(0.0, f64::max);
    let bin = |(edge, (response, service)): (&u64, (&f64, &f64))| {
        [
            time(*edge as f64 / 1e3),
            bar(response / most),
            percent(*response),
            bar(service / most),
            percent(*service),
        ]
    };
    let shares = response.iter().zip(&service);
    edges.iter().zip(shares).map(bin).collect()
}

/// A share in percent; a small share is distinguished from zero.
fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => String::new(),
        percent if percent < 0.01 => "<0.01 %".to_owned(),
        percent => format!("{percent:.2} %"),
    }
}

/// A bar of `share` of the longest one; any share above zero is visible.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of 8·BAR
#[allow(clippy::cast_precision_loss)]
fn bar(share: f64) -> String {
    if share <= 0.0 {
        return String::new();
    }
    let eighths = ((share * (8 * BAR) as f64).round() as usize).clamp(1, 8 * BAR);
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// Edges, of two digits each, of the finest logarithmic bins that hold `min..=max` nanoseconds and are at most
/// [`BINS_MAX`]; the coarsest always are.
fn edges(min: u64, max: u64) -> Vec<u64> {
    let mut candidates = PER_DECADE
        .map(|per_decade| edges_of(per_decade, min, max.max(1)))
        .into_iter();
    let few_enough = |edges: &Vec<u64>| edges.len() <= BINS_MAX + 1;
    candidates.find(few_enough).unwrap_or_default()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // rounded, positive and below 10^14
fn edges_of(per_decade: u32, min: u64, max: u64) -> Vec<u64> {
    let edge = |index: u32| {
        let exact = 10_f64.powf(f64::from(index) / f64::from(per_decade));
        let digit = 10_f64.powi(exact.log10().floor() as i32 - 1).max(1.0);
        ((exact / digit).round() * digit) as u64
    };
    let mut edges: Vec<u64> = (0..14 * per_decade).map(edge).collect();
    edges.dedup();
    let first = edges.partition_point(|edge| *edge <= min).saturating_sub(1);
    let last = edges.partition_point(|edge| *edge <= max);
    edges[first..=last.min(edges.len() - 1)].to_vec()
}

/// Share of the samples in each bin.
#[allow(clippy::cast_precision_loss)] // counts stay far below 2^53
fn shares(histogram: &Histogram<u64>, edges: &[u64]) -> Vec<f64> {
    let mut counts = vec![0_u64; edges.len() - 1];
    for step in histogram.iter_recorded() {
        let value = histogram.lowest_equivalent(step.value_iterated_to());
        let bin = edges.partition_point(|edge| *edge <= value);
        counts[bin.clamp(1, edges.len() - 1) - 1] += step.count_since_last_iteration();
    }
    let total = histogram.len().max(1) as f64;
    counts.iter().map(|count| *count as f64 / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histograms(responses_us: &[u64]) -> Histograms {
        let mut histograms = Histograms::new();
        for us in responses_us {
            histograms.response.record(us * 1000).unwrap();
            histograms.service.record(us * 500).unwrap();
        }
        histograms
    }

    #[test]
    fn bins_hold_every_sample_once() {
        for samples in [
            vec![1],
            vec![100; 7],
            (1..2000).collect(),
            vec![1, 3_600_000_000],
            (1000..1100).collect(),
        ] {
            let histograms = histograms(&samples);
            let edges = edges(histograms.service.min(), histograms.response.max());
            assert!(edges.len() <= BINS_MAX + 1, "{edges:?}");
            assert!(edges.is_sorted_by(|a, b| a < b), "{edges:?}");
            assert!(*edges.last().unwrap() > histograms.response.max());
            for histogram in [&histograms.response, &histograms.service] {
                assert!((shares(histogram, &edges).iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_rare_sample_can_be_seen() {
        assert_eq!(bar(1e-9), "▏");
        assert_eq!(bar(1.0).chars().count(), BAR);
        assert_eq!(bar(0.0), "");
        assert_eq!(percent(1e-6), "<0.01 %");
    }
}
