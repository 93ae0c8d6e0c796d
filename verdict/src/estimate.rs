//! An estimate with its interval.

use hola_lab::metric::Scale;

/// A quantity with its 95 % interval, taken over blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The quantity: a ratio, or a value in its metric's unit.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Blocks it is taken over.
    pub blocks: u32,
    /// Standard deviation between blocks: of logarithms on [`Scale::Ratio`], of the values themselves on [`Scale::Plain`].
    pub between_sd: f64,
    /// Standard deviation between the cycles of a block, on the same scale; `None` where a block has one value.
    pub within_sd: Option<f64>,
    /// Scale on which it was computed.
    pub scale: Scale,
}

impl Estimate {
    /// Half of the interval's width: relative on [`Scale::Ratio`] (0.05 is ±5 %), in the metric's unit on [`Scale::Plain`].
    pub fn half_width(&self) -> f64 {
        match self.scale {
            Scale::Ratio => (self.high / self.low).sqrt() - 1.0,
            Scale::Plain => (self.high - self.low) / 2.0,
        }
    }

    /// Whether `value` lies in the interval.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}
