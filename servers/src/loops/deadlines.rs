//! When which client is to be looked after although its socket is silent.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Alarms of places, earliest first.
///
/// A deadline moves with every request and hardly ever passes. So a place keeps the alarm it has for as long as that
/// is early enough, whoever sits there by then: when it goes off, the loop looks how late the deadline is now and sets
/// it again. Most requests touch nothing here, and there is about one alarm per place.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    alarms: BinaryHeap<Reverse<(Instant, usize)>>,
    /// The earliest alarm of each place; others in the heap are void.
    valid: Vec<Option<Instant>>,
}

impl Deadlines {
    /// Makes sure that `place` is due at `at`, or before; `None` is never.
    pub(super) fn set(&mut self, place: usize, at: Option<Instant>) {
        let Some(at) = at else {
            return;
        };
        if place >= self.valid.len() {
            self.valid.resize(place + 1, None);
        }
        let valid = &mut self.valid[place];
        if valid.is_none_or(|alarm| alarm > at) {
            *valid = Some(at);
            self.alarms.push(Reverse((at, place)));
        }
    }

    /// When the next one may be due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.alarms.peek().map(|Reverse((at, _))| *at)
    }

    /// A place whose alarm goes off, which it then has no more.
    pub(super) fn due(&mut self, now: Instant) -> Option<usize> {
        while self.next().is_some_and(|at| at <= now) {
            let Reverse((at, place)) = self.alarms.pop()?;
            if self.valid[place] == Some(at) {
                self.valid[place] = None;
                return Some(place);
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
    fn places_come_due_in_the_order_of_their_alarms() {
        let start = Instant::now();
        let mut deadlines = Deadlines::default();
        for (place, ms) in [(0, 30), (1, 10), (2, 20)] {
            deadlines.set(place, Some(start + Duration::from_millis(ms)));
        }
        let now = start + Duration::from_millis(25);
        let due: Vec<_> = std::iter::from_fn(|| deadlines.due(now)).collect();
        assert_eq!(due, [1, 2]);
    }
}
