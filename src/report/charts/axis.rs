//! Scales of axes and their ticks.

/// Ticks of a linear axis from 0: round steps, about `wanted` of them, up to `largest`.
pub(super) fn linear_ticks(largest: f64, wanted: f64) -> Vec<f64> {
    let rough = largest / wanted;
    if !rough.is_finite() || rough <= 0.0 {
        return vec![0.0];
    }
    let decade = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|round| round * decade)
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * decade);
    (0..)
        .map(|place| f64::from(place) * step)
        .take_while(|tick| *tick <= largest)
        .collect()
}

/// A logarithmic axis: from `low` to `high` in data, from `start` to `end` in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogAxis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) start: f64,
    pub(super) end: f64,
}

impl LogAxis {
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = (value / self.low).ln() / (self.high / self.low).ln();
        self.start + share * (self.end - self.start)
    }

    /// Decades; where fewer than three fit, their doubles and fivefolds too.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let inside = |tick: &f64| (self.low..=self.high).contains(tick);
        // From a nanosecond to weeks, in microseconds.
        let decades = (-3..13).map(|power| 10f64.powi(power));
        let whole: Vec<f64> = decades.clone().filter(inside).collect();
        if whole.len() >= 3 {
            return whole;
        }
        decades
            .flat_map(|decade| [decade, 2.0 * decade, 5.0 * decade])
            .filter(inside)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(linear_ticks(336.0, 5.0), [0.0, 100.0, 200.0, 300.0]);
        assert_eq!(linear_ticks(0.0, 5.0), [0.0]);
    }

    #[test]
    fn a_short_log_axis_has_finer_ticks() {
        let axis = |low, high| LogAxis {
            low,
            high,
            start: 0.0,
            end: 100.0,
        };
        assert_eq!(axis(150.0, 2500.0).ticks(), [200.0, 500.0, 1000.0, 2000.0]);
        assert_eq!(axis(90.0, 11_000.0).ticks(), [100.0, 1000.0, 10_000.0]);
        assert_eq!(axis(1.0, 100.0).place(10.0), 50.0);
    }
}
