//! Connection slots, reused for the whole run, and the queue of their deadlines.

use crate::answer::Answer;
use crate::request::RequestTimes;

/// Index that means "no slot".
const NONE: u32 = u32::MAX;

/// One connection and the request on it. In a closed loop a slot is a client.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) state: State,
    /// Whether it has a connection, established or being established.
    pub(super) open: bool,
    pub(super) times: RequestTimes,
    pub(super) answer: Answer,
    /// Number of the URL that the current request is for.
    pub(super) url: u32,
    /// Requests begun on this connection.
    pub(super) served: u64,
    /// Whether the current request belongs to the measured window.
    pub(super) counted: bool,
    /// Whether the current request has already moved to another source address.
    pub(super) moved_on: bool,
    /// When the client joined a window that ends by a count; zero before.
    pub(super) joined: u64,
    /// Consecutive failures of this client.
    pub(super) streak: u32,
    /// Epoch of the source address that the connection is charged to.
    pub(super) source: u32,
    /// Neighbours in [`SlotDeadlines`].
    earlier: u32,
    later: u32,
}

/// What a slot is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// No request; the slot may still hold a kept connection.
    Idle,
    /// A request is under way.
    InFlight,
    /// A closed-loop client waits until this instant: think time, or backoff after a failure.
    Pausing(u64),
}

impl Slot {
    pub(super) fn new(answer: Answer) -> Self {
        Self {
            state: State::Idle,
            open: false,
            times: RequestTimes::default(),
            answer,
            url: 0,
            served: 0,
            counted: false,
            moved_on: false,
            joined: 0,
            streak: 0,
            source: 0,
            earlier: NONE,
            later: NONE,
        }
    }

    /// Whether a pause of the client is a backoff after a failure.
    pub(super) fn backs_off(&self) -> bool {
        self.streak > 0
    }

    /// Whether a request is under way.
    pub(super) fn in_flight(&self) -> bool {
        self.state == State::InFlight
    }
}

/// Requests under way, ordered by their start. This is also the order of their deadlines, since all have the same
/// timeout. An intrusive list through the slots: no allocation, no search.
#[derive(Debug)]
pub(super) struct SlotDeadlines {
    oldest: u32,
    newest: u32,
}

impl SlotDeadlines {
    pub(super) fn new() -> Self {
        Self {
            oldest: NONE,
            newest: NONE,
        }
    }

    /// Slot whose request started first.
    pub(super) fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// Appends slot `index`, whose request has just started.
    pub(super) fn push(&mut self, slots: &mut [Slot], index: u32) {
        let slot = &mut slots[index as usize];
        slot.earlier = self.newest;
        slot.later = NONE;
        match self.newest {
            NONE => self.oldest = index,
            newest => slots[newest as usize].later = index,
        }
        self.newest = index;
    }

    /// Removes slot `index`, which must be in the list.
    pub(super) fn remove(&mut self, slots: &mut [Slot], index: u32) {
        let Slot { earlier, later, .. } = slots[index as usize];
        match earlier {
            NONE => self.oldest = later,
            earlier => slots[earlier as usize].later = later,
        }
        match later {
            NONE => self.newest = earlier,
            later => slots[later as usize].earlier = earlier,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Slot, SlotDeadlines};
    use crate::answer::Answer;
    use crate::http::RequestMethod;
    use crate::workload::ClientProtocol;

    #[test]
    fn deadlines_stay_in_order_whichever_is_taken_out() {
        let answer = || Answer::new(ClientProtocol::Http, &RequestMethod::GET);
        let mut slots: Vec<Slot> = (0..5).map(|_| Slot::new(answer())).collect();
        let mut deadlines = SlotDeadlines::new();
        (0..5).for_each(|index| deadlines.push(&mut slots, index));
        for gone in [2, 0, 4] {
            deadlines.remove(&mut slots, gone);
        }
        deadlines.push(&mut slots, 2);
        let mut order = Vec::new();
        while let Some(index) = deadlines.oldest() {
            deadlines.remove(&mut slots, index);
            order.push(index);
        }
        assert_eq!(order, [1, 3, 2]);
    }
}
