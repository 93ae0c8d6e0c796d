//! When an event loop must handle a client although its socket is not ready.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Alarms of slots, earliest first.
///
/// A deadline moves with every request and hardly ever passes. So a slot keeps its alarm as long as that is early
/// enough, even for a later client of the slot. When the alarm is due, the loop reads the present deadline and sets the
/// alarm again. Most requests touch nothing here, and there is about one alarm per slot.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    alarms: BinaryHeap<Reverse<(Instant, usize)>>,
    /// The earliest alarm of each slot; its other alarms in the heap are void.
    valid: Vec<Option<Instant>>,
}

impl Deadlines {
    /// Makes sure that `slot` is due at `at` or earlier; `None` is never.
    pub(super) fn set(&mut self, slot: usize, at: Option<Instant>) {
        let Some(at) = at else {
            return;
        };
        if slot >= self.valid.len() {
            self.valid.resize(slot + 1, None);
        }
        let valid = &mut self.valid[slot];
        if valid.is_none_or(|alarm| alarm > at) {
            *valid = Some(at);
            self.alarms.push(Reverse((at, slot)));
        }
    }

    /// When the next slot may be due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.alarms.peek().map(|Reverse((at, _))| *at)
    }

    /// Returns a slot whose alarm is due, and removes the alarm.
    pub(super) fn due(&mut self, now: Instant) -> Option<usize> {
        while self.next().is_some_and(|at| at <= now) {
            let Reverse((at, slot)) = self.alarms.pop()?;
            if self.valid[slot] == Some(at) {
                self.valid[slot] = None;
                return Some(slot);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_later_deadline_keeps_the_alarm_and_an_earlier_one_moves_it() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut deadlines = Deadlines::default();
        deadlines.set(3, None);
        assert_eq!(deadlines.next(), None);
        deadlines.set(3, Some(after(50)));
        deadlines.set(3, Some(after(90)));
        assert_eq!(deadlines.next(), Some(after(50)));
        deadlines.set(3, Some(after(20)));
        assert_eq!(deadlines.due(after(19)), None);
        assert_eq!(deadlines.due(after(100)), Some(3));
        assert_eq!(deadlines.due(after(100)), None, "the alarm of 50 was void");
    }

    #[test]
    fn slots_come_due_in_the_order_of_their_alarms() {
        let (start, mut deadlines) = (Instant::now(), Deadlines::default());
        for (slot, ms) in [(0, 30), (1, 10), (2, 20)] {
            deadlines.set(slot, Some(start + Duration::from_millis(ms)));
        }
        let now = start + Duration::from_millis(25);
        let due: Vec<_> = std::iter::from_fn(|| deadlines.due(now)).collect();
        assert_eq!(due, [1, 2]);
    }
}
