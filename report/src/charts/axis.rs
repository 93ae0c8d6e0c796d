//! Axes: map values to positions.

/// An axis between two positions in a drawing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    is_log: bool,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// A logarithmic axis for positive values; other values are placed at its lower end.
    pub(super) fn log(values: impl Iterator<Item = f64>, (from, to): (f64, f64)) -> Self {
        let (low, high) = reach(values.filter(|value| *value > 0.0)).unwrap_or((0.9, 1.1));
        // Leave room at both ends, and give even a single value an axis.
        let room = (high / low).powf(0.04).max(1.02);
        Axis {
            is_log: true,
            low: low / room,
            high: high * room,
            from,
            to,
        }
    }

    /// A linear axis that includes 0.
    pub(super) fn linear(values: impl Iterator<Item = f64>, (from, to): (f64, f64)) -> Self {
        let (low, high) = reach(values.chain([0.0])).unwrap_or((0.0, 1.0));
        // Give an axis even if all values are 0.
        let high = if high > low { high } else { low + 1.0 };
        let room = (high - low) * 0.04;
        let low = if low < 0.0 { low - room } else { low };
        Axis {
            is_log: false,
            low,
            high: high + room,
            from,
            to,
        }
    }

    /// The position of a value, limited to the axis.
    pub(super) fn position(&self, value: f64) -> f64 {
        let part = if self.is_log {
            (value.max(f64::MIN_POSITIVE) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + part.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Round values within the axis, about `wanted` of them.
    pub(super) fn ticks(&self, wanted: f64) -> Vec<f64> {
        if !self.is_log || self.high / self.low < 5.0 {
            return self.even_ticks(wanted);
        }
        for steps in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]] {
            let ticks = self.log_ticks(steps);
            if ticks.len() as f64 <= wanted * 1.5 {
                return ticks;
            }
        }
        let ticks = self.log_ticks(&[1.0]);
        let every = (ticks.len() as f64 / wanted).ceil().max(1.0);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few"
        )]
        ticks.into_iter().step_by(every as usize).collect()
    }

    fn even_ticks(&self, wanted: f64) -> Vec<f64> {
        let rough = (self.high - self.low) / wanted;
        let decade = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|nice| nice * decade)
            .into_iter()
            .find(|step| *step >= rough);
        let step = step.unwrap_or(decade * 10.0);
        let first = (self.low / step).ceil();
        let ticks = (0..50).map(|number| (first + f64::from(number)) * step);
        ticks
            .take_while(|tick| *tick <= self.high)
            .map(|tick| tick + 0.0)
            .collect()
    }

    fn log_ticks(&self, steps: &[f64]) -> Vec<f64> {
        let mut ticks = Vec::new();
        let mut decade = 10f64.powf(self.low.log10().floor());
        while decade <= self.high && ticks.len() < 200 {
            ticks.extend(steps.iter().map(|step| step * decade));
            decade *= 10.0;
        }
        ticks.retain(|tick| (self.low..=self.high).contains(tick));
        ticks
    }
}

fn reach(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.filter(|value| value.is_finite());
    finite.fold(None, |reach, value| {
        let (low, high) = reach.unwrap_or((value, value));
        Some((value.min(low), value.max(high)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        let near = Axis::log([0.9, 1.3].into_iter(), (0.0, 100.0));
        assert_eq!(near.ticks(5.0).len(), 5, "{:?}", near.ticks(5.0));
        let wide = Axis::log([50.0, 8000.0].into_iter(), (0.0, 100.0));
        assert_eq!(
            wide.ticks(6.0),
            [50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0]
        );
        let shares = Axis::linear([0.0, 1.0].into_iter(), (0.0, 100.0));
        assert_eq!(shares.ticks(5.0).len(), 3, "{:?}", shares.ticks(5.0));
        assert!(shares.ticks(5.0).contains(&0.0));
    }

    #[test]
    fn values_without_a_place_are_put_at_the_end() {
        let axis = Axis::log([1.0, 10.0].into_iter(), (0.0, 100.0));
        assert!((axis.position(0.0) - 0.0).abs() < 1e-9);
        assert!((axis.position(1e9) - 100.0).abs() < 1e-9);
        let empty = Axis::log([].into_iter(), (0.0, 100.0));
        assert!(empty.position(1.0).is_finite());
    }
}
