//! Number of good answers in equal parts of the window. The length of the window need not be known in advance.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Maximum number of parts. If at least half of them are in use, a gap is known to half a percent of the window.
const PARTS: usize = 512;

/// Initial width of a part, as a power of two in nanoseconds: about a millisecond.
const FIRST_SHIFT: u32 = 20;

/// Counts of answers by time since the window opened. If a time lies beyond the last part, neighbouring parts are
/// merged. So memory is bounded, and the end of the window need not be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Timeline {
    /// Width of a part, as a power of two in nanoseconds.
    shift: u32,
    /// Answers in each part.
    counts: Vec<u64>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            shift: FIRST_SHIFT,
            counts: vec![0; PARTS],
        }
    }
}

impl Timeline {
    /// Counts an answer that came `after_ns` after the window opened.
    pub(crate) fn record(&mut self, after_ns: u64) {
        while after_ns >> self.shift >= PARTS as u64 {
            self.widen();
        }
        let part = usize::try_from(after_ns >> self.shift);
        if let Some(count) = part.ok().and_then(|part| self.counts.get_mut(part)) {
            *count += 1;
        }
    }

    /// Adds another thread's counts.
    pub(crate) fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        while self.shift < other.shift {
            self.widen();
        }
        while other.shift < self.shift {
            other.widen();
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }

    /// Whether it has the parts and a width that it can have, which one from a file may not have.
    pub(crate) fn is_whole(&self) -> bool {
        self.counts.len() == PARTS && (FIRST_SHIFT..u64::BITS).contains(&self.shift)
    }

    /// Answers counted.
    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The longest span without an answer in a window of `window_ns`, in nanoseconds since it opened and to the precision
    /// of one part.
    pub(crate) fn longest_gap(&self, window_ns: u64) -> Range<u64> {
        let start = |part: usize| (part as u64) << self.shift;
        let answered = (0..PARTS).filter(|part| self.counts[*part] > 0);
        let answered = answered.map(|part| (start(part), start(part + 1)));
        let mut longest = 0..0;
        let mut since = 0;
        // The end of the window ends a gap as an answer does.
        for (begins, ends) in answered.chain([(window_ns, window_ns)]) {
            let gap = since..begins.clamp(since, window_ns.max(since));
            if gap.end - gap.start > longest.end - longest.start {
                longest = gap;
            }
            since = ends;
        }
        longest
    }

    /// Makes parts twice as wide.
    fn widen(&mut self) {
        for part in 0..PARTS / 2 {
            self.counts[part] = self.counts[2 * part] + self.counts[2 * part + 1];
        }
        self.counts[PARTS / 2..].fill(0);
        self.shift += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn answers(after_ms: impl IntoIterator<Item = u64>) -> Timeline {
        let mut timeline = Timeline::default();
        for ms in after_ms {
            timeline.record(ms * MS);
        }
        timeline
    }

    /// The longest gap begins and ends at these milliseconds, give or take the width of a part.
    fn assert_gap(timeline: &Timeline, window_ms: u64, expected_ms: [u64; 2], width_ms: u64) {
        let gap = timeline.longest_gap(window_ms * MS);
        let seen_ms = [gap.start, gap.end].map(|ns| ns / MS);
        let near = |(seen, expected): (u64, u64)| seen.abs_diff(expected) <= width_ms;
        let mut pairs = seen_ms.into_iter().zip(expected_ms);
        assert!(pairs.all(near), "{seen_ms:?} {expected_ms:?}");
    }

    #[test]
    fn finds_the_longest_gap_at_the_start_in_the_middle_and_at_the_end() {
        for (gap_ms, width_ms) in [
            ([0, 1_000], 16),
            ([1_000, 3_000], 16),
            ([1_000, 4_000], 16),
            ([0, 4_000], 0),
        ] {
            let gap = gap_ms[0]..gap_ms[1];
            let timeline = answers((0..4_000).filter(|ms| !gap.contains(ms)));
            assert_gap(&timeline, 4_000, gap_ms, width_ms);
        }
    }

    #[test]
    fn counts_are_kept_however_long_the_window_gets_and_merge_without_loss() {
        let (few, many) = (answers(0..50), answers((0..600_000).step_by(1_000)));
        let (mut whole, mut other) = (few.clone(), many.clone());
        whole.merge(&many);
        other.merge(&few);
        assert_eq!(whole, other);
        assert_eq!(whole.total(), 650);
        assert_gap(&whole, 700_000, [599_000, 700_000], 3_000);
    }
}
