//! Number of good answers in equal parts of the window. The length of the window need not be known in advance.

/// Maximum number of parts. If at least half of them are in use, a gap is known to half a percent of the window.
const PARTS: usize = 512;

/// Initial width of a part, as a power of two in nanoseconds: about a millisecond.
const FIRST_SHIFT: u32 = 20;

/// Counts of answers by time since the window opened. If a time lies beyond the last part, neighbouring parts are
/// merged. So memory is bounded, and the end of the window need not be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timeline {
    /// Width of a part, as a power of two in nanoseconds.
    shift: u32,
    counts: Vec<u64>,
}

/// A span of the window, in nanoseconds since it opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TimeSpan {
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
}

impl TimeSpan {
    pub(crate) fn length_ns(self) -> u64 {
        self.end_ns - self.start_ns
    }
}

impl Timeline {
    pub(crate) fn new() -> Self {
        Self {
            shift: FIRST_SHIFT,
            counts: vec![0; PARTS],
        }
    }

    /// Counts an answer that came `after_ns` after the window opened.
    pub(crate) fn record(&mut self, after_ns: u64) {
        while after_ns >> self.shift >= PARTS as u64 {
            self.widen();
        }
        if let Some(count) = usize::try_from(after_ns >> self.shift)
            .ok()
            .and_then(|part| self.counts.get_mut(part))
        {
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

    /// Answers counted.
    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The longest span without an answer in a window of `window_ns`, to the precision of one part.
    pub(crate) fn longest_gap(&self, window_ns: u64) -> TimeSpan {
        let start = |part: usize| (part as u64) << self.shift;
        let mut longest = TimeSpan::default();
        let mut since = 0;
        let answered = self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0);
        // The end of the window ends a gap as an answer does.
        let ends = answered
            .map(|(part, _)| (start(part), start(part + 1)))
            .chain([(window_ns, window_ns)]);
        for (begins, ends) in ends {
            let gap = TimeSpan {
                start_ns: since,
                end_ns: begins.clamp(since, window_ns.max(since)),
            };
            if gap.length_ns() > longest.length_ns() {
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
        let mut timeline = Timeline::new();
        for ms in after_ms {
            timeline.record(ms * MS);
        }
        timeline
    }

    /// Milliseconds at which the longest gap begins and ends.
    fn gap_ms(timeline: &Timeline, window_ms: u64) -> [u64; 2] {
        let gap = timeline.longest_gap(window_ms * MS);
        [gap.start_ns, gap.end_ns].map(|ns| ns / MS)
    }

    fn assert_near(seen_ms: [u64; 2], expected_ms: [u64; 2], width_ms: u64) {
        for (seen, expected) in seen_ms.into_iter().zip(expected_ms) {
            assert!(
                seen.abs_diff(expected) <= width_ms,
                "{seen_ms:?} {expected_ms:?}"
            );
        }
    }

    #[test]
    fn finds_the_longest_gap_at_the_start_in_the_middle_and_at_the_end() {
        let all = 0..4_000;
        assert_near(
            gap_ms(&answers(all.clone().skip(1_000)), 4_000),
            [0, 1_000],
            16,
        );
        let middle = all.clone().filter(|ms| !(1_000..3_000).contains(ms));
        assert_near(gap_ms(&answers(middle), 4_000), [1_000, 3_000], 16);
        assert_near(gap_ms(&answers(all.take(1_000)), 4_000), [1_000, 4_000], 16);
        assert_eq!(gap_ms(&answers([]), 4_000), [0, 4_000]);
    }

    #[test]
    fn counts_are_kept_however_long_the_window_gets_and_merge_without_loss() {
        let mut whole = answers(0..50);
        whole.merge(&answers((0..600_000).step_by(1_000)));
        let mut other = answers((0..600_000).step_by(1_000));
        other.merge(&answers(0..50));
        assert_eq!(whole, other);
        assert_eq!(whole.total(), 650);
        let gap = whole.longest_gap(700_000 * MS);
        assert_near(
            [gap.start_ns / MS, gap.end_ns / MS],
            [599_000, 700_000],
            3_000,
        );
    }
}
