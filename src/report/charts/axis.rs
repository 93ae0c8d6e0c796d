//! Scales of axes and the values of their ticks.

/// Room at the start of a log scale for zero, in pixels.
const ZERO_ROOM: f64 = 34.0;

/// Ticks are never more than this, whatever a sum of floats does.
const MOST_TICKS: i32 = 64;

/// Where values lie along a drawing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    /// In proportion.
    Linear(LinearAxis),
    /// By their logarithm; zero, which has none, may have a place of its own before the axis.
    Log { axis: LogAxis, zero: Option<f64> },
}

impl Scale {
    /// A linear scale from 0 to the largest value, from `start` to `end` in pixels.
    pub(super) fn from_zero(values: &[f64], start: f64, end: f64) -> Self {
        Self::Linear(LinearAxis {
            low: 0.0,
            high: finite(values).fold(0.0, f64::max),
            start,
            end,
        })
    }

    /// A log scale that holds all values; linear where none is above zero.
    pub(super) fn log(values: &[f64], start: f64, end: f64) -> Self {
        let positive = || finite(values).filter(|value| *value > 0.0);
        let (Some(low), Some(high)) = (positive().reduce(f64::min), positive().reduce(f64::max))
        else {
            return Self::from_zero(values, start, end);
        };
        let zero = finite(values).any(|value| value <= 0.0).then_some(start);
        let room = zero.map_or(0.0, |_| ZERO_ROOM.copysign(end - start));
        Self::Log {
            axis: LogAxis {
                low: low / 1.15,
                high: high * 1.15,
                start: start + room,
                end,
            },
            zero,
        }
    }

    /// The place of a value; beyond the ends, the end that is nearer.
    pub(super) fn place(&self, value: f64) -> f64 {
        let (start, end, place) = match self {
            Self::Linear(axis) => (axis.start, axis.end, axis.place(value)),
            Self::Log {
                zero: Some(zero), ..
            } if value <= 0.0 => return *zero,
            Self::Log { axis, .. } if value <= 0.0 => return axis.start,
            Self::Log { axis, .. } => (axis.start, axis.end, axis.place(value)),
        };
        place.clamp(start.min(end), start.max(end))
    }

    /// Values to be written along it, about `wanted` of them where it is linear.
    pub(super) fn ticks(&self, wanted: f64) -> Vec<f64> {
        match self {
            Self::Linear(axis) => linear_ticks(axis.low, axis.high, wanted),
            Self::Log { axis, zero } => {
                let zero = zero.map(|_| 0.0);
                zero.into_iter().chain(axis.ticks()).collect()
            }
        }
    }

    /// Where a log scale is broken so that zero has a place.
    pub(super) fn breaks_at(&self) -> Option<f64> {
        match self {
            Self::Log {
                axis,
                zero: Some(zero),
            } => Some((zero + axis.start) / 2.0),
            _ => None,
        }
    }
}

fn finite(values: &[f64]) -> impl Iterator<Item = f64> {
    values.iter().copied().filter(|value| value.is_finite())
}

/// Ticks of a linear axis: round steps, about `wanted` of them.
pub(super) fn linear_ticks(low: f64, high: f64, wanted: f64) -> Vec<f64> {
    let rough = (high - low) / wanted;
    if !rough.is_finite() || rough <= 0.0 {
        return vec![low];
    }
    let decade = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|round| round * decade)
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * decade);
    let first = (low / step).ceil();
    (0..MOST_TICKS)
        .map(|place| (first + f64::from(place)) * step)
        .take_while(|tick| *tick <= high)
        .collect()
}

/// A linear axis: from `low` to `high` in data, from `start` to `end` in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct LinearAxis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) start: f64,
    pub(super) end: f64,
}

impl LinearAxis {
    fn place(&self, value: f64) -> f64 {
        if self.high <= self.low {
            return self.start;
        }
        self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)
    }
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

    /// Decades; where fewer than three fit, round numbers between them, too.
    pub(super) fn ticks(&self) -> Vec<f64> {
        const ROUND: [&[f64]; 3] = [
            &[1.0],
            &[1.0, 2.0, 5.0],
            &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        ];
        let inside = |tick: &f64| (self.low..=self.high).contains(tick);
        for round in ROUND {
            let ticks: Vec<f64> = (-12..18)
                .flat_map(|power| round.iter().map(move |one| one * 10f64.powi(power)))
                .filter(inside)
                .collect();
            if ticks.len() >= 3 {
                return ticks;
            }
        }
        linear_ticks(self.low, self.high, 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(linear_ticks(0.0, 336.0, 5.0), [0.0, 100.0, 200.0, 300.0]);
        assert_eq!(linear_ticks(-12.0, 9.0, 4.0), [-10.0, 0.0]);
        assert_eq!(linear_ticks(0.0, 0.0, 5.0), [0.0]);
    }

    #[test]
    fn ticks_come_to_an_end() {
        let next = f64::from_bits(1e9f64.to_bits() + 1);
        assert!(linear_ticks(1e9, next, 5.0).len() <= 64);
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
        assert_eq!(axis(27.0, 44.0).ticks(), [30.0, 35.0, 40.0]);
        assert_eq!(axis(1.0, 100.0).place(10.0), 50.0);
    }

    #[test]
    fn zero_has_a_place_before_a_log_axis_only_where_there_is_one() {
        let with = Scale::log(&[0.0, 1.0, 1000.0], 0.0, 300.0);
        assert_eq!(with.place(0.0), 0.0);
        assert!(with.place(1.0) > ZERO_ROOM && with.breaks_at().is_some());
        assert_eq!(with.ticks(5.0)[0], 0.0);
        let without = Scale::log(&[1.0, 1000.0], 0.0, 300.0);
        assert!(without.breaks_at().is_none() && without.ticks(5.0)[0] == 1.0);
        let nothing = Scale::log(&[0.0], 0.0, 300.0);
        assert_eq!(nothing.ticks(5.0), [0.0]);
    }

    #[test]
    fn what_is_beyond_a_scale_stays_inside_the_drawing() {
        let scale = Scale::log(&[1.0, 10.0], 300.0, 0.0);
        assert_eq!(scale.place(f64::INFINITY), 0.0);
        assert_eq!(scale.place(0.0), 300.0);
        let linear = Scale::from_zero(&[10.0], 0.0, 100.0);
        assert_eq!(linear.place(20.0), 100.0);
    }
}
