//! Response times over time: the measured window is divided into equal time slices, each with a coarse histogram.

use hdrhistogram::Histogram;

use crate::request::RequestTimes;

/// Number of time slices: enough to show a trend, few enough that each one supports a percentile.
pub(crate) const SLICES: usize = 20;

/// Shortest window that is divided. In less than 2 s (slices of 0.1 s) the machine drifts and not the server, and
/// repeated trials account for that.
pub(crate) const WINDOW_LEAST_NS: u64 = 2_000_000_000;

/// Two significant digits show a trend; a microsecond to a minute keeps a slice at 20 KiB.
const DIGITS: u8 = 2;
const SHORTEST_NS: u64 = 1_000;
const LONGEST_NS: u64 = 60_000_000_000;

/// The time slices of one worker, allocated at their final size before the first request. None if the window is not
/// divided.
#[derive(Debug, Default)]
pub(crate) struct TimeSlices {
    open_ns: u64,
    slice_ns: u64,
    by: SliceKey,
    responses: Vec<Histogram<u64>>,
}

/// Which instant of a request selects its time slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SliceKey {
    /// When it ended (closed loop).
    #[default]
    Ended,
    /// When it was meant to start (open loop).
    Intended,
}

impl TimeSlices {
    /// Divides a window from `open_ns` to `close_ns`. Makes no slices if the window has no planned end or is too short.
    pub(crate) fn of(open_ns: u64, close_ns: u64, by: SliceKey) -> Self {
        let length_ns = close_ns.saturating_sub(open_ns);
        if close_ns == u64::MAX || length_ns < WINDOW_LEAST_NS {
            return Self::default();
        }
        let empty = Histogram::new_with_bounds(SHORTEST_NS, LONGEST_NS, DIGITS)
            .unwrap_or_else(|error| unreachable!("constant bounds are valid: {error}"));
        Self {
            open_ns,
            // Rounded up, so that the last instant of the window is in the last slice.
            slice_ns: length_ns.div_ceil(SLICES as u64),
            by,
            responses: vec![empty; SLICES],
        }
    }

    pub(crate) fn record(&mut self, times: &RequestTimes, response_ns: u64) {
        if self.responses.is_empty() {
            return;
        }
        let at = match self.by {
            SliceKey::Ended => times.end,
            SliceKey::Intended => times.intended,
        };
        let slice = at.saturating_sub(self.open_ns) / self.slice_ns;
        let slice = usize::try_from(slice).ok();
        if let Some(slice) = slice.and_then(|slice| self.responses.get_mut(slice)) {
            slice.saturating_record(response_ns);
        }
    }

    /// Adds another worker's slices of the same window.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.responses.is_empty() {
            self.responses.clone_from(&other.responses);
            return;
        }
        for (mine, theirs) in self.responses.iter_mut().zip(&other.responses) {
            mine.add(theirs).unwrap_or_else(|error| {
                unreachable!("strips have the same bounds in every worker: {error}")
            });
        }
    }

    /// The histograms, in nanoseconds and in order of time.
    pub(crate) fn responses(&self) -> &[Histogram<u64>] {
        &self.responses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn time_slices(by: SliceKey) -> TimeSlices {
        TimeSlices::of(10 * S, 30 * S, by)
    }

    fn lasting(intended: u64, end: u64) -> RequestTimes {
        RequestTimes {
            intended,
            end,
            ..RequestTimes::default()
        }
    }

    fn counts(time_slices: &TimeSlices) -> Vec<u64> {
        time_slices.responses().iter().map(Histogram::len).collect()
    }

    #[test]
    fn closed_loops_go_by_the_end_and_open_ones_by_the_intended_instant() {
        let request = lasting(10 * S, 29 * S);
        let mut by_end = time_slices(SliceKey::Ended);
        by_end.record(&request, 19 * S);
        assert_eq!(counts(&by_end).iter().rposition(|&n| n == 1), Some(19));
        let mut by_intended = time_slices(SliceKey::Intended);
        by_intended.record(&request, 19 * S);
        assert_eq!(counts(&by_intended)[0], 1);
    }

    #[test]
    fn a_window_that_is_short_or_ends_by_a_count_is_not_divided() {
        for mut none in [
            TimeSlices::of(10 * S, 11 * S, SliceKey::Ended),
            TimeSlices::of(10 * S, u64::MAX, SliceKey::Ended),
        ] {
            none.record(&lasting(10 * S, 10 * S + 1), 1);
            assert!(none.responses().is_empty());
        }
    }

    #[test]
    fn merging_adds_slice_by_slice() {
        let mut whole = TimeSlices::default();
        for end in [10 * S, 10 * S + 1, 30 * S - 1] {
            let mut part = time_slices(SliceKey::Ended);
            part.record(&lasting(0, end), 5_000);
            whole.merge(&part);
        }
        let counts = counts(&whole);
        assert_eq!((counts[0], counts[19]), (2, 1));
        assert_eq!(counts.iter().sum::<u64>(), 3);
    }
}
