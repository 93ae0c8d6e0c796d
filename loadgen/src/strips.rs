//! Response times in order of time: the measured window in equal strips, each with a coarse histogram of its own.

use hdrhistogram::Histogram;

use crate::recorder::Times;

/// Strips of the window: enough for an order in time to show, few enough for each to hold a percentile.
pub(crate) const STRIPS: usize = 20;

/// Shortest window that is divided. In less than 2 s (strips of 0.1 s) what drifts is the machine, not the server, and
/// repeated trials see to that.
pub(crate) const WINDOW_LEAST_NS: u64 = 2_000_000_000;

/// Two digits tell a trend from its absence; a microsecond to a minute keeps a strip at 20 KiB.
const DIGITS: u8 = 2;
const SHORTEST_NS: u64 = 1_000;
const LONGEST_NS: u64 = 60_000_000_000;

/// One worker's strips, made before the start at their final size; none where the window has no length to divide.
#[derive(Debug, Default)]
pub(crate) struct Strips {
    open_ns: u64,
    strip_ns: u64,
    by: Instant,
    responses: Vec<Histogram<u64>>,
}

/// What puts a request into its strip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Instant {
    /// When it ended (closed loop).
    #[default]
    Ended,
    /// When it was meant to start (open loop).
    Intended,
}

impl Strips {
    /// The strips of a window from `open_ns` to `close_ns`; none when it has no planned end or is too short.
    pub(crate) fn of(open_ns: u64, close_ns: u64, by: Instant) -> Self {
        let length_ns = close_ns.saturating_sub(open_ns);
        if close_ns == u64::MAX || length_ns < WINDOW_LEAST_NS {
            return Self::default();
        }
        let empty = Histogram::new_with_bounds(SHORTEST_NS, LONGEST_NS, DIGITS)
            .unwrap_or_else(|error| unreachable!("constant bounds are valid: {error}"));
        Self {
            open_ns,
            // Rounded up, so that the last instant of the window is in the last strip.
            strip_ns: length_ns.div_ceil(STRIPS as u64),
            by,
            responses: vec![empty; STRIPS],
        }
    }

    /// Enters one response.
    pub(crate) fn record(&mut self, times: &Times, response_ns: u64) {
        if self.responses.is_empty() {
            return;
        }
        let at = match self.by {
            Instant::Ended => times.end,
            Instant::Intended => times.intended,
        };
        let strip = at.saturating_sub(self.open_ns) / self.strip_ns;
        let strip = usize::try_from(strip).ok();
        if let Some(strip) = strip.and_then(|strip| self.responses.get_mut(strip)) {
            strip.saturating_record(response_ns);
        }
    }

    /// Adds another worker's strips of the same window.
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

    fn strips(by: Instant) -> Strips {
        Strips::of(10 * S, 30 * S, by)
    }

    fn lasting(intended: u64, end: u64) -> Times {
        Times {
            intended,
            end,
            ..Times::default()
        }
    }

    fn counts(strips: &Strips) -> Vec<u64> {
        strips.responses().iter().map(Histogram::len).collect()
    }

    #[test]
    fn closed_loops_go_by_the_end_and_open_ones_by_the_intended_instant() {
        let request = lasting(10 * S, 29 * S);
        let mut by_end = strips(Instant::Ended);
        by_end.record(&request, 19 * S);
        assert_eq!(counts(&by_end).iter().rposition(|&n| n == 1), Some(19));
        let mut by_intended = strips(Instant::Intended);
        by_intended.record(&request, 19 * S);
        assert_eq!(counts(&by_intended)[0], 1);
    }

    #[test]
    fn a_window_that_is_short_or_ends_by_a_count_is_not_divided() {
        for mut none in [
            Strips::of(10 * S, 11 * S, Instant::Ended),
            Strips::of(10 * S, u64::MAX, Instant::Ended),
        ] {
            none.record(&lasting(10 * S, 10 * S + 1), 1);
            assert!(none.responses().is_empty());
        }
    }

    #[test]
    fn merging_adds_strip_by_strip() {
        let mut whole = Strips::default();
        for end in [10 * S, 10 * S + 1, 30 * S - 1] {
            let mut part = strips(Instant::Ended);
            part.record(&lasting(0, end), 5_000);
            whole.merge(&part);
        }
        let counts = counts(&whole);
        assert_eq!((counts[0], counts[19]), (2, 1));
        assert_eq!(counts.iter().sum::<u64>(), 3);
    }
}
