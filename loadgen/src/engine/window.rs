//! Which requests belong to the measurement.

/// The measured window in absolute time.
///
/// - *Open loop*: a request belongs to it if its intended instant lies in `open..close`, whenever it ends. After
///   `close`, requests still under way, or due and not yet sent, get one timeout of grace.
/// - *Closed loop ended by time*: a request belongs to it if it ends in `open..close`; those under way at `close` are
///   counted as in flight.
/// - *Closed loop ended by a count*: requests begun after `open` belong to it until the count is reached; the worker
///   waits for all.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) open: u64,
    pub(super) close: u64,
    pub(super) phase: WindowPhase,
    /// Next instant at which the phase changes.
    pub(super) boundary: u64,
    pub(super) grace_ns: u64,
    pub(super) cpu_at_open: u64,
    pub(super) opened_at: u64,
    /// When the last request of the window ended.
    pub(super) last_end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WindowPhase {
    WarmingUp,
    Measuring,
    Grace,
}

impl Window {
    /// A window that opens at `open`, closes at `close`, and then leaves `grace_ns` for late answers.
    pub(super) fn new(open: u64, close: u64, grace_ns: u64) -> Self {
        Self {
            open,
            close,
            phase: WindowPhase::WarmingUp,
            boundary: open,
            grace_ns,
            cpu_at_open: 0,
            opened_at: 0,
            last_end: 0,
        }
    }

    /// Whether the worker has opened the window; that its instant has passed is not enough.
    pub(super) fn opened(&self) -> bool {
        self.phase != WindowPhase::WarmingUp
    }
}
