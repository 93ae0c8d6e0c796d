//! When requests are meant to be sent: a pure function of the seed and the request's index, in integer nanoseconds.
//!
//! There is one schedule for the whole load. Each process of it, and each worker thread of a process, takes every n-th
//! index. So the union over them is exactly the requested arrival process, and not n shifted copies of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rank::Rank;

/// Arrival process of an open loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Arrivals {
    /// Exponential gaps: independent clients.
    Poisson,
    /// Equal gaps.
    Constant,
}

/// Intended instants of an open loop, in nanoseconds from the start of the run.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    arrivals: Arrivals,
    rate_per_s: f64,
    seed: u64,
    ramp_ns: u64,
    rank: Rank,
}

/// The rate of constant arrivals is kept in millionths, so that instant i is an exact integer quotient.
const RATE_UNITS_PER_S: f64 = 1e6;

impl Schedule {
    /// A schedule of `rate_per_s` arrivals per second on average.
    pub fn new(arrivals: Arrivals, rate_per_s: f64, seed: u64) -> Self {
        Self {
            arrivals,
            rate_per_s,
            seed,
            ramp_ns: 0,
            rank: Rank::ONLY,
        }
    }

    /// The same schedule with a rate that first rises linearly from zero, for `ramp_ns`.
    ///
    /// A change of time: the ramped schedule has as many instants before `t` as the other has before the area under the
    /// relative rate up to `t`. This keeps the shape of the arrivals (Çinlar, "Introduction to Stochastic Processes",
    /// 1975, §4.7).
    pub fn ramped(mut self, ramp_ns: u64) -> Self {
        self.ramp_ns = ramp_ns;
        self
    }

    /// The part of this schedule that belongs to `rank`: every `rank.count()`-th instant, from that with index
    /// `rank.index()` on.
    pub fn share(mut self, rank: Rank) -> Self {
        self.rank = self.rank.divided(rank);
        self
    }

    /// Maps an instant without a ramp to the one with it: inverts the area t²/(2·ramp) under the rising rate.
    fn stretched(&self, at_ns: u64) -> u64 {
        if at_ns >= self.ramp_ns / 2 {
            return at_ns.saturating_add(self.ramp_ns / 2);
        }
        let square = 2 * u128::from(at_ns) * u128::from(self.ramp_ns);
        u64::try_from(square.isqrt()).unwrap_or(u64::MAX)
    }

    /// All instants, in order, without end.
    pub fn instants(self) -> Instants {
        let mut instants = Instants {
            schedule: self,
            index: 0,
            at_ns: self.gap_ns(0),
        };
        instants.advance(self.rank.index());
        instants
    }

    /// Number of instants in `from_ns..to_ns`.
    pub fn count(self, from_ns: u64, to_ns: u64) -> u64 {
        if self.arrivals == Arrivals::Constant && self.ramp_ns == 0 {
            let [from, to] = [from_ns, to_ns].map(|ns| self.rank.share(self.constant_before(ns)));
            return to.saturating_sub(from);
        }
        let window = self
            .instants()
            .skip_while(|at| *at < from_ns)
            .take_while(|at| *at < to_ns);
        u64::try_from(window.count()).unwrap_or(u64::MAX)
    }

    /// The instant just after the `count`-th one at or after `from_ns`: the end of a window that holds `count` of them.
    pub fn end_of(self, from_ns: u64, count: u64) -> u64 {
        let last = usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
        let mut window = self.instants().skip_while(|at| *at < from_ns);
        window.nth(last).map_or(u64::MAX, |at| at.saturating_add(1))
    }

    /// Mean gap, in nanoseconds.
    pub fn mean_gap_ns(&self) -> f64 {
        1e9 / self.rate_per_s
    }

    /// Gap before arrival `index`; arrival 0 of a constant schedule is at the origin.
    fn gap_ns(&self, index: u64) -> u64 {
        match self.arrivals {
            Arrivals::Constant => {
                let before = index.checked_sub(1);
                self.constant_ns(index) - before.map_or(0, |before| self.constant_ns(before))
            }
            // Two instants never coincide: otherwise a window that ends just after one of them would hold both.
            Arrivals::Poisson => {
                round_ns(-(-uniform(self.seed, index)).ln_1p() / self.rate_per_s * 1e9).max(1)
            }
        }
    }

    /// Instant `index` of a constant schedule: a quotient, so that rounding errors do not add up.
    fn constant_ns(&self, index: u64) -> u64 {
        let ns = u128::from(index) * 1_000_000_000_000_000 / self.rate_units();
        u64::try_from(ns).unwrap_or(u64::MAX)
    }

    /// How many instants of a whole constant schedule are before `ns`.
    fn constant_before(&self, ns: u64) -> u64 {
        // index·c/r < ns in integer division is index·c < ns·r.
        let count = (u128::from(ns) * self.rate_units()).div_ceil(1_000_000_000_000_000);
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    fn rate_units(&self) -> u128 {
        u128::from(round_ns(self.rate_per_s * RATE_UNITS_PER_S).max(1))
    }
}

/// The instants of a [`Schedule`], or of a share of one.
#[derive(Clone, Debug)]
pub struct Instants {
    schedule: Schedule,
    index: u64,
    /// The next instant, without a ramp.
    at_ns: u64,
}

impl Instants {
    /// Next instant, without consuming it.
    pub fn peek(&self) -> u64 {
        self.schedule.stretched(self.at_ns)
    }

    /// Index of the next instant in the whole schedule.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Skips `steps` arrivals of the whole schedule. Gaps are integers, so every share has the same instants.
    fn advance(&mut self, steps: u64) {
        for _ in 0..steps {
            self.index += 1;
            self.at_ns = self.at_ns.saturating_add(self.schedule.gap_ns(self.index));
        }
    }
}

impl Iterator for Instants {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let at_ns = self.peek();
        self.advance(self.schedule.rank.count());
        Some(at_ns)
    }
}

/// Uniform number in [0, 1) for `index`: 53 bits of a counter-based generator.
#[allow(clippy::cast_precision_loss)] // 53 bits are exactly what a double holds
fn uniform(seed: u64, index: u64) -> f64 {
    // The seed is mixed first, because users choose small and consecutive seeds.
    (splitmix64(splitmix64(seed, 0), index) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Output `index` of SplitMix64 started at `seed`.
///
/// Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; constants of its Java edition.
pub fn splitmix64(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Rounds to whole nanoseconds. The float-to-integer `as` saturates, so an instant out of range becomes the largest
/// one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn round_ns(ns: f64) -> u64 {
    ns.round() as u64
}

#[cfg(test)]
mod tests {
    use super::splitmix64;

    #[test]
    fn generator_gives_the_published_reference_values() {
        // First outputs for seed 1234567 of the reference implementation at prng.di.unimi.it.
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        for (index, value) in (0..).zip(published) {
            assert_eq!(splitmix64(1_234_567, index), value);
        }
    }
}
