//! The living children of one process, in a form that a signal handler can read and write.

use std::sync::atomic::{AtomicI32, Ordering};

use nix::unistd::Pid;

use crate::counters::{Counters, count};

/// Most children at once. The cap on clients is what stops a server from forking; this only has to be larger.
pub(crate) const CHILDREN_MAX: usize = 65_536;

/// The living children, in a form that a signal handler can read and write: it may neither lock nor allocate.
#[derive(Debug)]
pub(crate) struct ChildTable {
    pub(crate) parent: Pid,
    /// Process ids of the living children, 0 for a free slot. The children do not need them in shared memory. But the
    /// parent writes here for every child, and each time it would have to copy a private page.
    pub(crate) pids: &'static [AtomicI32],
    /// Whether the children are workers. Then a child's slot is its worker number, whose tally counts its clients.
    pub(crate) are_workers: bool,
    pub(crate) counters: &'static Counters,
}

impl ChildTable {
    /// Calls `work` with the id of each living child, if `process` is their parent.
    pub(crate) fn for_each_child_of(&self, process: i32, work: impl Fn(i32)) {
        let pids = self.pids.iter().map(|slot| slot.load(Ordering::Relaxed));
        if process == self.parent.as_raw() {
            pids.filter(|&pid| pid != 0).for_each(work);
        }
    }

    /// Frees the slot of a child that has ended, and counts the clients that died with it as closed.
    pub(crate) fn on_child_exit(&self, pid: i32, ended_well: bool) {
        let is_its = |slot: &AtomicI32| slot.load(Ordering::Relaxed) == pid;
        let Some(slot) = self.pids.iter().position(is_its) else {
            return;
        };
        if self.are_workers {
            let tally = self.counters.tally_of(slot);
            if !ended_well {
                count(&tally.crashed);
            }
            let accepted = tally.accepted.load(Ordering::Acquire);
            tally.closed.store(accepted, Ordering::Release);
        } else if !ended_well {
            count(&self.counters.tally_of(0).crashed);
            count(&self.counters.tally_of(0).closed);
        }
        self.pids[slot].store(0, Ordering::Relaxed);
    }
}
