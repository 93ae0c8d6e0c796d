//! Response times over time: the measured window is divided into equal time slices, each with a coarse histogram.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::histograms::Histograms;
use crate::request::RequestTimes;

/// Number of time slices: enough to show a trend, few enough that each one supports a percentile.
pub(crate) const SLICES: usize = 20;

/// Shortest window that is divided. In less than 2 s (slices of 0.1 s) the machine drifts and not the server, and
/// repeated trials account for that.
const WINDOW_MIN_NS: u64 = 2_000_000_000;

/// Two significant digits show a trend; a microsecond to a minute keeps a slice at 20 KiB.
const DIGITS: u8 = 2;
const SHORTEST_NS: u64 = 1_000;
const LONGEST_NS: u64 = 60_000_000_000;

/// The time slices of one worker, allocated at their final size before the first request. None if the window is not
/// divided. Stored as a text for each slice.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(into = "Vec<String>", try_from = "Vec<String>")]
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
    pub(crate) fn new(open_ns: u64, close_ns: u64, by: SliceKey) -> Self {
        let length_ns = close_ns.saturating_sub(open_ns);
        if close_ns == u64::MAX || length_ns < WINDOW_MIN_NS {
            return Self::default();
        }
        Self {
            open_ns,
            // Rounded up, so that the last instant of the window is in the last slice.
            slice_ns: length_ns.div_ceil(SLICES as u64),
            by,
            responses: vec![empty_slice(); SLICES],
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
        let slice = usize::try_from(at.saturating_sub(self.open_ns) / self.slice_ns);
        if let Some(slice) = slice.ok().and_then(|slice| self.responses.get_mut(slice)) {
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
                unreachable!("slices have the same bounds in every worker: {error}")
            });
        }
    }

    /// The histograms, in nanoseconds and in order of time.
    pub(crate) fn responses(&self) -> &[Histogram<u64>] {
        &self.responses
    }
}

fn empty_slice() -> Histogram<u64> {
    Histogram::new_with_bounds(SHORTEST_NS, LONGEST_NS, DIGITS)
        .unwrap_or_else(|error| unreachable!("constant bounds are valid: {error}"))
}

impl From<TimeSlices> for Vec<String> {
    fn from(slices: TimeSlices) -> Self {
        slices.responses.iter().map(Histograms::encode).collect()
    }
}

impl TryFrom<Vec<String>> for TimeSlices {
    type Error = &'static str;

    /// Slices that can be merged and read, and no more recorded in.
    fn try_from(texts: Vec<String>) -> Result<Self, Self::Error> {
        let read = |text: &String| Histograms::decode_into(empty_slice(), text);
        let responses: Option<Vec<_>> = texts.iter().map(read).collect();
        let responses = responses.filter(|slices| [0, SLICES].contains(&slices.len()));
        let responses = responses.ok_or("these are not the slices of a window")?;
        Ok(Self {
            responses,
            ..Self::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    /// Where a window from 10 s to 30 s counts requests that were meant to start and ended at these instants.
    fn counts(by: SliceKey, requests: &[(u64, u64)]) -> Vec<u64> {
        let mut whole = TimeSlices::default();
        for &(intended, end) in requests {
            let mut part = TimeSlices::new(10 * S, 30 * S, by);
            let times = RequestTimes {
                intended,
                end,
                ..RequestTimes::default()
            };
            part.record(&times, 5_000);
            whole.merge(&part);
        }
        whole.responses().iter().map(Histogram::len).collect()
    }

    #[test]
    fn closed_loops_go_by_the_end_and_open_ones_by_the_intended_instant_and_parts_add_up() {
        let requests = [
            (10 * S, 29 * S),
            (0, 10 * S),
            (0, 10 * S + 1),
            (0, 30 * S - 1),
        ];
        let by_end = counts(SliceKey::Ended, &requests);
        assert_eq!((by_end[0], by_end[19]), (2, 2));
        assert_eq!(by_end.iter().sum::<u64>(), 4);
        let by_intended = counts(SliceKey::Intended, &requests[..1]);
        assert_eq!((by_intended[0], by_intended[19]), (1, 0));
    }

    #[test]
    fn a_window_that_is_short_or_ends_by_a_count_is_not_divided() {
        for close_ns in [11 * S, u64::MAX] {
            let mut none = TimeSlices::new(10 * S, close_ns, SliceKey::Ended);
            none.record(&RequestTimes::default(), 1);
            assert!(none.responses().is_empty());
        }
    }
}
