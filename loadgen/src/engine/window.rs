//! Which requests belong to the measurement.

/// The measured window in absolute time.
///
/// *Open loop*: a request belongs to it when its intended instant lies in `open..close`, wherever it ends; after `close`
/// requests still under way, or due and not yet sent, get one timeout of grace. *Closed loop ended by time*: a request
/// belongs when it ends in `open..close`; those under way at `close` are counted as in flight. *Closed loop ended by a
/// count*: the first so many requests begun after `open` belong, and all of them are awaited.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) open: u64,
    pub(super) close: u64,
    pub(super) phase: Phase,
    /// Next instant at which the phase changes.
    pub(super) boundary: u64,
    pub(super) grace_ns: u64,
    pub(super) cpu_at_open: u64,
    pub(super) opened_at: u64,
    /// When the last request that belongs ended.
    pub(super) last_end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    WarmingUp,
    Measuring,
    Grace,
}

impl Window {
    /// One that opens at `open`, closes at `close`, and then leaves `grace_ns` for late answers.
    pub(super) fn new(open: u64, close: u64, grace_ns: u64) -> Self {
        Self {
            open,
            close,
            phase: Phase::WarmingUp,
            boundary: open,
            grace_ns,
            cpu_at_open: 0,
            opened_at: 0,
            last_end: 0,
        }
    }

    /// Whether the window has been opened, in order of events, and not merely in time.
    pub(super) fn opened(&self) -> bool {
        self.phase != Phase::WarmingUp
    }
}
