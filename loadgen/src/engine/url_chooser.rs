//! Chooses the URL of each request by weight: a pure function of the seed and of the request's number on its thread.

use std::sync::Arc;

use crate::rank::Rank;
use crate::schedule::splitmix64;
use crate::workload::WeightedPath;

/// Stream of the seed's random numbers that the choice uses; the schedule uses stream 0.
const STREAM: u64 = 1;

/// Chooses for one thread.
#[derive(Clone, Debug)]
pub(super) struct UrlChooser {
    /// Sum of the weights up to and including each URL; empty where there is one URL.
    sums: Arc<[u64]>,
    seed: u64,
    /// Number of the next request; the threads of all ranks take turns at the numbers.
    number: u64,
    share: Rank,
}

impl UrlChooser {
    /// Chooses among `paths` for the first of one thread.
    pub(super) fn new(paths: &[WeightedPath], seed: u64) -> Self {
        let mut sum = 0;
        let sums = paths.iter().map(|path| {
            sum += u64::from(path.weight);
            sum
        });
        Self {
            sums: sums.collect(),
            seed: splitmix64(seed, STREAM),
            number: 0,
            share: Rank::ONLY,
        }
    }

    /// The same choice for the requests that `share` takes.
    pub(super) fn of_share(&self, share: Rank) -> Self {
        Self {
            share,
            number: share.index(),
            ..self.clone()
        }
    }

    /// Index of the URL of the thread's next request.
    pub(super) fn choose(&mut self) -> u32 {
        let Some(total) = self.sums.last() else {
            return 0;
        };
        let random = splitmix64(self.seed, self.number);
        self.number = self.number.wrapping_add(self.share.count());
        // A number below the sum of all weights (Lemire, "Fast random integer generation in an interval", 2019).
        let point = (u128::from(random) * u128::from(*total)) >> 64;
        let index = self.sums.partition_point(|sum| u128::from(*sum) <= point);
        u32::try_from(index).unwrap_or_else(|_| unreachable!("lists of URLs are short"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chooser(weights: &[u32], seed: u64) -> UrlChooser {
        let path = |weight: &u32| WeightedPath {
            path: "/".to_owned(),
            weight: *weight,
        };
        let paths: Vec<WeightedPath> = weights.iter().map(path).collect();
        UrlChooser::new(&paths, seed)
    }

    #[test]
    fn each_url_gets_its_share_and_no_url_that_is_not_there() {
        let (weights, requests) = ([1, 7, 2], 100_000);
        for seed in [1, 2, u64::MAX] {
            let mut chooser = chooser(&weights, seed);
            let mut counts = [0_u32; 3];
            for _ in 0..requests {
                counts[chooser.choose() as usize] += 1;
            }
            for (count, weight) in counts.into_iter().zip(weights) {
                let expected = f64::from(requests) * f64::from(weight) / 10.0;
                // Five standard deviations of the rarest one are 5 % of its share.
                let ratio = f64::from(count) / expected;
                assert!((0.95..1.05).contains(&ratio), "{counts:?}");
            }
        }
    }

    #[test]
    fn threads_together_make_the_choices_of_one() {
        let whole = chooser(&[3, 1, 1], 7);
        let mut threads: Vec<UrlChooser> =
            Rank::all(3).map(|share| whole.of_share(share)).collect();
        let mut one = whole.clone();
        for number in 0..300 {
            assert_eq!(threads[number % 3].choose(), one.choose(), "{number}");
        }
    }

    #[test]
    fn one_url_needs_no_choice() {
        assert_eq!(chooser(&[], 1).choose(), 0);
    }
}
