//! Response-time distributions of a cell: its trials' histograms added up. Percentiles are never averaged.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

use super::cells::{Cell, Taken};

/// Samples that must lie beyond a percentile for it to be shown.
const SAMPLES_BEYOND: f64 = 10.0;

/// Points per decade of a percentile curve: closer than the eye can tell at any width of the chart.
const POINTS_PER_DECADE: i32 = 12;

/// Response times of a cell's valid trials together.
#[derive(Clone, Debug)]
pub struct Distribution {
    histogram: Histogram<u64>,
    /// Trials whose histogram could not be read and is missing here.
    pub unreadable: usize,
}

/// One point of a percentile curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// One request in this many was slower: 1/(1−q), from 2.
    pub one_in: f64,
    /// Response time of percentile q, in microseconds.
    pub response_us: f64,
}

impl Distribution {
    /// Adds up the histograms of a cell; `None` when it holds no sample.
    pub fn of<'a>(cell: &Cell<'a>) -> Option<Self> {
        if cell.is_generator_bound() {
            return None;
        }
        let mut pooled: Option<Histogram<u64>> = None;
        let mut unreadable = 0;
        let texts = |taken: &Taken<'a>| taken.measured.response_histogram.as_deref();
        for text in cell.valid.iter().filter_map(texts) {
            let Some(histogram) = decode(text) else {
                unreadable += 1;
                continue;
            };
            match &mut pooled {
                None => {
                    let mut first = histogram;
                    // Trials may have been recorded with other bounds; the sum takes whatever comes.
                    first.auto(true);
                    pooled = Some(first);
                }
                Some(sum) => unreadable += usize::from(sum.add(&histogram).is_err()),
            }
        }
        let histogram = pooled.filter(|sum| !sum.is_empty())?;
        Some(Self {
            histogram,
            unreadable,
        })
    }

    /// Samples in the distribution.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// Response time at quantile `share` (0…1), in microseconds; `None` where fewer than ten samples lie beyond it.
    pub fn quantile_us(&self, share: f64) -> Option<f64> {
        let beyond = self.count() as f64 * (1.0 - share);
        // The product of a round share and a round count may fall short of ten by a rounding error.
        let supported = beyond + 1e-6 >= SAMPLES_BEYOND;
        supported.then(|| self.histogram.value_at_quantile(share) as f64 / 1e3)
    }

    /// The curve from the median to the last percentile that ten samples support, evenly spaced on a log axis.
    pub fn curve(&self) -> Vec<CurvePoint> {
        const MEDIAN: f64 = 2.0;
        let steps = (0..).map(|step| 10f64.powf(f64::from(step) / f64::from(POINTS_PER_DECADE)));
        std::iter::once(MEDIAN)
            .chain(steps.skip_while(|one_in| *one_in <= MEDIAN))
            .map_while(|one_in| {
                let response_us = self.quantile_us(1.0 - 1.0 / one_in)?;
                Some(CurvePoint {
                    one_in,
                    response_us,
                })
            })
            .collect()
    }
}

/// Reads a histogram as trials record it: HdrHistogram V2, deflated, in base64, in nanoseconds.
fn decode(text: &str) -> Option<Histogram<u64>> {
    let bytes = STANDARD.decode(text.trim()).ok()?;
    Deserializer::new().deserialize(&mut bytes.as_slice()).ok()
}
