//! Seeded noise, and histograms made of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};

/// Response times spread around a median, farther above than below.
pub(crate) fn histogram(median_us: f64, noise: &mut Noise) -> String {
    const SAMPLES: usize = 4_000;
    let samples: Vec<u64> = (0..SAMPLES)
        .map(|_| whole(median_us * 1e3 * noise.factor(0.2) * noise.factor(0.2)))
        .collect();
    histogram_of(&samples)
}

pub(crate) fn histogram_of(samples_ns: &[u64]) -> String {
    let mut histogram: Histogram<u64> = Histogram::new(3).expect("three digits");
    for &sample in samples_ns {
        histogram.record(sample).expect("it resizes itself");
    }
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(&histogram, &mut bytes)
        .expect("a Vec takes all");
    STANDARD.encode(bytes)
}

pub(crate) fn whole(value: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive figures below 2⁵³"
    )]
    let whole = value as u64;
    whole
}

/// Seeded noise: Steele, Lea & Flood's SplitMix64 and the sum of twelve uniform values.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    /// A factor around 1 with a relative standard deviation; never near 0.
    pub(crate) fn factor(&mut self, deviation: f64) -> f64 {
        (1.0 + deviation * self.normal()).max(0.05)
    }

    /// Nearly normal, mean 0, standard deviation 1: without functions whose last digit differs between machines.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
